"""The classroom in the state: hands, turns, polls, votes, questions. World restores each state."""

from __future__ import annotations

import json

import pytest

from chatroom.bounds import Limits
from chatroom.classroom import SEPARATOR, Classroom
from chatroom.classroom_acts import OPENED
from chatroom.events import MUTE_LIST, Event, EventKind, Extra, extra_number, extra_rows
from chatroom.ledger import Ledger
from chatroom.limits import ASK_SECONDS, HAND_SECONDS, HOLD_SECONDS, MAX_OPTIONS, SESSION_SECONDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import AUDIT_PLACE, POLLED
from chatroom.proposals import Act
from chatroom.records import Record
from chatroom.rights import Rights
from tests.chatroom.world import Visit, World

PASSWORD = "scrypt$14$8$1$00$11"
DORA, ANN, BOB = Visit(1, "key1"), Visit(2, "key2"), Visit(3, "key3")
POLL = "Tea? | yes | no"


@pytest.fixture
def world() -> World:
    """dora, person 1, has an account and owns #tea, place 2; ann and bob, guests, are in, too."""
    return class_of(World())


def class_of(world: World) -> World:
    dora = world.enter("dora")
    world.act(dora, "/register", PASSWORD)
    for visit in (dora, world.enter("ann"), world.enter("bob")):
        assert world.act(visit, "/join", "#tea", "").code is Code.OK
    return world


def do(world: World, visit: Visit, command: str, *arguments: str | int) -> Outcome:
    return world.act(visit, command, *arguments, channel="#tea")


def hands(world: World) -> list[int]:
    return world.state.classroom.hands(2)


def last(world: World) -> Event:
    return world.log[-1]


def stored(world: World) -> dict[str, object]:
    """What is stored of the classroom, by key."""
    return {key: json.loads(value) for kind, key, value in world.kept() if kind == "classroom" and value}


# --- hands and turns ----------------------------------------------------------------------------------------


def test_first_come_first_served(world: World) -> None:
    """/next gives the word in the order of the hands, one after the other; then to nobody."""
    do(world, DORA, "/set", "moderated", "on")
    assert do(world, BOB, "/hand", 1).rows == ("#tea", 1)
    assert last(world)[2:] == (EventKind.HAND, "#tea", "bob", "", 0, 3, 2, b"", ())
    assert do(world, ANN, "/hand", 1).rows == ("#tea", 2)
    assert do(world, ANN, "/hand", 1) == Outcome(Code.ALREADY, ("#tea", 2))
    assert do(world, DORA, "/next").rows == ("#tea", "bob", "here", 1, "")
    called = world.log[-2]
    assert called[2:6] == (EventKind.CALLED, "#tea", "dora", "")
    rows = extra_rows(called.extra)
    assert rows == {Extra.TARGET: b"\0\0\0\x03", Extra.TARGET_NAME: b"bob"}
    assert [world.state.role(person, 2) for person in (1, 2, 3)] == [Role.OWNER, Role.MEMBER, Role.VOICE]
    assert do(world, DORA, "/next").rows == ("#tea", "ann", "here", 0, "bob")
    assert [world.state.role(person, 2) for person in (2, 3)] == [Role.VOICE, Role.MEMBER]
    assert do(world, DORA, "/next").rows == ("#tea", "", "", 0, "ann")
    assert (world.log[-2].kind, world.log[-2].extra) == (EventKind.CALLED, b"")
    assert world.state.role(2, 2) is Role.MEMBER and stored(world) == {}
    assert do(world, DORA, "/next") == Outcome(Code.ALREADY, ("#tea",))


def test_who_has_the_word_and_asks_for_it_again(world: World) -> None:
    """Who is called twice in a row has it still: nobody's turn is over."""
    do(world, ANN, "/hand", 1), do(world, DORA, "/next")
    world.tick(HAND_SECONDS)
    assert do(world, ANN, "/hand", 1).code is Code.OK
    assert do(world, DORA, "/next").rows == ("#tea", "ann", "here", 0, "")


