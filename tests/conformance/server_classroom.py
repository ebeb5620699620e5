"""Checks of a server: hands, turns, polls and questions of a class."""

from __future__ import annotations

from chatroom.events import Event, EventKind, Extra, Setting
from chatroom.outcomes import Code
from tests.conformance.check import ensure
from tests.conformance.commands import (
    describe_all,
    do,
    join,
    look,
    moderation,
    refused,
    rows,
    say,
    say_refused,
    tell_all,
)
from tests.conformance.room import Member, Room
from tests.conformance.server_moderation import crew, is_about
from tests.conformance.server_rights import is_set
from tests.conformance.wire import describe


def hands(member: Member, channel: str) -> list[str]:
    """The names of those whose hands are up."""
    return [str(name) for name in do(member, "I2", "/hands", channel)[2:]]


@moderation("I1", "I2", "I3", "I4", "I5", "J22")
def hands_are_raised(room: Room) -> None:
    """In a hushed channel members raise their hands, all are told, and /hands has them in order; /hush off
    takes them down."""
    owner, first, second = crew(room)
    channel = owner.channel
    do(owner, "I1", "/hush")
    is_set(first, Setting.MODERATED)
    say_refused(first, Code.NEED_ROLE, "J22", "not said", channel)
    for member, others in ((second, (owner, first)), (first, (owner, second))):
        for hand in tell_all(member, others, EventKind.HAND, "I3", "/hand", channel):
            good = hand.person == member.welcome.person and Extra.REMOVED not in rows(hand)
            ensure(good, "I3", f"HAND of {member.name} without REMOVED", describe(hand))
    refused(first, Code.ALREADY, "I4", "/hand", channel)
    names = [second.welcome.name, first.welcome.name]
    found = hands(owner, channel)
    ensure(found == names, "I2", f"the hands {names}", found)
    for hand in tell_all(second, (owner, first), EventKind.HAND, "I3", "/hand down", channel):
        ensure(rows(hand).get(Extra.REMOVED) == b"\1", "I3", "REMOVED", describe(hand))
    refused(second, Code.ALREADY, "I4", "/hand down", channel)
    ensure(hands(owner, channel) == names[1:], "I2", f"the hands {names[1:]}", "others")
    do(owner, "I1", "/hush off")
    is_set(first, Setting.MODERATED, False)
    ensure(hands(owner, channel) == [], "I1", "no hands", "some")
    refused(first, Code.NEED_ROLE, "I1", "/hush", channel)


@moderation("I7", "I8", "I9", "I10", "I1")
def turns(room: Room) -> None:
    """/next gives the first hand voice and CALLED says so; the one before loses its voice again; an empty
    queue ends the turn."""
    owner, first, second, third = crew(room, 3)
    channel = owner.channel
    do(owner, "I1", "/hush")
    for member in (first, second, third):
        do(member, "I3", "/hand", channel)
    third.leave()
    owner.event(EventKind.QUIT, "O10", person=third.welcome.person)
    ensure(hands(owner, channel) == [first.welcome.name, second.welcome.name], "I10", "two hands", "others")
    before = None
    for member in (first, second):
        for called in tell_all(owner, (first, second), EventKind.CALLED, "I7", "/next"):
            is_about(called, member, "I7")
        say(member, f"my turn: {member.name}", channel)
        owner.hears(f"my turn: {member.name}", "I7")
        if before is not None:
            say_refused(before, Code.NEED_ROLE, "I8", "not any more", channel)
        before = member
    for called in tell_all(owner, (first, second), EventKind.CALLED, "I9", "/next"):
        ensure(not called.extra, "I9", "CALLED without rows", describe(called))
    say_refused(second, Code.NEED_ROLE, "I9", "not any more", channel)
    refused(owner, Code.ALREADY, "I9", "/next")
    refused(first, Code.NEED_ROLE, "J18", "/next", channel)


@moderation("I10", "I8", "I1")
def a_turn_ends_with_the_stay(room: Room) -> None:
    """Who leaves or is kicked loses the turn and the voice that it gave; so it is after /hush off."""
    owner, first, second, third = crew(room, 3)
    channel = owner.channel
    do(owner, "I1", "/hush")
    for member, command in ((first, "/leave"), (second, f"/kick {second.welcome.name}")):
        do(member, "I3", "/hand", channel)
        do(owner, "I7", "/next")
        do(member if command == "/leave" else owner, "I10", command, channel)
        join(member, channel)
        say_refused(member, Code.NEED_ROLE, "I10", "not any more", channel)
    do(third, "I3", "/hand", channel)
    do(owner, "I7", "/next")
    do(owner, "I1", "/hush off")
    do(owner, "I1", "/hush")
    say_refused(third, Code.NEED_ROLE, "I1", "not any more", channel)


