"""Checks of a server: forms of lines, and lines that are edited, deleted and reacted to."""

from __future__ import annotations

from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Form
from tests.conformance.check import ensure
from tests.conformance.commands import (
    both,
    channels,
    describe_all,
    do,
    look,
    number,
    rows,
    say,
    say_refused,
)
from tests.conformance.room import Member, Room
from tests.conformance.server_direct import field, tell, three, to, until
from tests.conformance.wire import describe


def about(event: Event) -> bytes:
    """The row that says which line is meant."""
    return extra_row(Extra.MESSAGE, event.seq)


def amended(room: Room, line: Event) -> tuple[Event, list[Event]]:
    """The line as a newcomer gets it, and all that is about it."""
    events = [one for one in look(room, line.channel).replay if isinstance(one, Event)]
    found = [one for one in events if one.seq == line.seq]
    ensure(len(found) == 1, "F12", f"the line {line.seq} once", describe_all(events))
    return found[0], [one for one in events if number(one, Extra.MESSAGE) == line.seq]


def nothing_is_told(member: Member, rule: str) -> None:
    """Fail when an event comes before the member's next line."""
    found = [one for one in member.up_to_fence() if isinstance(one, Event)]
    ensure(not found, rule, "no event", describe_all(found))


@channels("F1", "F2", "F3", "P58")
def forms_of_lines(room: Room) -> None:
    """SAID has the form and what the line answers, and no other row of the SAY."""
    owner, other = both(room)
    first = owner.says_and_hears("a question")
    reply, unknown = extra_row(Extra.REPLY_TO, first.seq), extra_row(200, b"x")
    for form, extra, expected in (
        (Form.ACT, b"", {Extra.FORM: bytes([Form.ACT])}),
        (Form.BOT, reply, {Extra.FORM: bytes([Form.BOT]), Extra.REPLY_TO: reply[2:]}),
        (Form.SAY, reply + unknown, {Extra.REPLY_TO: reply[2:]}),
        (Form.SAY, extra_row(Extra.EDITED, 1), {}),
    ):
        id = say(owner, f"form {form}", form=form, extra=extra)
        event = other.event(EventKind.SAID, "F1", id=id)
        rule = "F1" if form else "F3"
        ensure(rows(event) == expected, rule, f"the rows {expected}", describe(event))


@channels("F4", "F5", "F12", "F13", "E5", "S5", "S6")
def a_line_is_edited(room: Room) -> None:
    """EDITED goes to all who got the line, ends the SAY, and later replays have the last text alone."""
    owner, other = both(room)
    line = other.says_and_hears("helo")
    for text in ("hallo", "hello"):
        id = say(other, text, form=Form.EDIT, extra=about(line))
        for member in (owner, other):
            event = member.event(EventKind.EDITED, "F4")
            good = (event.text, event.id, event.person, number(event, Extra.MESSAGE))
            wanted = (text, id, other.welcome.person, line.seq)
            ensure(good == wanted, "F5", f"text, id, person, MESSAGE {wanted}", describe(event))
            ensure(
                (event.place, event.channel) == (line.place, line.channel),
                "F4",
                "the place of the line",
                describe(event),
            )
        last = event.seq
    copy, edits = amended(room, line)
    ensure(copy.text == "hello", "F12", "the last text", describe(copy))
    ensure(number(copy, Extra.EDITED) == last, "F12", f"EDITED {last}", describe(copy))
    ensure(
        (copy.id, copy.person, copy.time) == (line.id, line.person, line.time),
        "F12",
        "else as it was",
        describe(copy),
    )
    packets = owner.give("/grep hello")[0] + owner.give("/grep helo")[0]
    found = [one.text for one in packets if isinstance(one, Event) and one.kind is EventKind.SAID]
    ensure(found == ["hello"], "S6", "the line found by its last text alone", found)
    texts = [one.text for one in edits if one.kind is EventKind.EDITED]
    ensure(texts == ["", "hello"], "F13", "the text of the latest EDITED alone", describe_all(edits))


@channels("F4", "F5", "F12", "F13", "F11", "S6")
def a_line_is_deleted(room: Room) -> None:
    """DELETED goes to all; later replays have nothing of the text, and nobody edits or deletes the line
    again."""
    owner, other = both(room)
    line = other.says_and_hears("my secret")
    say(other, "my other secret", form=Form.EDIT, extra=about(line))
    owner.event(EventKind.EDITED, "F4")
    id = say(other, "", form=Form.DELETE, extra=about(line))
    for member in (owner, other):
        event = member.event(EventKind.DELETED, "F4", id=id)
        ensure(
            number(event, Extra.MESSAGE) == line.seq and not event.text,
            "F4",
            "MESSAGE, no text",
            describe(event),
        )
    copy, others = amended(room, line)
    ensure(
        copy.text == "" and number(copy, Extra.DELETED) == event.seq,
        "F12",
        "no text, and DELETED",
        describe(copy),
    )
    ensure(
        all("secret" not in one.text for one in others), "F13", "nothing of the texts", describe_all(others)
    )
    packets, _ = owner.give("/history 50")
    packets += owner.give("/grep secret")[0] + owner.give(f"/context {line.seq}")[0]
    texts = [one.text for one in packets if isinstance(one, Event)]
    ensure(not any("secret" in text for text in texts), "S6", "nothing of the text by a command", texts)
    for form, text in ((Form.EDIT, "again"), (Form.REACT, "👍")):
        say_refused(other, Code.NO_SUCH_MESSAGE, "F11", text, form=form, extra=about(line))
    say_refused(other, Code.ALREADY, "F11", "", form=Form.DELETE, extra=about(line))