def test_a_hand_goes_down(world: World) -> None:
    """Its owner takes it down; the others move up, and whoever raises it again is the last."""
    for visit in (ANN, BOB):
        do(world, visit, "/hand", 1)
    assert do(world, ANN, "/hand", 0) == Outcome(Code.OK, ("#tea", 0))
    assert (last(world).kind, last(world).extra) == (EventKind.HAND, b"\x0b\x01\x01")
    assert do(world, ANN, "/hand", 0).code is Code.ALREADY and hands(world) == [3]
    slow = do(world, ANN, "/hand", 1)
    assert slow.code is Code.SLOW_DOWN and slow.rows[1] == int(HAND_SECONDS * 1000)
    world.tick(HAND_SECONDS)
    assert do(world, ANN, "/hand", 1).rows == ("#tea", 2) and hands(world) == [3, 2]


def test_the_word_of_a_voice_that_was_given_stays(world: World) -> None:
    """A call puts nobody on a list: a voice that was given before it or during the turn is not taken."""
    do(world, DORA, "/voice", "ann")
    for visit in (ANN, BOB):
        do(world, visit, "/hand", 1)
    for _ in range(2):
        do(world, DORA, "/next")
    assert world.state.role(2, 2) is Role.VOICE
    assert do(world, DORA, "/voice", "bob").code is Code.OK
    do(world, DORA, "/next")
    assert world.state.role(3, 2) is Role.VOICE
    do(world, DORA, "/unvoice", "bob")
    assert world.state.role(3, 2) is Role.MEMBER


def test_only_the_called_one_speaks(world: World) -> None:
    """In a moderated channel its lines are said, and those of the others are refused."""
    do(world, DORA, "/set", "moderated", "on")
    do(world, ANN, "/hand", 1)
    do(world, DORA, "/next")
    assert world.say(ANN, 1, channel="#tea").happened and not world.say(BOB, 1, channel="#tea").happened


def test_the_end_of_hush_clears_the_class(world: World) -> None:
    """No hand is up, and nobody has the word any more; SET says it all. The poll goes on."""
    do(world, DORA, "/set", "moderated", "on")
    do(world, DORA, "/poll", POLL)
    for visit in (ANN, BOB):
        do(world, visit, "/hand", 1)
    do(world, DORA, "/next")
    do(world, DORA, "/set", "moderated", "off")
    assert [event.kind for event in world.log[-2:]] == [EventKind.SET, EventKind.AUDITED]
    assert stored(world) == {"2": {"poll": POLL, "by": 1, "turn": 0}}
    assert world.state.role(2, 2) is Role.MEMBER


@pytest.mark.parametrize("how", ["leave", "quit", "account quits", "hold ends", "close"])
def test_who_goes_loses_hand_and_turn(world: World, how: str) -> None:
    """Whoever is out of the channel or of the chatroom has neither, also when it comes back."""
    if how == "account quits":
        for visit in (ANN, BOB):
            world.act(visit, "/register", PASSWORD)
    do(world, ANN, "/hand", 1)
    do(world, DORA, "/next")
    do(world, BOB, "/hand", 1)
    if how == "close":
        do(world, DORA, "/close", "")
    for visit in (ANN, BOB) if how != "close" else ():
        if how == "leave":
            do(world, visit, "/leave", "")
        elif how == "hold ends":
            world.lose(visit)
        else:
            world.leave(visit)
    world.tick(HOLD_SECONDS + 1)
    assert stored(world) == {} and world.state.role(2, 2) is Role.MEMBER


def test_a_lost_connection_keeps_hand_and_turn(world: World) -> None:
    """Who has the word, and who waits for it, comes back as if nothing had been; also after a start."""
    do(world, ANN, "/hand", 1)
    do(world, DORA, "/next")
    do(world, BOB, "/hand", 1)
    before = stored(world)
    for visit in (ANN, BOB):
        world.lose(visit)
    world.up()
    assert stored(world) == before and world.state.role(2, 2) is Role.VOICE
    assert do(world, world.enter("dora", proof=PASSWORD), "/next").rows == ("#tea", "bob", "lost", 0, "ann")


