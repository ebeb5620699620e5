"""client/outbox.py"""

from __future__ import annotations

import pytest

from chatroom.errors import Closed
from chatroom.limits import MAX_TEXT
from chatroom.packets import Bye, Command, Decoder, Packet, Ping, Pong, Say
from client.limits import MAX_COMMANDS, MAX_PENDING, PENDING_BYTES, SEND_BYTES
from client.outbox import Outbox
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def attached(outbox: Outbox, confirmed: int = 0) -> Outbox:
    outbox.attach(confirmed)
    outbox.open()
    return outbox


def taken(outbox: Outbox) -> list[Packet]:
    """Everything that the sender would send now."""
    decoder, packets = Decoder(), []
    while data := outbox.take(0.0):
        packets += decoder.feed(data)
    return packets


def texts(packets: list[Packet]) -> list[str]:
    return [packet.text for packet in packets if isinstance(packet, Say | Command)]


def test_lines_and_commands_go_out_in_the_order_in_which_they_were_given() -> None:
    """One queue for both; ids rise by one and fit into 63 bits."""
    outbox = attached(Outbox())
    first = outbox.say("#a", "one")
    outbox.command("#a", "/me waves")
    outbox.say("#a", "two")
    packets = taken(outbox)
    assert texts(packets) == ["one", "/me waves", "two"]
    assert [packet.id for packet in packets] == [first.id, first.id + 1, first.id + 2]
    assert 0 < first.id < 2**63 - 2**61


def test_nothing_is_said_before_the_replay_is_over() -> None:
    """Signs of life go out at once, lines only after `open`."""
    outbox = Outbox()
    outbox.say("#a", "one")
    outbox.attach(0)
    outbox.pong(5)
    assert taken(outbox) == [Pong(5)]
    outbox.open()
    assert texts(taken(outbox)) == ["one"]


def test_a_new_connection_gets_exactly_what_is_not_confirmed_in_order() -> None:
    """Sent or not, confirmed by its event or by WELCOME: what is left is sent again, and only that."""
    outbox = attached(Outbox())
    lines = [outbox.say("#a", f"{number}") for number in range(6)]
    taken(outbox)
    outbox.confirm(lines[0].id)
    outbox.detach()
    late = outbox.say("#a", "late")
    attached(outbox, confirmed=lines[2].id)
    assert texts(taken(outbox)) == ["3", "4", "5", "late"]
    assert [line.stored for line in lines] == [True, True, True, False, False, False]
    assert outbox.pending() == [*lines[3:], late]


def test_a_command_is_sent_once_and_keeps_its_place() -> None:
    """A command that waited goes out between the lines around it; one that was sent is not repeated."""
    outbox = attached(Outbox())
    outbox.command("#a", "/sent")
    outbox.say("#a", "one")
    taken(outbox)
    outbox.detach()
    outbox.command("#a", "/waits")
    outbox.say("#a", "two")
    attached(outbox)
    assert texts(taken(outbox)) == ["one", "/waits", "two"]


def test_what_the_replay_confirms_is_not_sent_again() -> None:
    """An own event between WELCOME and LIVE takes its line out of the queue."""
    outbox = Outbox()
    lines = [outbox.say("#a", f"{number}") for number in range(3)]
    outbox.attach(0)
    outbox.confirm(lines[1].id)
    outbox.open()
    assert texts(taken(outbox)) == ["2"]


def test_a_refused_line_is_settled_but_not_stored() -> None:
    """The server's reason is at the line, and nobody waits for it any more."""
    outbox = attached(Outbox())
    line, other = outbox.say("#a", "one"), outbox.say("#a", "two")
    assert outbox.refuse(line.id, "you are muted")
    assert not outbox.refuse(line.id, "again")
    assert not line.wait(0)
    assert (line.stored, line.refused) == (False, "you are muted")
    assert outbox.pending() == [other]
    outbox.confirm(other.id)
    assert (line.stored, other.stored) == (False, True)
    assert outbox.wait_for(timeout=0)


