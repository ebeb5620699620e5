"""A check of a server: what belongs to channels and conversations is there after a kill."""

from __future__ import annotations

from chatroom.events import Event, EventKind, Setting
from chatroom.packets import Channel, Form, Role
from tests.conformance.check import ensure
from tests.conformance.commands import both, channels, describe_all, do, join, role_in, say
from tests.conformance.room import Member, Room
from tests.conformance.server_direct import field, tell, until
from tests.conformance.server_lines import about
from tests.conformance.server_past import past, texts
from tests.conformance.wire import describe


def by_place(member: Member) -> dict[int, Channel]:
    """The CHANNELs of a greeting."""
    return {one.place: one for one in member.channels.values()}


@channels("E7", "O14", "O20", "J16", "J17", "J19", "R7", "F12", "S12", "B5", long=True)
def all_places_are_there_after_a_kill(room: Room) -> None:
    """After a kill each member has its channels with topic, settings and roles, its conversations, read
    markers, and lines as they were amended; only RESTARTED is new."""
    server = room.use_own_server("killed channels", needs="data")
    owner, other = both(room)
    first, second = owner.channel, join(owner, room.channel())
    join(other, second.name)
    moved = room.channel()
    do(owner, "J14", f"/move {moved}", second.name)
    for command in ("/topic lunch at noon", "/set moderated on", f"/voice {other.welcome.name}"):
        do(owner, "J17", command, moved)
    line = other.says_and_hears("helo")
    say(other, "hello", form=Form.EDIT, extra=about(line))
    owner.event(EventKind.EDITED, "F4")
    tell(owner, other, "between us")
    direct = until(other, "between us")[1]
    until(owner, "between us")
    do(other, "S10", f"/read {line.seq}", first)
    other.says_and_hears("the last line")
    owner.hears("the last line")
    server.kill()
    server.start()
    for member, role in ((owner, Role.OWNER), (other, Role.VOICE)):
        back = room.come_back(member, first)
        kinds = [one.kind for one in back.replay if isinstance(one, Event)]
        ensure(kinds == [EventKind.RESTARTED], "O14", "RESTARTED alone", describe_all(back.replay))
        found = by_place(back)
        ensure(found.keys() >= {line.place, second.place, direct.place}, "B5", "all places", sorted(found))
        channel = found[second.place]
        kept = (channel.name, channel.topic, channel.settings, channel.role)
        wanted = (moved, "lunch at noon", Setting.MODERATED, role)
        ensure(kept == wanted, "J19", f"name, topic, settings, role {wanted}", describe(channel))
        ensure(role_in(channel, owner.welcome.person) == Role.OWNER, "J17", "the owner", describe(channel))
        ensure(found[direct.place].settings == Setting.DIRECT, "R7", "DIRECT", describe(found[direct.place]))
        marked = {line.place: str(line.seq)} if member is other else {}
        ensure(back.marked == marked, "S12", f"READ {marked}", back.marked)
        events, _ = past(back, "/history 50", first, "F12")
        ensure(
            "hello" in texts(events) and "helo" not in texts(events), "F12", "the last text", texts(events)
        )
        if member is owner:
            owner = back
        else:
            tell(back, owner, "still between us")
            ensure(
                until(owner, "still between us")[1].place == direct.place,
                "R7",
                "the same place",
                field(owner),
            )
