"""client/pending_lines.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import Closed, ConnectionLost, NeedEncryption
from chatroom.limits import MAX_TEXT
from chatroom.outcomes import Code
from chatroom.packets import Bye, Command, Decoder, Packet, Ping, Pong, Say
from client.limits import MAX_COMMANDS, MAX_PENDING, PENDING_BYTES, SEND_BYTES
from client.line import Line
from client.pending_lines import PendingLines
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


def attached(pending: PendingLines) -> PendingLines:
    pending.attach()
    pending.open()
    return pending


def taken(pending: PendingLines) -> list[Packet]:
    """All packets that the sender would send now."""
    decoder, packets = Decoder(), []
    while data := pending.take(0.0):
        packets += decoder.feed(data)
    return packets


def texts(packets: list[Packet]) -> list[str]:
    return [packet.text for packet in packets if isinstance(packet, Say | Command)]


def test_lines_and_commands_go_out_in_the_order_in_which_they_were_given() -> None:
    """One queue for both; ids rise by one and fit into 63 bits."""
    pending = attached(PendingLines())
    first = pending.say("#a", "one")
    pending.command("#a", "/me waves")
    pending.say("#a", "two")
    packets = taken(pending)
    assert texts(packets) == ["one", "/me waves", "two"]
    assert [packet.id for packet in packets] == [first.id, first.id + 1, first.id + 2]
    assert 0 < first.id < 2**63 - 2**61


def test_nothing_is_said_before_the_replay_is_over() -> None:
    """Signs of life go out at once, lines only after `open`."""
    pending = PendingLines()
    pending.say("#a", "one")
    pending.attach()
    pending.pong(5)
    assert taken(pending) == [Pong(5)]
    pending.open()
    assert texts(taken(pending)) == ["one"]


def test_a_new_connection_gets_exactly_what_is_not_settled_in_order() -> None:
    """All lines that are neither stored nor refused are sent again, and no others, in order."""
    pending = attached(PendingLines())
    lines = [pending.say("#a", f"{number}") for number in range(6)]
    taken(pending)
    pending.confirm([lines[0].id])
    pending.detach()
    late = pending.say("#a", "late")
    pending.attach()
    pending.confirm([lines[2].id])
    pending.refuse(lines[4].id, "not stored")
    pending.open()
    assert texts(taken(pending)) == ["1", "3", "5", "late"]
    assert [line.stored for line in lines] == [True, False, True, False, False, False]
    assert pending.pending() == [lines[1], lines[3], lines[5], late]


def test_each_line_is_settled_alone() -> None:
    """A stored line says nothing about those before it: their refusals may still come."""
    pending = attached(PendingLines())
    first, second = pending.say("#a", "one"), pending.say("#a", "two")
    pending.confirm([second.id, second.id, 0])
    assert (first.stored, second.stored) == (False, True)
    assert second.wait(0) and not first.wait(0) and not pending.wait_for(timeout=0)
    pending.answer(first.id, Code.MUTED, "you are muted")
    assert (first.stored, first.refused) == (False, "you are muted")
    assert pending.wait_for(timeout=0)


def test_a_command_is_sent_once_and_keeps_its_place() -> None:
    """A command that waited goes out between the lines around it; one that was sent is not repeated."""
    pending = attached(PendingLines())
    pending.command("#a", "/sent")
    pending.say("#a", "one")
    taken(pending)
    pending.detach()
    pending.command("#a", "/waits")
    pending.say("#a", "two")
    attached(pending)
    assert texts(taken(pending)) == ["one", "/waits", "two"]


def test_a_line_that_is_followed() -> None:
    """A command that says a line: typed, sent, and back when its event has come; then it is answered."""
    pending = attached(PendingLines())
    steps = pending.follow("#a", "/trace hello")
    other = pending.say("#a", "one")
    (command, _) = taken(pending)
    assert isinstance(command, Command) and command.id == steps.id
    pending.confirm([other.id])
    assert [step for _, _, step in steps.rows()] == ["typed", "handed"]
    pending.confirm([steps.id])
    pending.answer(steps.id, Code.OK, "")
    pending.confirm([steps.id])
    rows = steps.rows()
    assert [step for _, _, step in rows] == ["typed", "handed", "came"]
    assert rows[0][:2] == (0, "MainThread") and [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert not pending._followed


def test_a_line_that_is_followed_and_lost() -> None:
    """Nothing is kept of it when its connection has ended, or the client."""
    pending = attached(PendingLines())
    pending.follow("#a", "/trace sent")
    taken(pending)
    pending.follow("#a", "/trace waits")
    pending.detach()
    pending.forget_asked()
    assert len(pending._followed) == 1
    pending.give_up()
    assert not pending._followed


def test_what_the_replay_confirms_is_not_sent_again() -> None:
    """An own event between WELCOME and LIVE takes its line out of the queue."""
    pending = PendingLines()
    lines = [pending.say("#a", f"{number}") for number in range(3)]
    pending.attach()
    pending.confirm([lines[0].id, lines[1].id])
    pending.open()
    assert texts(taken(pending)) == ["2"]


def test_a_refused_line_is_settled_but_not_stored() -> None:
    """A refused line has the server's reason, and wait() and flush() do not wait for it."""
    pending = attached(PendingLines())
    line, other = pending.say("#a", "one"), pending.say("#a", "two")
    pending.refuse(line.id, "you are muted")
    pending.refuse(line.id, "again")
    assert not line.wait(0)
    assert (line.stored, line.refused) == (False, "you are muted")
    assert pending.pending() == [other]
    pending.confirm([other.id])
    assert (line.stored, other.stored) == (False, True)
    assert pending.wait_for(timeout=0)