def test_who_is_muted_meanwhile_is_passed_over(world: World) -> None:
    """It could not speak. Its hand stays, for the time when it can again."""
    for visit in (ANN, BOB):
        do(world, visit, "/hand", 1)
    world.state._rights.give(2, MUTE_LIST, 1, 2)
    world._again._rights.give(2, MUTE_LIST, 1, 2)
    outcome = world.state._outcome(world.state._here[world.origin(1)], act("/next"))
    assert outcome.rows == ("#tea", "bob", "here", 1, "") and hands(world) == [2]


def test_too_many_hands() -> None:
    """A queue has an end; whoever takes a hand down makes room."""
    world = class_of(World(Limits(hands=1)))
    do(world, ANN, "/hand", 1)
    assert do(world, BOB, "/hand", 1).code is Code.FULL
    do(world, ANN, "/hand", 0)
    assert do(world, BOB, "/hand", 1).code is Code.OK


# --- polls --------------------------------------------------------------------------------------------------


def test_a_poll(world: World) -> None:
    """POLL and REVEALED are all that others are told; each person has one vote, the latest."""
    assert do(world, DORA, "/poll", POLL).rows == ("Tea?", ("yes", "no"), 0, 0, OPENED)
    assert (world.log[-2].kind, world.log[-2].text) == (EventKind.POLL, POLL)
    head = world.state.head
    assert do(world, ANN, "/vote", 2, "").rows == (2, "no", "Tea?")
    assert do(world, ANN, "/vote", 1, "yes").rows == (1, "yes", "Tea?")
    assert do(world, ANN, "/vote", 1, "") == Outcome(Code.ALREADY, (1, "yes", "Tea?"))
    do(world, BOB, "/vote", 1, "")
    assert world.state.head == head and world.effects == []
    assert do(world, DORA, "/poll", "More? | yes | no") == Outcome(Code.ALREADY, ("Tea?",))
    assert do(world, DORA, "/reveal").rows == ("Tea?", ("yes", 2), ("no", 0))
    assert (world.log[-2].kind, world.log[-2].text) == (EventKind.REVEALED, POLL)
    assert extra_rows(world.log[-2].extra) == {Extra.VOTES: b"\0\2\0\0"}
    assert stored(world) == {}
    assert do(world, DORA, "/reveal").code is Code.ALREADY
    assert do(world, ANN, "/vote", 1, "") == Outcome(Code.TOO_LATE, ("#tea",))


def test_a_vote_makes_nothing_that_others_get(world: World) -> None:
    """No event and no signal: but for the answer to the voter, a vote and a refused one look the same."""
    do(world, DORA, "/poll", POLL)
    for choice in (1, 2, 2, 3):
        do(world, ANN, "/vote", choice, "")
        assert world.effects == [] and last(world).text == "/poll Tea?"


def test_votes_of_those_who_are_in_count(world: World) -> None:
    """A vote stays when its owner leaves, and counts when it is in again. An account that is out is in."""
    do(world, DORA, "/poll", POLL)
    for visit in (DORA, ANN, BOB):
        do(world, visit, "/vote", 1, "")
    for visit in (ANN, BOB):
        do(world, visit, "/leave", "")
    assert world.state.classroom.voters(2) == 1
    world.act(ANN, "/join", "#tea", "")
    assert world.state.classroom.voters(2) == 2 and world.state.classroom.vote_of(2, 2) == 1
    world.leave(DORA)
    dora = world.enter("dora", proof=PASSWORD)
    assert do(world, dora, "/reveal").rows == ("Tea?", ("yes", 2), ("no", 0))


def test_the_vote_of_one_who_is_forgotten_is_gone(world: World) -> None:
    """A guest that is not remembered cannot come back: its vote is not kept until the poll ends."""
    do(world, DORA, "/poll", POLL)
    do(world, ANN, "/vote", 1, "")
    world.say(ANN, 1)
    world.leave(ANN)
    assert "2 vote 2" in stored(world)
    world.tick(SESSION_SECONDS + 1)
    assert [*stored(world)] == ["2"]


