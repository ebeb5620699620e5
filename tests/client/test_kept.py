"""client/kept.py"""

from __future__ import annotations

from chatroom.events import Event, EventKind, Extra, extra_number, extra_row
from client.kept import Kept, tells_news
from client.limits import KEPT_CHARACTERS, KEPT_LINES
from tests.client.fake_server import ME
from tests.support.events import BOB, NOON, said


def test_the_last_line_of_somebody_who_is_read() -> None:
    """Who answers the last line does not answer somebody whom nobody reads."""
    kept = Kept()
    kept.merge([said(1), said(2, person=50), said(3, person=ME)])
    for without, seq in (((), 2), ((50,), 1), ((50, BOB), 0)):
        last = kept.last(False, ME, frozenset(without))
        assert (last.seq if last else 0) == seq


def amending(seq: int, kind: EventKind, message: int, text: str = "") -> Event:
    return Event(seq, NOON, kind, "#general", "bob", text, 0, BOB, 1, extra_row(Extra.MESSAGE, message))


def seqs(kept: Kept) -> list[int]:
    return [line.seq for line in kept]


def test_lines_are_kept_in_order_each_once() -> None:
    """Whatever order they come in: old ones that were asked for, and repeats."""
    kept = Kept()
    for seq in (5, 7, 7):
        kept.add(said(seq))
    kept.merge([said(3), said(5, "as it is now"), amending(4, EventKind.EDITED, 3)])
    kept.add(said(6))
    assert seqs(kept) == [3, 5, 6, 7] and len(kept) == 4
    found = kept.find(5)
    assert found is not None and found.text == "as it is now"
    assert kept.find(99) is None and kept.find(0) is None


def test_only_the_latest_are_kept() -> None:
    """So many lines, and so many characters; one line is kept in any case."""
    kept = Kept()
    for seq in range(1, KEPT_LINES + 2):
        kept.add(said(seq, "x"))
    assert seqs(kept)[0] == 2 and len(kept) == KEPT_LINES
    kept.add(said(9000, "x" * KEPT_CHARACTERS))
    assert seqs(kept) == [9000]
    kept.merge([said(8000, "y")])
    assert seqs(kept) == [9000]


def test_amended_lines() -> None:
    """A line is kept as it is now; what it was before is told."""
    kept = Kept()
    kept.add(said(1, "a")._replace(extra=extra_row(Extra.REPLY_TO, 7)))
    for seq, text in ((2, "b"), (3, "c")):
        before = kept.amend(amending(seq, EventKind.EDITED, 1, text))
        assert before is not None and before.text == chr(ord(text) - 1)
    (line,) = kept
    assert line.text == "c" and extra_number(line.extra, Extra.EDITED) == 3
    assert extra_number(line.extra, Extra.REPLY_TO) == 7
    assert kept.amend(amending(4, EventKind.REACTED, 1, "+1")) == line
    kept.amend(amending(5, EventKind.DELETED, 1))
    (line,) = kept
    assert line.text == "" and extra_number(line.extra, Extra.DELETED) == 5
    assert kept.amend(amending(6, EventKind.EDITED, 99)) is None


def test_what_is_no_news() -> None:
    """An amendment of a line that came after it, with its mark; a reaction is always news."""
    edited = said(1)._replace(extra=extra_row(Extra.EDITED, 5))
    for seq, kind, line, news in [
        (5, EventKind.EDITED, edited, False),
        (6, EventKind.EDITED, edited, True),
        (5, EventKind.DELETED, edited, True),
        (4, EventKind.REACTED, edited, True),
        (5, EventKind.EDITED, None, True),
    ]:
        assert tells_news(amending(seq, kind, 1), line) is news


def test_the_last_line_of_somebody() -> None:
    """The user's own or another one's; a deleted one is none."""
    kept = Kept()
    assert kept.last(True, ME) is None
    for seq, person in ((1, ME), (2, BOB), (3, ME)):
        kept.add(said(seq, person=person))
    last, other = kept.last(True, ME), kept.last(False, ME)
    assert last is not None and last.seq == 3 and other is not None and other.seq == 2
    kept.amend(amending(4, EventKind.DELETED, 3))
    last = kept.last(True, ME)
    assert last is not None and last.seq == 1
    assert [line.seq for line in reversed(kept)] == [3, 2, 1]


def test_an_edited_line_counts_as_it_is_now() -> None:
    """A short line that became a long one makes as much room as if it had been said so."""
    kept = Kept()
    for seq in (1, 2, 3):
        kept.add(said(seq, "x"))
    kept.amend(amending(4, EventKind.EDITED, 2, "x" * KEPT_CHARACTERS))
    assert seqs(kept) == [3]
    kept.add(said(5, "y"))
    assert seqs(kept) == [3, 5]


def test_what_a_class_is_asked_is_kept() -> None:
    """Polls, results and questions stand between the lines; no correction means one of them."""
    kept = Kept()
    kept.add(said(1))
    for seq, kind in enumerate((EventKind.POLL, EventKind.REVEALED, EventKind.ASKED), 2):
        kept.add(said(seq, "a | b")._replace(kind=kind))
    kept.merge([said(9)._replace(kind=EventKind.JOINED)])
    assert seqs(kept) == [1, 2, 3, 4]
    last = kept.last(own=True, person=BOB)
    assert last is not None and last.seq == 1


def test_nothing_is_kept_of_an_erased_person() -> None:
    """Neither the text nor the name, and no answer goes to it; the lines of others stay."""
    kept = Kept()
    for line in (said(1, "secret"), said(2, "public", "eve", person=44)):
        kept.add(line)
    about = extra_row(Extra.TARGET, BOB, 4)
    kept.erase(Event(9, NOON, EventKind.ERASED, "", "", "", extra=about))
    assert [(line.author, line.text) for line in kept] == [("erased", ""), ("eve", "public")]
    assert kept.last(own=True, person=BOB) is None
