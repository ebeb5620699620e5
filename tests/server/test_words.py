"""Words: what a person is told for each code and each command."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.commands import COMMANDS
from chatroom.limits import MAX_TEXT
from chatroom.outcomes import Code, Outcome
from server import words
from tests.support.cases import case
from tests.support.events import NOON

ROWS_OF_CODES = {
    Code.NO_SUCH_COMMAND: ("/dance",),
    Code.NO_SUCH_CHANNEL: ("#tea",),
    Code.NEED_ROLE: ("/kick", "operator"),
}


# --- codes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Code.GOODBYE, "goodbye"),
        (Code.STOPPING, "the server is shutting down"),
        (Code.TAKEN_OVER, "taken over by a new connection"),
        (Code.EXPIRED, "the reservation has expired"),
        (Code.FULL, "there are too many channels already"),
        (Code.TOO_MANY, "too many channels: of yours, or of those that were founded from your address"),
        (Code.TOO_SLOW, "too slow: come back and get the rest from history"),
        (Code.PROTOCOL_ERROR, "protocol error"),
    ],
)
def test_goodbyes(code: Code, text: str) -> None:
    """A connection ends with a sentence for its code."""
    assert words.goodbye(code, "") == text


def test_the_detail_of_a_goodbye_is_said() -> None:
    """What is known beside the code is said; one who was too slow also hears that it may come back."""
    assert words.goodbye(Code.PROTOCOL_ERROR, "LIVE cannot come") == "LIVE cannot come"
    slow = words.goodbye(Code.TOO_SLOW, "not reading")
    assert slow == "not reading: come back and get the rest from history"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Code.ALREADY, "said before"),
        (Code.NOT_IN, "not said: you are not in this channel"),
        (Code.BAD_ARGUMENTS, "not said: this server does not know this form of a line"),
        (Code.SLOW_DOWN, "slow down"),
        (Code.MUTED, "not said: they take no direct messages from you"),
    ],
)
def test_refused_lines(code: Code, text: str) -> None:
    """A refused line is answered in words, without rows."""
    assert words.answer("", Outcome(code)) == (text, "")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Code.NO_SUCH_COMMAND, "/dance is no command; /help lists the commands"),
        (Code.NO_SUCH_CHANNEL, "there is no channel #tea"),
        (Code.NEED_ROLE, "/kick needs the role operator"),
        (Code.BAD_ARGUMENTS, "bad arguments"),
    ],
)
def test_refused_commands(code: Code, text: str) -> None:
    """A refused command is answered in words, and its rows are kept for programs."""
    rows = ROWS_OF_CODES.get(code, ())
    said, json_rows = words.answer("/unknown", Outcome(code, rows))
    assert said == text
    assert json.loads(json_rows or "[]") == list(rows)


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_words(code: Code) -> None:
    """Whatever became of a line or a command, and however a connection ends, there is one line of words."""
    rows = ROWS_OF_CODES.get(code, ())
    for command in ("", "/unknown", *COMMANDS):
        if code is not Code.OK or command not in COMMANDS:
            with case(command):
                said, _ = words.answer(command, Outcome(code, rows))
                assert said and "\n" not in said and "_" not in said
    assert words.goodbye(code, "")


@pytest.mark.parametrize(
    ("code", "rows", "text"),
    [
        (Code.MUTED, ("#tea", 0, ""), "you are muted in #tea"),
        (Code.MUTED, ("*", NOON, "loud"), "you are muted in this chatroom until 2023-11-14 22:13 UTC: loud"),
        (Code.SLOW_DOWN, (NOON, 1), "one at a time: again in 1 s"),
        (Code.SLOW_DOWN, (NOON, 9_001), "one at a time: again in 10 s"),
    ],
)
def test_who_may_not_speak(code: Code, rows: tuple[object, ...], text: str) -> None:
    """Whoever may not say something now reads until when and why, of a line as well as of a topic."""
    assert words.answer("", Outcome(code, rows))[0] == f"not said: {text}"
    assert words.answer("/topic", Outcome(code, rows))[0] == text


# --- commands -------------------------------------------------------------------------------------------


def test_help() -> None:
    """The page has the names in groups; a group has a line for each command; one command is explained."""
    who = ("/who [#CHANNEL]", "who is in", "people", "/who #tea", "/w", "")
    nick, stats = (
        ("/nick NAME", "another name", "people", "", "", ""),
        ("/stats", "numbers", "server", "", "", ""),
    )
    said, rows = words.answer("/help", Outcome(Code.OK, (who, nick, stats)))
    assert said.splitlines()[:2] == ["people        /who /nick", "server        /stats"]
    assert json.loads(rows) == [list(who), list(nick), list(stats)]
    said, _ = words.answer("/help", Outcome(Code.OK, (who, nick)))
    assert said == "/who [#CHANNEL]  who is in\n/nick NAME       another name"
    said, _ = words.answer("/help", Outcome(Code.OK, (who,)))
    assert said == "/who [#CHANNEL]\n  who is in\n  for example: /who #tea\n  also: /w"
    assert words.answer("/help", Outcome(Code.OK))[0] == "there is no such command for you"


# --- accounts -------------------------------------------------------------------------------------------

WHOIS = (
    ("name", "Dora"),
    ("account", "Dora"),
    ("role", "owner"),
    ("phase", "here"),
    ("since", 1_769_862_896_789),
    ("encrypted", True),
    ("software", ("bot 2", "test 1.0")),
)


@pytest.mark.parametrize(
    ("command", "outcome", "said"),
    [
        ("/register", Outcome(Code.OK, ("Dora",)), "Dora is your own name now"),
        ("/register", Outcome(Code.ALREADY, ("Dora",)), "you have an account already: Dora"),
        (
            "/register",
            Outcome(Code.BAD_ARGUMENTS, ("password", 8, 256)),
            "a new password has 8 to 256 bytes, and no control characters",
        ),
        ("/register", Outcome(Code.BAD_ARGUMENTS), "usage: /register PASSWORD"),
        ("/passwd", Outcome(Code.BAD_PASSWORD), "wrong password"),
        ("/passwd", Outcome(Code.NEED_LOGIN, ("/passwd",)), "/passwd is for accounts only: /register …"),
        ("/passwd", Outcome(Code.NEED_ENCRYPTION, ("/passwd",)), "passwords, codes and tokens cross …"),
        ("/passwd", Outcome(Code.SLOW_DOWN, (43,)), "too many passwords were tried: try again in 43 s"),
        ("/passwd", Outcome(Code.SLOW_DOWN), "too busy: try again soon"),
        ("/recover", Outcome(Code.BAD_PASSWORD), "this code is not valid for this name"),
        ("/device", Outcome(Code.OK, (("token", "Dora", "00ff"),)), "this program is remembered"),
        (
            "/code",
            Outcome(Code.OK, (("code", "Dora", "AAAA-BBBB-CCCC-DDDD", 1),)),
            "tell Dora, and nobody else: /recover Dora AAAA-BBBB-CCCC-DDDD NEWPASSWORD …",
        ),
        ("/sessions end", Outcome(Code.OK, (3,)), "program 3 has ended"),
        (
            "/sessions end",
            Outcome(Code.BAD_ARGUMENTS, (3,)),
            "you have no other program with the number 3; /sessions lists them",
        ),
        ("/sessions end", Outcome(Code.BAD_ARGUMENTS), "usage: /sessions end N"),
        ("/code", Outcome(Code.NO_SUCH_NAME, ("eve",)), "there is no account eve"),
        ("/whois", Outcome(Code.NO_SUCH_NAME, ("eve",)), "nobody here is called eve"),
        (
            "/whois",
            Outcome(Code.OK, WHOIS),
            "Dora (account Dora, owner), here since 2026-01-31 12:34 UTC, encrypted, with bot 2, test 1.0",
        ),
        (
            "/whois",
            Outcome(
                Code.OK,
                tuple(
                    {
                        **dict(WHOIS),
                        "account": "",
                        "role": "member",
                        "phase": "lost",
                        "encrypted": False,
                        "software": (),
                        "addresses": ("127.0.0.1:7",),
                    }.items()
                ),
            ),
            "Dora (no account, connection lost), here since 2026-01-31 12:34 UTC, not encrypted, "
            "from 127.0.0.1:7",
        ),
        (
            "/sessions",
            Outcome(
                Code.OK,
                (
                    (1, "here", True, True, 1_769_862_896_789, "test 1.0", "127.0.0.1:7", "laptop"),
                    (2, "absent", False, False, 1_769_862_896_789, "", "127.0.0.1:8", ""),
                ),
            ),
            "your programs: 2\n"
            "  1  this program  since 2026-01-31 12:34 UTC\n"
            "      from 127.0.0.1:7, encrypted, test 1.0, remembered\n"
            "      as laptop\n"
            "  2  has left      since 2026-01-31 12:34 UTC\n"
            "      from 127.0.0.1:8, not encrypted",
        ),
    ],
)
def test_words_about_accounts(command: str, outcome: Outcome, said: str) -> None:
    """What a person is told; an ellipsis stands for the rest of the words."""
    words_said, _ = words.answer(command, outcome)
    if said.endswith("…"):
        assert words_said.startswith(said[:-1])
    else:
        assert words_said == said


# --- sizes ----------------------------------------------------------------------------------------------


def test_an_answer_that_is_too_long_loses_its_rows() -> None:
    """Words that fit come whole, although there is no room for the rows."""
    value = "x" * (MAX_TEXT - 100)
    said, rows = words.answer("/nick", Outcome(Code.OK, (value,)))
    assert (said, rows) == (f"you are {value} now", "")


def test_an_answer_that_just_fits() -> None:
    """Words and rows that have exactly MAX_TEXT bytes both come whole; with one more byte no rows come."""
    fixed = len("you are  now" + '[""]')
    assert fixed % 2 == 0  # the value stands in the words and in the rows
    for more, has_rows in ((0, True), (2, False)):
        value = "x" * ((MAX_TEXT - fixed + more) // 2)
        said, rows = words.answer("/nick", Outcome(Code.OK, (value,)))
        assert said == f"you are {value} now" and bool(rows) is has_rows


@given(name=st.text(alphabet="aé€😀", min_size=1, max_size=24), count=st.sampled_from((10, 900, 3000)))
def test_answers_are_bounded(name: str, count: int) -> None:
    """Whatever the members are called, and however many there are, an answer has at most MAX_TEXT bytes."""
    said, rows = words.answer("/who", Outcome(Code.OK, ("#tea", *[(name, "lost")] * count)))
    assert len(said.encode()) + len(rows.encode()) <= MAX_TEXT
    assert rows or count > 10


@given(text=st.text(max_size=40), size=st.integers(3, 100))
def test_shortened_texts(text: str, size: int) -> None:
    """A text that fits is not changed; of another one whole characters come, then an ellipsis."""
    short = words.shorten(text, size)
    assert len(short.encode()) <= size
    if len(text.encode()) <= size:
        assert short == text
    else:
        assert short.endswith("…") and text.startswith(short[:-1])
        assert len(short.encode()) > size - 4  # no character more would have fitted


def test_a_direct_conversation_is_no_channel() -> None:
    """Whoever gives a command of a class there is told where they are."""
    told, _ = words.answer("/hand", Outcome(Code.NO_SUCH_CHANNEL, ("@teach",)))
    assert told == "you are in your talk with teach, and /hand is for a channel: first /go #CHANNEL"
    told, _ = words.answer("/hand", Outcome(Code.NO_SUCH_CHANNEL, ("#tea",)))
    assert told == "there is no channel #tea"