@channels("F6", "F7", "E10")
def lines_of_others(room: Room) -> None:
    """Only the author edits a line; who is no operator deletes only its own; an operator may delete any."""
    owner, other = both(room)
    owners, others = owner.says_and_hears("by the owner"), other.says_and_hears("by the other")
    owner.hears("by the other")
    other_refusals = ((other, owners, Form.EDIT), (other, owners, Form.DELETE), (owner, others, Form.EDIT))
    for member, line, form in other_refusals:
        text = "" if form is Form.DELETE else "not mine"
        say_refused(member, Code.NEED_ROLE, "F7", text, form=form, extra=about(line))
    for member in (owner, other):
        nothing_is_told(member, "F7")
        (owner if member is other else other).event(EventKind.SAID, "O1")
    say(owner, "", form=Form.DELETE, extra=about(others))
    event = other.event(EventKind.DELETED, "F6", person=owner.welcome.person)
    ensure(number(event, Extra.MESSAGE) == others.seq, "F6", f"MESSAGE {others.seq}", describe(event))


@channels("F9", "F4", "F5", "F10")
def reactions(room: Room) -> None:
    """Who gets a line may react to it; all who got it are told."""
    owner, other = both(room)
    line = owner.says_and_hears("good news")
    id = say(other, "🎉", form=Form.REACT, extra=about(line))
    for member in (owner, other):
        event = member.event(EventKind.REACTED, "F9", id=id, person=other.welcome.person)
        good = (event.text, number(event, Extra.MESSAGE)) == ("🎉", line.seq)
        ensure(good, "F4", f"the reaction, and MESSAGE {line.seq}", describe(event))
    for text in ("x" * 65, ""):
        say_refused(other, Code.BAD_ARGUMENTS, "F10", text, form=Form.REACT, extra=about(line))


@channels("F10", "F11", "C6", "E10", "C27")
def lines_that_do_not_exist(room: Room) -> None:
    """Without MESSAGE comes BAD_ARGUMENTS; for no line, or one of another place, NO_SUCH_MESSAGE."""
    owner, other = both(room)
    stranger = room.enter()
    elsewhere = stranger.says_and_hears("elsewhere")
    here = other.says_and_hears("here")
    joined = owner.event(EventKind.SAID, "O1")._replace(seq=1)
    for form in (Form.EDIT, Form.DELETE, Form.REACT):
        text = "" if form is Form.DELETE else "x"
        say_refused(other, Code.BAD_ARGUMENTS, "F10", text, form=form)
        short = extra_row(Extra.MESSAGE, 1, 7)
        say_refused(other, Code.BAD_ARGUMENTS, "F10", text, form=form, extra=short)
        for line in (elsewhere, here._replace(seq=2**62), joined, here._replace(seq=0)):
            say_refused(other, Code.NO_SUCH_MESSAGE, "F11", text, form=form, extra=about(line))
    nothing_is_told(other, "F11")


@channels("F4", "F7", "F12", "R4", "R3")
def direct_lines_are_edited(room: Room) -> None:
    """EDITED of a direct line goes to the two alone, with RECEIVER; the other one may not edit it."""
    first, second, third = three(room)
    tell(first, second, "helo")
    line = until(second, "helo")[1]
    until(first, "helo")
    say(first, "hello", field(second), form=Form.EDIT, extra=to(second) + about(line))
    for member in (first, second):
        event = member.event(EventKind.EDITED, "F4", place=line.place)
        ensure(number(event, Extra.RECEIVER) == second.welcome.person, "R3", "RECEIVER", describe(event))
    extra = to(first) + about(line)
    say_refused(second, Code.NEED_ROLE, "F7", "not mine", field(first), form=Form.EDIT, extra=extra)
    nothing_is_told(third, "R4")
    second.abort()
    back = room.come_back(second, since=0, time=0, identity=bytes(16), lines=50)
    copies = [one for one in back.replay if isinstance(one, Event) and one.seq == line.seq]
    ensure([one.text for one in copies] == ["hello"], "F12", "the last text", describe_all(copies))


@channels("F5", "E4", "C2", "F4")
def an_edit_that_is_sent_again(room: Room) -> None:
    """A form is applied once, as a line is: the same id again gets ALREADY, and nothing is told twice."""
    owner, other = both(room)
    line = other.says_and_hears("helo")
    owner.hears("helo")
    id = say(other, "hello", form=Form.EDIT, extra=about(line))
    other.event(EventKind.EDITED, "F5", id=id)
    owner.event(EventKind.EDITED, "F4", id=id)
    other.last_id = id - 1
    say_refused(other, Code.ALREADY, "E4", "hello", form=Form.EDIT, extra=about(line))
    other.last_id = id
    nothing_is_told(owner, "E4")


@channels("F4", "F11", "P57")
def the_message_decides_where(room: Room) -> None:
    """An edit acts in the place of its line, whatever channel the SAY names."""
    first, second = room.channel(), room.channel()
    author, other = room.enter(None, first, second), room.enter(None, first)
    say(author, "helo", first)
    line = other.hears("helo")
    id = say(author, "hello", second, form=Form.EDIT, extra=about(line))
    edited = other.event(EventKind.EDITED, "F4", id=id)
    where = (edited.place, edited.channel)
    ensure(where == (line.place, first), "F4", f"place {line.place}, {first}", describe(edited))


@channels("F15", "J6")
def lines_of_a_channel_that_one_has_left(room: Room) -> None:
    """Who has left the channel changes nothing in it: NOT_IN."""
    _, other = both(room)
    line = other.says_and_hears("mine")
    channel = other.channel
    do(other, "J6", "/leave", channel)
    for form, text in ((Form.EDIT, "x"), (Form.REACT, "👍")):
        say_refused(other, Code.NOT_IN, "F15", text, channel, form=form, extra=about(line))