def test_a_stay_that_is_forgotten_takes_the_vote() -> None:
    """Who goes from channel to channel leaves no more votes behind than stays are remembered."""
    world = class_of(World(Limits(left=1)))
    do(world, DORA, "/poll", POLL)
    do(world, ANN, "/vote", 1, "")
    for name in ("#tea", "#general"):
        world.act(ANN, "/leave", "", channel=name)
    assert [*stored(world)] == ["2"]


def test_too_many_votes() -> None:
    """Votes of those who have left make room; else the next voter is refused. A vote can still be changed."""
    world = class_of(World(Limits(votes=2)))
    do(world, DORA, "/poll", POLL)
    for visit in (DORA, ANN):
        do(world, visit, "/vote", 1, "")
    assert do(world, BOB, "/vote", 2, "").code is Code.FULL and do(world, ANN, "/vote", 2, "").code is Code.OK
    do(world, ANN, "/leave", "")
    assert do(world, BOB, "/vote", 2, "").code is Code.OK
    world.act(ANN, "/join", "#tea", "")
    assert world.state.classroom.vote_of(2, 2) == 0 and world.state.classroom.voters(2) == 2


@pytest.mark.parametrize(
    "text",
    [
        *("Tea?", "Tea? | yes", "Tea? | yes | yes", "Tea? |  | no", " | yes | no", "Tea?|yes|no"),
        *("T | y | n|m", " Tea | yes | no", "T | a | b ", " | ".join(map(str, range(MAX_OPTIONS + 2)))),
    ],
)
def test_what_is_no_poll(world: World, text: str) -> None:
    """An entry may hold any text: only a question with some options that differ makes a poll."""
    assert do(world, DORA, "/poll", text).code is Code.BAD_ARGUMENTS


def test_the_end_of_a_channel_ends_its_poll(world: World) -> None:
    """Nothing is stored of it; a later channel of the name knows nothing of it."""
    do(world, DORA, "/poll", POLL)
    do(world, ANN, "/vote", 1, "")
    do(world, DORA, "/close", "")
    assert stored(world) == {}


def test_a_vote_by_text_is_for_what_was_read(world: World) -> None:
    """If another poll is open meanwhile, whose option of the number reads otherwise, it is refused."""
    do(world, DORA, "/poll", POLL)
    do(world, DORA, "/reveal")
    do(world, DORA, "/poll", "Milk? | no | yes")
    assert do(world, ANN, "/vote", 1, "yes") == Outcome(Code.BAD_ARGUMENTS, (2, "yes"))
    assert do(world, ANN, "/vote", 3, "yes") == Outcome(Code.BAD_ARGUMENTS, (2, "yes"))
    assert do(world, ANN, "/vote", 2, "yes").code is Code.OK


def test_who_comes_late_is_told_of_the_poll(world: World) -> None:
    """The answer to /join has the question; without a poll it has not, nor for who has voted."""
    zoe = world.enter("zoe")
    assert world.act(zoe, "/join", "#tea", "").rows == ("#tea", 2)
    do(world, zoe, "/leave", "")
    do(world, DORA, "/poll", POLL)
    assert world.act(zoe, "/join", "#tea", "").rows == ("#tea", 2, POLLED, "Tea?")
    assert world.act(zoe, "/join", "#tea", "") == Outcome(Code.ALREADY, ("#tea", 2))
    do(world, zoe, "/vote", 1, ""), do(world, zoe, "/leave", "")
    assert world.act(zoe, "/join", "#tea", "").rows == ("#tea", 2)


# --- the trail ----------------------------------------------------------------------------------------------


def trail(world: World) -> list[tuple[str, str, str, int, int]]:
    """Who did what, where, to whom, and in which place it can be read."""
    audited = [event for event in world.log if event.kind is EventKind.AUDITED]
    return [
        (one.author, one.channel, one.text, one.target, extra_number(one.extra, Extra.IN)) for one in audited
    ]


