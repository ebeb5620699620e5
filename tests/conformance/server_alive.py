"""Checks of a server: silent members, and members that do not read."""

from __future__ import annotations

import time
from functools import partial

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_TEXT
from chatroom.outcomes import Code
from chatroom.packets import Bye, Resumed
from tests.conformance.check import Failed, Level, Role, check, ensure
from tests.conformance.room import SHORT_DEAD_AFTER, Room
from tests.conformance.server_talk import two
from tests.conformance.wire import describe

full = partial(check, role=Role.SERVER, level=Level.FULL)

STALL_SECONDS = 10.0
FILL_LINES = 160
"""Lines of MAX_TEXT that surely fill all buffers between server and member."""


@full("D1", "D2", "D3", "O11", long=True)
def a_silent_member_counts_as_dead(room: Room) -> None:
    """A server pings, and closes when it has received nothing for DEAD_AFTER; the member is held."""
    room.use_own_server("alive", needs="dead_after", dead_after=SHORT_DEAD_AFTER)
    silent, other = two(room)
    silent.pongs = False
    began = time.monotonic()
    while silent.socket.fileno() >= 0:
        other.pulse()
        if silent.pulse():
            break
        late = time.monotonic() - began > SHORT_DEAD_AFTER + room.seconds
        ensure(not late, "D3", f"the end after {SHORT_DEAD_AFTER:g} s of silence", "nothing")
    took = time.monotonic() - began
    ensure(silent.pings > 0, "D1", "PING", "none")
    ensure(
        took > SHORT_DEAD_AFTER * 0.8,
        "D3",
        f"patience for {SHORT_DEAD_AFTER:g} s",
        f"the end after {took:.2f} s",
    )
    for packet in other.up_to_fence():
        ensure(not isinstance(packet, Event), "O11", "no event", describe(packet))


@full("D1", "D3", long=True)
def a_quiet_member_stays(room: Room) -> None:
    """A member that says nothing but answers PING stays; PING comes in each third of DEAD_AFTER."""
    room.use_own_server("alive", needs="dead_after", dead_after=SHORT_DEAD_AFTER)
    member = room.enter()
    began = time.monotonic()
    while time.monotonic() - began < 2.5 * SHORT_DEAD_AFTER:
        ensure(not member.pulse(), "D3", "a connection that goes on", "its end")
    ensure(
        member.pings >= 4,
        "D1",
        "PING in each third of DEAD_AFTER",
        f"{member.pings} in {2.5 * SHORT_DEAD_AFTER:g} s",
    )
    member.is_alive("D3")


@full("D5", "D6", "C19", long=True)
def a_member_that_does_not_read(room: Room) -> None:
    """It is disconnected, the others do not wait for it, and it gets the rest when it comes back."""
    room.use_own_server("slow")
    talker = room.enter()
    talker.joined()
    lazy = room.enter(None, talker.channel)
    lazy.joined()
    text = "x" * (MAX_TEXT - 8)
    began = time.monotonic()
    for number in range(FILL_LINES):
        talker.say(f"{number:7} {text}")
        talker.event(EventKind.SAID, "D5")
        talker.log.clear()
    spoken = time.monotonic() - began
    ensure(
        spoken < STALL_SECONDS + room.seconds,
        "D5",
        "that the others need not wait",
        f"{spoken:.1f} s for {FILL_LINES} lines",
    )
    while time.monotonic() - began < spoken + STALL_SECONDS + 2.0:  # its socket took bytes until then
        talker.pulse()
    talker.is_alive("D5")
    packets = _read_to_the_end(lazy, room)
    lazy.log.clear()
    last = packets[-1] if packets else None
    if isinstance(last, Bye):
        ensure(last.code == Code.TOO_SLOW, "C19", "TOO_SLOW", describe(last))
        ensure(last.again, "D5", "again 1", describe(last))
    got = sum(isinstance(one, Event) for one in packets)
    ensure(got < FILL_LINES, "D5", "a disconnection before all lines were sent", f"all {got} lines")
    back = room.come_back(lazy)
    back.log.clear()
    ensure(back.welcome.resumed is Resumed.EXACT, "D6", "EXACT", back.welcome.resumed.name)
    ensure(got + len(back.said) == FILL_LINES, "D6", f"the other {FILL_LINES - got} lines", len(back.said))


def _read_to_the_end(member: object, room: Room) -> list[object]:
    """The packets that the member still gets. The stream may end in the middle of one."""
    packets: list[object] = []
    deadline = time.monotonic() + 4 * room.seconds
    while time.monotonic() < deadline:
        try:
            packet = member.take(room.seconds)  # type: ignore[attr-defined]
        except Failed as failed:
            if "H4" in failed.rules:
                return packets
            raise
        if packet is None:
            return packets
        packets.append(packet)
    raise Failed("the end of the connection", f"none, after {len(packets)} packets", "D5")
