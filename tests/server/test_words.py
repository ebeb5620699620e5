"""Words: what a person is told for each code and each command."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.commands import COMMANDS
from chatroom.limits import MAX_LISTED, MAX_TEXT
from chatroom.outcomes import Code, Outcome
from server import words

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
    ],
)
def test_refused_lines(code: Code, text: str) -> None:
    """A refused line is answered in words, without rows."""
    assert words.answer("", Outcome(code)) == (text, "")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Code.NO_SUCH_COMMAND, "/dance is no command; /help lists the commands"),
        (Code.NO_SUCH_CHANNEL, "nobody is in #tea"),
        (Code.NEED_ROLE, "/kick needs the role operator"),
        (Code.BAD_ARGUMENTS, "bad arguments"),
    ],
)
def test_refused_commands(code: Code, text: str) -> None:
    """A refused command is answered in words, and its rows are kept for programs."""
    rows = ROWS_OF_CODES.get(code, ())
    said, json_rows = words.answer("/kick", Outcome(code, rows))
    assert said == text
    assert json.loads(json_rows or "[]") == list(rows)


@pytest.mark.parametrize("code", list(Code))
@pytest.mark.parametrize("command", ["", "/unknown", *COMMANDS])
def test_every_code_has_words(code: Code, command: str) -> None:
    """Whatever became of a line or a command, and however a connection ends, there is one line of words."""
    rows = ROWS_OF_CODES.get(code, ())
    if code is not Code.OK or command not in COMMANDS:
        said, _ = words.answer(command, Outcome(code, rows))
        assert said and "\n" not in said and "_" not in said
    assert words.goodbye(code, "")


# --- commands -------------------------------------------------------------------------------------------


def test_help() -> None:
    """Each command has a line; the explanations stand below each other."""
    said, rows = words.answer(
        "/help", Outcome(Code.OK, (("/who [#CHANNEL]", "who is in"), ("/stats", "numbers")))
    )
    assert said == "/who [#CHANNEL]  who is in\n/stats           numbers"
    assert json.loads(rows) == [["/who [#CHANNEL]", "who is in"], ["/stats", "numbers"]]


def test_who() -> None:
    """The members are counted and named; one whose connection is lost is marked."""
    said, rows = words.answer("/who", Outcome(Code.OK, ("#tea", ("ann", "here"), ("bob", "lost"))))
    assert said == "2 in #tea: ann, bob (connection lost)"
    assert json.loads(rows) == ["#tea", ["ann", "here"], ["bob", "lost"]]


def test_who_of_a_counted_channel() -> None:
    """Where nobody is listed, the number is all that is said."""
    assert words.answer("/who", Outcome(Code.OK, ("#tea", 12_345))) == ("12345 in #tea", '["#tea",12345]')


def test_who_of_an_empty_channel() -> None:
    """A channel without members is empty for a person; the row says which channel."""
    assert words.answer("/who", Outcome(Code.OK, ("#tea",))) == ("nobody is in #tea", '["#tea"]')


def test_who_of_a_large_channel() -> None:
    """When the last row is a number, it is that of members who are not listed."""
    said, rows = words.answer("/who", Outcome(Code.OK, ("#tea", ("ann", "here"), ("bob", "lost"), 3)))
    assert said == "5 in #tea: ann, bob (connection lost), and 3 more"
    assert json.loads(rows) == ["#tea", ["ann", "here"], ["bob", "lost"], 3]


@pytest.mark.parametrize("name", ["x" * 24, "漢" * 12, "é" * 23 + "x", "😀" * 24], ids=ascii)
def test_a_long_answer_is_not_cut_within_a_name(name: str) -> None:
    """As many members are named as fit, each whole; the others are counted."""
    members = [(f"{name}{number}", "lost" if number % 2 else "here") for number in range(MAX_LISTED)]
    said, _ = words.answer("/who", Outcome(Code.OK, ("#tea", *members, 1500 - MAX_LISTED)))
    *named, more = said.removeprefix("1500 in #tea: ").split(", ")
    assert named == [f"{name}{number}" + " (connection lost)" * (number % 2) for number in range(len(named))]
    assert more == f"and {1500 - len(named)} more"
    assert len(named) == MAX_LISTED or MAX_TEXT - 150 < len(said.encode()) <= MAX_TEXT


def test_stats() -> None:
    """The numbers stand in one line, each behind its name."""
    said, rows = words.answer("/stats", Outcome(Code.OK, (("members", 3), ("up", "7 s"))))
    assert said == "members 3, up 7 s"
    assert json.loads(rows) == [["members", 3], ["up", "7 s"]]


# --- sizes ----------------------------------------------------------------------------------------------


def test_an_answer_that_is_too_long_loses_its_rows() -> None:
    """Words that fit come whole, although there is no room for the rows."""
    value = "x" * (MAX_TEXT - 100)
    said, rows = words.answer("/stats", Outcome(Code.OK, (("value", value),)))
    assert (said, rows) == (f"value {value}", "")


def test_an_answer_that_just_fits() -> None:
    """Words and rows that have exactly MAX_TEXT bytes both come whole; with one more byte no rows come."""
    fixed = len("value " + '[["value",""]]')
    assert fixed % 2 == 0  # the value stands in the words and in the rows
    for more, has_rows in ((0, True), (2, False)):
        value = "x" * ((MAX_TEXT - fixed + more) // 2)
        said, rows = words.answer("/stats", Outcome(Code.OK, (("value", value),)))
        assert said == f"value {value}" and bool(rows) is has_rows


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
