"""client/answer_words.py"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.commands import COMMANDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Answer
from client.answer_words import _ALIASES, _TABLES, _TIMED, answer_words
from client.places import Places
from server import words as server_words
from tests.chatroom.test_printable import HARMFUL
from tests.support.events import NOON
from tests.views.attacks import DRIVING
from tests.views.screen import Screen
from views import Depth, PlainView, Status, View, Waiting

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


def test_roles_of_members() -> None:
    """/who tells who may do more, as far as the client knows; other rows are as they are."""
    answer = Answer(1, Code.OK, "", '["#tea", ["ann", "here"], ["bob", "lost"], ["eve", "here"], 2]')
    asked = list[str]()

    def roles(channel: str) -> dict[str, str]:
        asked.append(channel)
        return {"ann": "owner", "bob": "voice"}

    told = answer_words("/names", answer, None, NOON, roles=roles)
    assert told == "#tea: 5 here; ann (owner), eve; connection lost: bob (voice); and 2 more"
    assert asked == ["#tea"]


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
    rows: dict[str, tuple[Any, ...]] = {"/who": ("#tea",), "/trace": ((0, "handler ann", "read"),)}
    outcome = Outcome(Code.OK, rows.get(command, ()))
    assert command == "/whois" or server_words.answer(command, outcome)[0]


@pytest.mark.parametrize("text", DRIVING, ids=ascii)
def test_no_table_drives_the_terminal(text: str) -> None:
    """Names, topics, roles and reasons in the tables that the client makes of a server's rows, painted or as
    plain lines; the list of places and the conversations that wait."""
    tables = [answer_words(command, answer, columns, NOON, utc) for command, answer, columns in hostile(text)]
    assert len(tables) == 2 * len([*_TABLES, *_TIMED]) and all(tables)
    room = mock.Mock(place=9, unread=2, gone=True, direct=True)
    room.name = f"@{text}"
    places = Places(mock.Mock(channel="#a", rooms=[room]), mock.Mock(lines=24), lambda name, place: None)
    waiting = (Waiting(room.name, 2), Waiting(f"#{text}", 1, 1))
    screen, view = Screen(80, 24), View(80, 24, name="ann", depth=Depth.MANY)
    plain = PlainView(name="ann", clock=lambda: NOON)
    for each in (view, plain):
        for table in (*tables, places.listing(each.table_columns)):
            each.system(table, NOON, "/who")
        each.status(Status("#general", f", {text}", waiting=waiting, topic=text, to=text))
    now = 0.0
    while view.wait(now) is not None:
        now += 1.0
        screen.feed(view.tick(now))
        assert screen.obeyed == [] and not screen.cursor.hidden
    assert not HARMFUL & set(plain.tick(0.0)) - {"\n"}


def hostile(text: str) -> Iterator[tuple[str, Answer, int | None]]:
    """Answers with this text in each place that has one, for a screen and for somebody who listens."""
    rows: dict[str, list[object]] = {
        "/who": [f"#{text}", [text, "here"], [text, "absent"]],
        "/channels": [[f"#{text}", 1, text, 0, True]],
        "/stats": [[text, 7]],
        "/inspect": [
            {"numbers": {}, "threads": [[text, text, text, 1, 0]], "members": [[text] * 3 + [0, 5]]}
        ],
        "/trace": [[0, text, "sent", [text], 1], [1, text, text]],
        "/bans": [["ban", text, text, NOON, NOON + 1, text]],
        "/sessions": [[1, "here", True, True, NOON, text, text, text]],
        "/log": [[1, NOON, text, text, text, text]],
        "/whois": [
            *(["name", text], ["account", text], ["role", text], ["phase", "here"], ["since", NOON]),
            *(["encrypted", True], ["software", [text]], ["away", text], ["addresses", [text]]),
        ],
    }
    for command, each in rows.items():
        for columns in (57, None):
            yield command, Answer(1, Code.OK, "", json.dumps(each)), columns
