"""Words about the classroom: every outcome of every command has some."""

from __future__ import annotations

import pytest

from chatroom.outcomes import Code, Outcome
from server import words
from server.classroom_words import of_classroom_command


@pytest.mark.parametrize(
    ("command", "outcome", "said"),
    [
        ("/hand", Outcome(Code.OK, ("#tea", 2)), "your hand is up in #tea: number 2 in the queue"),
        ("/hand", Outcome(Code.ALREADY, ("#tea", 2)), "your hand is up in #tea: number 2 in the queue"),
        ("/hand", Outcome(Code.OK, ("#tea", 0)), "your hand is down"),
        ("/hand", Outcome(Code.ALREADY, ("#tea", 0)), "your hand is not up"),
        ("/hand", Outcome(Code.FULL, ("#tea", 501)), "too many hands are up in #tea"),
        ("/hand", Outcome(Code.SLOW_DOWN, (123456, 1001)), "one at a time: again in 2 s"),
        (
            "/hand",
            Outcome(Code.BAD_ARGUMENTS),
            "usage: /hand [#CHANNEL] [down]; /hand raises your hand, /hand down takes it down",
        ),
        ("/hands", Outcome(Code.OK, ("#tea", "")), "nobody has raised a hand in #tea"),
        ("/hands", Outcome(Code.OK, ("#tea", "", "ann", "bob")), "hands in #tea: ann, bob"),
        ("/hands", Outcome(Code.OK, ("#tea", "ann", "bob")), "ann has the word; hands in #tea: bob"),
        ("/next", Outcome(Code.OK, ("#tea", "", "", 0, "")), "nobody has the word in #tea now"),
        (
            "/next",
            Outcome(Code.OK, ("#tea", "", "", 0, "ann")),
            "nobody has the word in #tea now; ann's turn is over",
        ),
        (
            "/next",
            Outcome(Code.OK, ("#tea", "bob", "here", 0, "ann")),
            "bob has the word in #tea now; ann's turn is over; hands that are left: 0",
        ),
        (
            "/next",
            Outcome(Code.BAD_ARGUMENTS),
            "usage: /next [#CHANNEL]; the word goes to whoever raised a hand first, "
            "/voice NAME lets another one speak",
        ),
        ("/next", Outcome(Code.NOT_IN, ("#tea",)), "you are not in #tea"),
        ("/next", Outcome(Code.ALREADY, ("#tea",)), "nobody has raised a hand in #tea"),
        ("/next", Outcome(Code.NEED_ROLE, ("/next", "operator")), "/next needs the role operator"),
        ("/poll", Outcome(Code.OK), "no poll is open"),
        ("/poll", Outcome(Code.ALREADY, ("Tea?",)), "a poll is open, /reveal ends it: Tea?"),
        ("/poll", Outcome(Code.TOO_LONG, (1000,)), "a poll has 1000 bytes at most"),
        (
            "/poll",
            Outcome(Code.BAD_ARGUMENTS),
            "usage: /poll [#CHANNEL] [QUESTION | A | B ...] "
            "(for example /poll Where do we eat? | canteen | park)",
        ),
        (
            "/poll",
            Outcome(Code.OK, ("Tea?", ("yes", "no"), 0, 0, "opened")),
            "the poll is open; /reveal ends it, and shows all the result",
        ),
        ("/vote", Outcome(Code.OK), "no poll is open"),
        ("/vote", Outcome(Code.OK, (2, "no", "Tea?")), "your vote: 2 no"),
        ("/vote", Outcome(Code.ALREADY, (2, "no", "Tea?")), "your vote: 2 no"),
        (
            "/vote",
            Outcome(Code.BAD_ARGUMENTS, (2,)),
            "/vote takes a number from 1 to 2, or how an option begins",
        ),
        (
            "/vote",
            Outcome(Code.BAD_ARGUMENTS, (2, "x")),
            "no option begins with x; /vote takes a number from 1 to 2, or how an option begins",
        ),
        (
            "/vote",
            Outcome(Code.BAD_ARGUMENTS, (4, "te", 1, 3)),
            "te may be option 1 or 3: write more of it, or the number",
        ),
        ("/vote", Outcome(Code.BAD_ARGUMENTS), "usage: /vote [#CHANNEL] [NUMBER|TEXT]"),
        ("/vote", Outcome(Code.TOO_LATE, ("#tea",)), "no poll is open in #tea"),
        ("/vote", Outcome(Code.FULL, (2, "no", "Tea?")), "there are too many votes already"),
        ("/reveal", Outcome(Code.OK, ("Tea?", ("yes", 2), ("no", 0))), "the poll is over: Tea?"),
        ("/reveal", Outcome(Code.ALREADY, ("#tea",)), "no poll is open in #tea"),
        ("/ask", Outcome(Code.OK, ("#tea",)), "asked in #tea, without your name"),
        ("/ask", Outcome(Code.SLOW_DOWN, (123456, 30000)), "one at a time: again in 30 s"),
        ("/ask", Outcome(Code.TOO_LONG, (1000,)), "a question has 1000 bytes at most"),
        ("/ask", Outcome(Code.BAD_ARGUMENTS), "usage: /ask [#CHANNEL] TEXT"),
    ],
)
def test_words(command: str, outcome: Outcome, said: str) -> None:
    """A person is told what it is about."""
    assert words.answer(command, outcome)[0] == said


def test_who_is_called() -> None:
    """The one who calls is told that the connection of the called one is lost: it can call the next."""
    said = [
        words.answer("/next", Outcome(Code.OK, ("#tea", "ann", phase, 3, "")))[0]
        for phase in ("here", "lost")
    ]
    assert said[0] == "ann has the word in #tea now; hands that are left: 3"
    assert said[1] == "ann (connection lost) has the word in #tea now; hands that are left: 3"


def test_a_poll() -> None:
    """Operators read how many have voted, and how it ends, also when nobody has; others do not."""
    rows = ("Tea?", ("yes", "no"), 2)
    for command in ("/poll", "/vote"):
        shown = words.answer(command, Outcome(Code.OK, rows))[0]
        assert shown == (
            "Tea?\n1: yes\n2: no\nyour vote: 2; to change it: /vote NUMBER, or /vote and how an option begins"
        )
        told = words.answer(command, Outcome(Code.OK, (*rows, 7)))[0]
        assert told == shown + "\nvotes: 7; /reveal ends the poll"
        not_voted = words.answer(command, Outcome(Code.OK, ("Tea?", ("yes", "no"), 0, 0)))[0]
        assert not_voted == (
            "Tea?\n1: yes\n2: no\nyou have not voted yet: /vote NUMBER, or /vote and how an option begins\n"
            "votes: 0; /reveal ends the poll"
        )


def test_a_long_queue() -> None:
    """The words name the first ones; the rows have all, however long the names are."""
    names = ["\U0001f40e" * 24] * 500
    said, rows = words.answer("/hands", Outcome(Code.OK, ("#tea", "", *names)))
    assert said.endswith(", and 480 more") and rows.count("\U0001f40e") == 500 * 24


def test_the_words_of_other_commands() -> None:
    """They are found elsewhere."""
    assert of_classroom_command("/join", Outcome(Code.OK, ("#tea",))) is None
    assert of_classroom_command("/vote", Outcome(Code.NOT_IN, ("#tea",))) is None