def test_waiting_for_a_line() -> None:
    """`wait` and `flush` end when the confirmation comes, or say that it did not come in time."""
    outbox = attached(Outbox())
    line = outbox.say("#a", "one")
    assert not line.wait(0.01)
    assert not outbox.wait_for(timeout=0.01)
    waiting, flushing = Task(line.wait), Task(outbox.wait_for)
    outbox.confirm(line.id)
    assert waiting.result()
    assert flushing.result()


def test_say_waits_while_too_much_is_pending() -> None:
    """The number and the bytes of pending lines are bounded; a confirmation makes room."""
    outbox = attached(Outbox())
    lines = [outbox.say("#a", "x", timeout=0) for _ in range(MAX_PENDING)]
    with pytest.raises(TimeoutError):
        outbox.say("#a", "one more", timeout=0)
    waiting = Task(lambda: outbox.say("#a", "one more", timeout=PATIENCE))
    outbox.confirm(lines[0].id)
    assert waiting.result().text == "one more"
    outbox = attached(Outbox())
    with pytest.raises(TimeoutError):
        for _ in range(MAX_PENDING):
            outbox.say("#a", "x" * MAX_TEXT, timeout=0)
    assert PENDING_BYTES / 2 < sum(len(line.text) for line in outbox.pending()) < PENDING_BYTES * 2


def test_commands_are_bounded_too() -> None:
    """Commands that nobody takes are refused after a while."""
    outbox = Outbox()
    for _ in range(MAX_COMMANDS):
        outbox.command("#a", "/who")
    with pytest.raises(TimeoutError):
        outbox.command("#a", "/who")


@pytest.mark.parametrize("text", ["", "x" * (MAX_TEXT + 1), "\ud800"], ids=["empty", "too long", "surrogate"])
def test_what_cannot_be_sent_is_not_queued(text: str) -> None:
    """A text that no packet can hold is a ValueError at once and leaves nothing behind."""
    outbox = attached(Outbox())
    with pytest.raises(ValueError):
        outbox.say("#a", text)
    assert not outbox.pending()
    assert not taken(outbox)


def test_one_send_carries_many_lines_but_not_all() -> None:
    """What waits is joined up to a bound, so that a backlog is not copied at once."""
    outbox = attached(Outbox())
    for _ in range(MAX_PENDING):
        outbox.say("#a", "x" * 20)
    sizes = []
    while data := outbox.take(0.0):
        sizes.append(len(data))
    assert len(sizes) > 1
    assert all(SEND_BYTES <= size < SEND_BYTES + 100 for size in sizes[:-1])


def test_signs_of_life_do_not_pile_up() -> None:
    """Of many PINGs to be answered only the latest is: a flood of them fills nothing."""
    outbox = attached(Outbox())
    for id in range(1000):
        outbox.pong(id)
        outbox.ping()
    assert taken(outbox) == [Pong(999), Ping(0)]


def test_the_end() -> None:
    """After close() what is queued goes out, then BYE, then nothing; talkers and waiters are told."""
    outbox = attached(Outbox())
    line = outbox.say("#a", "last")
    waiting = Task(outbox.wait_for)
    outbox.close("enough")
    assert not waiting.result()
    assert texts(packets := taken(outbox)) == ["last"]
    assert packets[-1] == Bye(False, "")
    assert outbox.take(PATIENCE) is None
    with pytest.raises(Closed, match="enough"):
        outbox.say("#a", "more")
    with pytest.raises(Closed):
        outbox.command("#a", "/more")
    assert outbox.pending() == [line]


def test_the_sender_is_woken() -> None:
    """A sender that waits gets what is said in that moment, and ends when the connection is gone."""
    outbox = attached(Outbox())
    sending = Task(lambda: outbox.take(PATIENCE))
    outbox.say("#a", "one")
    assert b"one" in (sending.result() or b"")
    assert outbox.take(0.001) == b""
    sending = Task(lambda: outbox.take(PATIENCE))
    outbox.detach()
    assert sending.result() is None