@moderation("I5", "I11", "I12", "I13", "I14", "I15")
def a_poll(room: Room) -> None:
    """POLL has the question; votes may be changed, nobody is told of them; REVEALED has the numbers and ends
    the poll."""
    owner, first, second, watcher = crew(room, 3)
    channel = owner.channel
    do(owner, "I1", "/hush")
    refused(first, Code.NEED_ROLE, "J18", "/poll lunch? | yes | no", channel)
    question = "lunch at noon? | yes | no | perhaps"
    for poll in tell_all(owner, (first, second), EventKind.POLL, "I11", f"/poll {question}"):
        found = (poll.text, poll.person)
        ensure(found == (question, owner.welcome.person), "I11", "question and author", describe(poll))
    say(owner, "vote!")
    for member in (owner, first, second, watcher):
        member.hears("vote!")
    for member, choice in ((first, 1), (second, 3), (first, 2), (second, 2), (owner, 1)):
        do(member, "I5", f"/vote {choice}", channel)
    for wrong in ("0", "4", "99999999999999999999"):
        refused(first, Code.BAD_ARGUMENTS, "I14", f"/vote {wrong}", channel)
    told = [one for one in watcher.up_to_fence() if isinstance(one, Event)]
    ensure(not told, "I12", "no event of a vote", describe_all(told))
    shown_to = do(first, "I12", "/poll", channel)
    names = [owner.welcome.name, second.welcome.name]
    ensure(not any(name in str(shown_to) for name in names), "I12", "no name of a voter", shown_to)
    for shown in tell_all(owner, (first, second), EventKind.REVEALED, "I15", "/reveal"):
        ensure(shown.text == question, "I15", "the question", describe(shown))
        votes = rows(shown).get(Extra.VOTES)
        ensure(votes == bytes((0, 1, 0, 2, 0, 0)), "I13", "VOTES 1, 2, 0", describe(shown))
    refused(first, Code.TOO_LATE, "I15", "/vote 1", channel)


@moderation("I5", "I16", "I17")
def a_question_without_a_name(room: Room) -> None:
    """ASKED says nothing of who asks, live or in a replay; the next question has to wait."""
    owner, first, second = crew(room)
    channel = owner.channel
    owner.says_and_hears("questions?")
    do(owner, "I1", "/hush")
    before, answer = first.give("/ask why is it so?", channel)
    ensure(answer.code == Code.OK, "I5", "OK to /ask", describe(answer))
    found = [one for one in before if isinstance(one, Event) and one.kind is EventKind.ASKED]
    found += [member.event(EventKind.ASKED, "I16") for member in (owner, second)]
    replay = look(room, channel).replay
    found += [one for one in replay if isinstance(one, Event) and one.kind is EventKind.ASKED]
    ensure(len(found) == 4, "I16", "ASKED for all, and in the replay", describe_all(found))
    for asked in found:
        came = (asked.text, asked.author, asked.person, asked.id, asked.extra)
        ensure(came == ("why is it so?", "", 0, 0, b""), "I16", "the text alone", describe(asked))
    refused(first, Code.SLOW_DOWN, "I17", "/ask and so?", channel)
    owner.is_alive("I16")
    for member in (owner, second):
        told = [
            one
            for one in member.up_to_fence()
            if isinstance(one, Event) and one.person == first.welcome.person
        ]
        ensure(not told, "I16", "nothing of who has asked", describe_all(told))


@moderation("I6")
def a_muted_member_of_a_class(room: Room) -> None:
    """Who is muted raises no hand, does not vote and asks nothing."""
    owner, muted, _ = crew(room)
    channel = owner.channel
    do(owner, "I11", "/poll lunch? | yes | no")
    do(owner, "X22", f"/mute {muted.welcome.name}")
    for command in ("/hand", "/vote 1", "/ask why?"):
        refused(muted, Code.MUTED, "I6", command, channel)