def test_the_acts_of_a_class_are_in_the_trail(world: World) -> None:
    """What a teacher does is, each directly behind its event; what is refused or changes nothing is not."""
    before = len(world.log)
    do(world, ANN, "/hand", 1)
    for command, *arguments in (
        *(("/hush", "on"), ("/hush", "on"), ("/next",), ("/next",), ("/next",)),
        *(("/poll", POLL), ("/poll", POLL), ("/reveal",), ("/reveal",)),
        *(("/topic", "tea"), ("/topic", "tea"), ("/topic", ""), ("/hush", "off")),
    ):
        do(world, DORA, command, *arguments)
    kinds = [event.kind for event in world.log[before + 1 :]]
    assert kinds[1::2] == [EventKind.AUDITED] * (len(kinds) // 2) and EventKind.AUDITED not in kinds[::2]
    assert trail(world) == [
        ("dora", "#tea", "founded #tea", 0, 2),
        ("dora", "#tea", "/hush", 0, 2),
        ("dora", "#tea", "/next ann", 2, 2),
        ("dora", "#tea", "/next", 0, 2),
        ("dora", "#tea", "/poll Tea?", 0, 2),
        ("dora", "#tea", "/reveal", 0, 2),
        ("dora", "#tea", "/topic tea", 0, 2),
        ("dora", "#tea", "/topic -", 0, 2),
        ("dora", "#tea", "/hush off", 0, 2),
    ]


def test_what_members_do_in_a_class_is_not_in_the_trail(world: World) -> None:
    """Hands, votes and topics of those without a role are no acts of power."""
    do(world, DORA, "/poll", POLL)
    before = len(trail(world))
    do(world, ANN, "/hand", 1), do(world, ANN, "/hand", 0), do(world, ANN, "/vote", 1, "")
    assert do(world, ANN, "/topic", "mine").code is Code.OK
    assert do(world, ANN, "/hush", "on").code is do(world, ANN, "/next").code is Code.NEED_ROLE
    assert len(trail(world)) == before


def test_who_founds_a_channel_is_in_the_trail() -> None:
    """By /join and by coming in, once; nobody founds #general."""
    world = World()
    ann = world.enter("ann", "#tea")
    world.act(ann, "/join", "#general", ""), world.act(ann, "/join", "#own", "")
    world.enter("bob", "#tea", "#own")
    assert trail(world) == [("ann", "#tea", "founded #tea", 0, 1), ("ann", "#own", "founded #own", 0, 3)]
    assert world.log[1].kind is EventKind.AUDITED  # directly behind JOINED


# --- questions ----------------------------------------------------------------------------------------------


def test_a_question_has_no_author(world: World) -> None:
    """ASKED does not tell who asks. That is in the trail of the chatroom, and not in that of the channel."""
    assert do(world, ANN, "/ask", "why?") == Outcome(Code.OK, ("#tea",))
    asked, audited = world.log[-2:]
    assert asked[2:] == (EventKind.ASKED, "#tea", "", "why?", 0, 0, 2, b"", ())
    assert audited[2:6] == (EventKind.AUDITED, "*", "ann", "asked in #tea: why?")
    assert (audited.person, audited.place) == (2, AUDIT_PLACE) and extra_number(audited.extra, Extra.IN) == 0
    assert world.effects == []


def test_one_question_at_a_time(world: World) -> None:
    """Who has asked waits, in all channels; others do not, nor does it when the server starts again later."""
    do(world, ANN, "/ask", "why?")
    slow = do(world, ANN, "/ask", "and why?")
    assert slow.code is Code.SLOW_DOWN and slow.rows[1] == int(ASK_SECONDS * 1000)
    assert world.act(ANN, "/ask", "why here?").code is Code.SLOW_DOWN
    assert do(world, BOB, "/ask", "why?").code is Code.OK
    world.tick(ASK_SECONDS)
    assert do(world, ANN, "/ask", "and why?").code is Code.OK


# --- who may ------------------------------------------------------------------------------------------------

TAKES_PART: list[tuple[str, tuple[str | int, ...]]] = [
    ("/hand", (1,)),
    ("/vote", (1, "")),
    ("/ask", ("why?",)),
]


@pytest.mark.parametrize(("command", "arguments"), TAKES_PART)
def test_who_is_muted_takes_no_part(world: World, command: str, arguments: tuple[str | int, ...]) -> None:
    """Neither does somebody who may act in the channel and is not in it. Who is only hushed does."""
    do(world, DORA, "/poll", POLL)
    do(world, DORA, "/set", "moderated", "on")
    assert do(world, ANN, command, *arguments).code is Code.OK
    session = world.state._here[world.origin(3)]
    world.state._rights.give(3, MUTE_LIST, 1, 2, reason="noise")
    outcome = world.state._outcome(session, act(command, *arguments))
    assert outcome == Outcome(Code.MUTED, ("#tea", 0, "noise"))


@pytest.mark.parametrize(("command", "arguments"), TAKES_PART)
def test_who_is_not_in_takes_no_part(world: World, command: str, arguments: tuple[str | int, ...]) -> None:
    """The owner of the chatroom may call and open polls there, and has neither hand nor vote."""
    boss = world.enter("boss")
    world.state._rights.give(world.person(boss), Role.OWNER, 0)
    session = world.state._here[world.origin(boss.origin)]
    assert world.state._outcome(session, act("/poll", POLL)).code is Code.OK
    assert world.state._outcome(session, act(command, *arguments)) == Outcome(Code.NOT_IN, ("#tea",))


@pytest.mark.parametrize(("command", "arguments"), [("/next", ()), ("/poll", (POLL,)), ("/reveal", ())])
def test_operators_only(world: World, command: str, arguments: tuple[str, ...]) -> None:
    """The turn and the poll are theirs; a voice is not enough."""
    do(world, DORA, "/voice", "ann")
    assert do(world, ANN, command, *arguments) == Outcome(Code.NEED_ROLE, (command, "operator"))


# --- records ------------------------------------------------------------------------------------------------


def test_one_record_for_each_hand_and_vote(world: World) -> None:
    """What one person does writes what is its own, however many the others are."""
    do(world, DORA, "/poll", POLL)
    for number, visit in enumerate((ANN, BOB), 1):
        records = world.act(visit, "/hand", 1, channel="#tea") and world.records
        assert records["classroom", f"2 hand {visit.origin}"] == Record(
            "classroom", f"2 hand {visit.origin}", f'{{"number":{number}}}'
        )
        do(world, visit, "/vote", number, "")
    assert stored(world) == {
        "2": {"poll": POLL, "by": 1, "turn": 0},
        "2 hand 2": {"number": 1},
        "2 hand 3": {"number": 2},
        "2 vote 2": {"choice": 1},
        "2 vote 3": {"choice": 2},
    }


def test_what_is_restored() -> None:
    """In whatever order the records come, the queue is the same; votes of who is out do not count."""
    ledger = Ledger()
    classroom = Classroom(ledger, Limits(), Rights(ledger, Limits()))
    classroom.open_poll(2, SEPARATOR.join(["Tea", "yes", "no"]), 1)
    for person in (9, 3, 5):
        classroom.raise_hand(2, person), classroom.vote(2, person, 1)
    classroom.call(2, 9)
    rights = Rights(Ledger(), Limits())
    again = Classroom(Ledger(), Limits(), rights)
    again.restore(sorted(classroom.records(), reverse=True), lambda person, _: person != 5)
    assert again.hands(2) == [3, 5] and again.turn(2) == rights.turn(2) == 9
    assert again.voters(2) == 2 and again.reveal(2) == ("Tea | yes | no", [2, 0])


def act(command: str, *arguments: str | int) -> Act:
    return Act(command, "#tea", arguments)