def test_waiting_for_a_line() -> None:
    """`wait` and `flush` end when the confirmation comes, or say that it did not come in time."""
    pending = attached(PendingLines())
    line = pending.say("#a", "one")
    assert not line.wait(0.01)
    assert not pending.wait_for(timeout=0.01)
    waiting, flushing = Task(line.wait), Task(pending.wait_for)
    pending.confirm([line.id])
    assert waiting.result()
    assert flushing.result()


def test_say_waits_while_too_much_is_pending() -> None:
    """The number and the bytes of pending lines are bounded; a confirmation makes room."""
    pending = attached(PendingLines())
    lines = [pending.say("#a", "x", timeout=0) for _ in range(MAX_PENDING)]
    with pytest.raises(TimeoutError):
        pending.say("#a", "one more", timeout=0)
    waiting = Task(lambda: pending.say("#a", "one more", timeout=PATIENCE))
    pending.confirm([lines[0].id])
    assert waiting.result().text == "one more"
    pending = attached(PendingLines())
    with pytest.raises(TimeoutError):
        for _ in range(MAX_PENDING):
            pending.say("#a", "x" * MAX_TEXT, timeout=0)
    assert PENDING_BYTES / 2 < sum(len(line.text) for line in pending.pending()) < PENDING_BYTES * 2


@pytest.mark.parametrize("sent", [False, True])
def test_commands_are_bounded_too(sent: bool) -> None:
    """command() raises TimeoutError while MAX_COMMANDS wait to be sent or answered."""
    pending = attached(PendingLines())
    ids = [pending.command("#a", "/who") for _ in range(MAX_COMMANDS)]
    assert not sent or len(taken(pending)) == MAX_COMMANDS
    with pytest.raises(TimeoutError):
        pending.command("#a", "/who")
    taken(pending)
    pending.answer(ids[7], Code.OK, "")
    pending.command("#a", "/who")


def test_commands_without_an_answer() -> None:
    """Those that were sent and not answered are known, once; those that wait are sent later."""
    pending = attached(PendingLines())
    answered, sent = pending.command("#a", "/answered"), pending.command("#a", "/sent")
    taken(pending)
    waits = pending.command("#a", "/waits")
    assert all(map(pending.awaits, (answered, sent))) and not pending.awaits(waits)
    pending.answer(answered, Code.NEED_ROLE, "you may not")
    assert not pending.awaits(answered)
    pending.detach()
    assert [(command.id, command.text) for command in pending.forget_asked()] == [(sent, "/sent")]
    assert pending.forget_asked() == []
    assert texts(taken(attached(pending))) == ["/waits"]


