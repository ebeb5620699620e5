"""client/answer_words.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.commands import COMMANDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Answer
from client.answer_words import _ALIASES, _TABLES, _TIMED, answer_words
from server import words as server_words
from tests.support.events import NOON

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def said(command: str, words: str, *rows: object, code: int = Code.OK, columns: int | None = 57) -> str:
    text = json.dumps(rows) if rows else ""
    return answer_words(command, Answer(1, code, words, text), columns, NOON, utc)


def test_a_table_is_as_wide_as_the_screen() -> None:
    """The rows count, not the words of a server that does not know the screen."""
    rows = ("#tea", ["ann", "here"], ["李雷", "here"])
    assert said("/who", "/who #tea: 2 here\n  ann  李雷", *rows, columns=9) == "#tea: 2 here\n  ann,\n  李雷"
    assert said("/who", "/who", *rows, columns=None) == "#tea: 2 here; ann, 李雷"


def test_moments_are_local() -> None:
    """A ban ends by the reader's clock."""
    whois = [["name", "bob"], ["account", ""], ["role", "member"], ["phase", "here"], ["since", NOON]]
    text = said("/whois", "", *whois, ["encrypted", True], ["software", []])
    assert text == "bob (no account), here since 2023-11-14 22:13, encrypted"
    text = said("/bans", "", ["ban", "eve", "ann", NOON, NOON + 60_000, "spam"])
    assert "until 2023-11-14 22:14" in text and "UTC" not in text


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("/who #tea: 2 here", "#tea: 2 here"),
        ("/who: nobody", "nobody"),
        ("/whois", "/whois"),
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_the_command_is_not_named_twice(words: str, shown: str) -> None:
    """A server says it for simple clients; here it stands beside the words."""
    assert said("/who", words) == shown
    assert said("", "/who x") == "/who x"  # a line was answered, not a command


def test_a_refusal() -> None:
    """It is in the words of `refusal_words`, without the command, which stands beside them."""
    assert said("/set", "/set needs the role operator", code=Code.NEED_ROLE) == "needs the role operator"


@given(st.sampled_from([*_TABLES, *_TIMED]), st.lists(JSON, max_size=6), st.sampled_from([None, 2, 33, 57]))
def test_any_rows(command: str, rows: list[object], columns: int | None) -> None:
    """Whatever a server sends as rows, the answer has words."""
    assert said(command, "the server's words", *rows, columns=columns)


def test_other_names_of_commands() -> None:
    """They are those of the server; the answer to /W is that to /who."""
    known = {alias: name for name in [*_TABLES, *_TIMED] for alias in COMMANDS[name].aliases}
    assert known == _ALIASES
    assert said("/W", "/who #tea: 1 here", "#tea", ["ann", "here"], columns=None) == "#tea: 1 here; ann"


@pytest.mark.parametrize("command", [*_TABLES, *_TIMED])
def test_the_server_has_words_for_all_of_them(command: str) -> None:
    """Simple clients show the words of the same answers."""
    outcome = Outcome(Code.OK, ("#tea",) if command == "/who" else ())
    assert command == "/whois" or server_words.answer(command, outcome)[0]
