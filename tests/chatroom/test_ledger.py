"""The ledger: what an entry changes is taken once."""

from __future__ import annotations

from chatroom.effects import Gone
from chatroom.events import EventKind
from chatroom.ledger import Ledger
from chatroom.records import Record


def test_what_is_taken_is_gone() -> None:
    """Events, changed records and effects of an entry come in order; the next entry begins with none."""
    ledger = Ledger()
    ledger.time = 5
    ledger.event(EventKind.JOINED, 1, "ann", 2, "#general")
    ledger.event(EventKind.QUIT, 1, "ann", text="bye", places=(1, 2))
    ledger.tell(Gone(("", 1, 2)))
    happened, records, effects, *_ = ledger.take()
    assert [(event.seq, event.time) for event in happened] == [(1, 5), (2, 5)]  # type: ignore[union-attr]
    assert (records, effects) == ([], [Gone(("", 1, 2))]) and ledger.head == 2
    assert ledger.take() == ([], [], [], [], {})


def test_a_record_is_made_at_the_end() -> None:
    """A record that changes several times in an entry is stored once, as it is at the end."""
    ledger, value = Ledger(), ["a"]
    for text in ("b", "c"):
        ledger.change("kind", "key", lambda: Record("kind", "key", value[0]))
        value[0] = text
    ledger.change("kind", "gone", lambda: Record("kind", "gone", ""))
    ledger.change("kind", "gone", None)
    assert ledger.take().records == [Record("kind", "key", "c"), Record("kind", "gone", None)]


def test_numbers_are_given_once() -> None:
    """Persons, places and the epoch are stored when they change, and go on after a start."""
    ledger = Ledger()
    ledger.life = ("", 7)
    ledger.new_epoch()
    assert (ledger.new_person(), ledger.new_person(), ledger.new_place()) == (1, 2, 1)
    (record,) = ledger.take().records
    again = Ledger()
    again.restore(record)
    assert (again.epoch, again.new_person(), again.new_place()) == (7, 3, 2)