@given(st.lists(st.sampled_from(["say", "command", "send", "settle", "refuse", "reconnect"]), max_size=60))
def test_whatever_happens_each_line_is_sent_until_it_is_settled(steps: list[str]) -> None:
    """After each reconnect exactly the unsettled lines and the unsent commands go out, in order."""
    pending = attached(PendingLines())
    unsettled: list[Line] = []
    unsent: list[int] = []
    for step in [*steps, "reconnect", "send"]:
        if step == "say":
            unsettled.append(pending.say("#a", "line"))
            unsent.append(unsettled[-1].id)
        elif step == "command":
            unsent.append(pending.command("#a", "/who"))
        elif step == "send":
            assert [packet.id for packet in taken(pending) if isinstance(packet, Say | Command)] == unsent
            unsent = []
        elif step == "reconnect":
            pending.detach()
            pending.forget_asked()
            attached(pending)
            unsent = sorted({*unsent, *(line.id for line in unsettled)})
        elif unsettled:
            line = unsettled.pop(len(steps) % len(unsettled))
            unsent = [id for id in unsent if id != line.id]
            pending.answer(line.id, Code.ALREADY if step == "settle" else Code.MUTED, "muted")
            assert (line.stored, line.refused) == ((True, None) if step == "settle" else (False, "muted"))
        assert pending.pending() == unsettled


@pytest.mark.parametrize("text", ["", "x" * (MAX_TEXT + 1), "\ud800"], ids=["empty", "too long", "surrogate"])
def test_what_cannot_be_sent_is_not_queued(text: str) -> None:
    """A text that no packet can hold is a ValueError at once and leaves nothing behind."""
    pending = attached(PendingLines())
    with pytest.raises(ValueError):
        pending.say("#a", text)
    assert not pending.pending()
    assert not taken(pending)


def test_one_send_carries_many_lines_but_not_all() -> None:
    """What waits is joined up to a bound, so that a backlog is not copied at once."""
    pending = attached(PendingLines())
    for _ in range(MAX_PENDING):
        pending.say("#a", "x" * 20)
    sizes = []
    while data := pending.take(0.0):
        sizes.append(len(data))
    assert len(sizes) > 1
    assert all(SEND_BYTES <= size < SEND_BYTES + 100 for size in sizes[:-1])


def test_signs_of_life_do_not_pile_up() -> None:
    """Only the latest of many PINGs is answered, so that a flood of them uses no memory."""
    pending = attached(PendingLines())
    for id in range(1000):
        pending.pong(id)
        pending.ping()
    assert taken(pending) == [Pong(999), Ping(0)]


def test_the_end() -> None:
    """After close() the queued lines go out, then BYE, then nothing; talkers and waiters are woken."""
    pending = attached(PendingLines())
    line = pending.say("#a", "last")
    waiting = Task(pending.wait_for)
    pending.close("enough")
    assert not waiting.result()
    assert texts(packets := taken(pending)) == ["last"]
    assert packets[-1] == Bye(False, Code.GOODBYE, "")
    assert pending.take(PATIENCE) is None
    with pytest.raises(Closed, match="enough"):
        pending.say("#a", "more")
    with pytest.raises(Closed):
        pending.command("#a", "/more")
    assert pending.pending() == [line]


def test_the_sender_is_woken() -> None:
    """A waiting sender gets a new line at once, and ends when the connection has ended."""
    pending = attached(PendingLines())
    sending = Task(lambda: pending.take(PATIENCE))
    pending.say("#a", "one")
    assert b"one" in (sending.result() or b"")
    assert pending.take(0.001) == b""
    sending = Task(lambda: pending.take(PATIENCE))
    pending.detach()
    assert sending.result() is None


# --- passwords and logins ----------------------------------------------------------------------------------


def secure(pending: PendingLines) -> PendingLines:
    pending.attach(secure=True)
    pending.open()
    return pending


def test_a_password_goes_only_over_a_connection_that_keeps_it() -> None:
    """Neither over one that others can read, nor over one that is still to come."""
    pending = PendingLines()
    with pytest.raises(ConnectionLost, match="do not wait"):
        pending.command("#a", "/register secret")
    attached(pending)
    with pytest.raises(NeedEncryption):
        pending.command("#a", "/register secret")
    pending.command("#a", "/register")
    secure(pending).command("#a", "/passwd old new")
    assert texts(taken(pending)) == ["/register", "/passwd old new"]


def test_a_password_that_was_not_sent_in_time_is_not_sent_at_all() -> None:
    """The next connection may be another one: who typed it is told, and without the password."""
    pending = PendingLines()
    pending.attach(secure=True)
    id = pending.command("#a", "/register secret")
    other = pending.command("#a", "/who secret")
    pending.detach()
    assert [(lost.id, lost.text) for lost in pending.forget_asked()] == [(id, "/register \u2026")]
    assert [packet.id for packet in taken(secure(pending)) if isinstance(packet, Command)] == [other]


def test_what_waits_shows_no_password() -> None:
    """Neither a command that was sent, nor the object itself."""
    pending = secure(PendingLines())
    id = pending.command("#a", "/register secret")
    taken(pending)
    asked = pending.asked(id)
    assert asked is not None and asked.text == "/register \u2026"
    assert "secret" not in repr(asked) + repr(pending)
    pending.answer(id, Code.OK, "")
    assert pending.asked(id) is None


def test_a_login_waits_for_what_is_on_its_way() -> None:
    """Nothing more is sent; what was sent is settled first, lines and commands."""
    pending = attached(PendingLines())
    line, id = pending.say("#a", "one"), pending.command("#a", "/who")
    taken(pending)
    holding = Task(lambda: pending.hold(PATIENCE))
    late = pending.say("#a", "late")
    pending.pong(5)
    eventually(lambda: pending._held, "it does not hold")
    assert taken(pending) == [Pong(5)]
    pending.confirm([line.id])
    assert holding.is_alive()
    pending.answer(id, Code.OK, "")
    assert holding.result() is True
    assert taken(pending) == []
    pending.part(1)
    assert taken(pending) == [Bye(False, Code.GOODBYE, "")]
    assert pending.take(PATIENCE) is None
    pending.detach()
    assert texts(taken(attached(pending))) == ["late"]
    assert pending.pending() == [late]
    pending.part(1)  # too late: that connection is gone
    assert taken(pending) == [] and pending.take(0.0) == b""


def test_a_login_that_fails_sends_what_waits() -> None:
    """The connection goes on as before."""
    pending = attached(PendingLines())
    assert pending.hold(0.0) is True
    pending.say("#a", "one")
    assert taken(pending) == []
    pending.go_on()
    assert texts(taken(pending)) == ["one"]


@pytest.mark.parametrize("why", ["slow", "lost", "before LIVE"])
def test_a_login_that_cannot_wait_holds_nothing(why: str) -> None:
    """When what is on its way is not settled, or its fate is not known yet, there is no change."""
    pending = PendingLines() if why == "before LIVE" else attached(PendingLines())
    if why == "before LIVE":
        pending.attach()
    pending.say("#a", "one")
    taken(pending)
    holding = Task(lambda: pending.hold(PATIENCE if why == "lost" else 0.01))
    if why == "lost":
        eventually(lambda: pending._held, "it does not hold")
        pending.detach()
    assert holding.result() is False
    assert texts(taken(attached(pending))) == ["one"]


def test_a_login_before_the_replay_is_over() -> None:
    """It waits for LIVE, and no longer."""
    pending = PendingLines()
    pending.attach()
    holding = Task(lambda: pending.hold(10 * PATIENCE))
    eventually(lambda: pending._held, "it does not hold")
    pending.open()
    assert holding.result() is True


def test_closing_during_a_login() -> None:
    """Who leaves while a login waits still says what was typed."""
    pending = attached(PendingLines())
    assert pending.hold(0.0) is True
    pending.say("#a", "one")
    pending.close()
    packets = taken(pending)
    assert texts(packets) == ["one"] and packets[-1] == Bye(False, Code.GOODBYE, "")
