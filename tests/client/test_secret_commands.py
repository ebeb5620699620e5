"""client/secret_commands.py"""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from client.secret_commands import SHAPES, as_sent, compose, concealed, has_secrets, split


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("/register", ("/register", [], [])),
        ("/register hunter2", ("/register", [], ["hunter2"])),
        ("/REGISTER  two words ", ("/register", [], ["two words"])),
        ("/passwd old the new one", ("/passwd", [], ["old", "the new one"])),
        ("/recover dora", ("/recover", ["dora"], [])),
        ("/recover dora AB-CD new one", ("/recover", ["dora"], ["AB-CD", "new one"])),
        ("/login dora", ("/login", ["dora"], [])),
        ("/login dora my pass", ("/login", ["dora"], ["my pass"])),
        ("/who #general", ("/who", ["#general"], [])),
        ("/who", ("/who", [], [])),
        ("hello there", ("hello", ["there"], [])),
    ],
)
def test_splitting(typed: str, parts: tuple[str, list[str], list[str]]) -> None:
    """Open arguments come first, the last secret is the rest of the line."""
    assert split(typed) == parts


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("/register hunter2", "/register \u2026"),
        ("/register", "/register"),
        ("/passwd old new", "/passwd \u2026 \u2026"),
        ("/recover dora AB-CD new", "/recover dora \u2026 \u2026"),
        ("/who hunter2", "/who hunter2"),
        ("/join #tea", "/join #tea"),
        ("/JOIN  #tea word", "/join #tea \u2026"),
        ("/set #tea key word", "/set #tea key \u2026"),
        ("/set KEY word", "/set KEY \u2026"),
        ("/set * key word", "/set * key \u2026"),
        ("/set * key off", "/set * key off"),
        ("/set key off", "/set key off"),
        ("/set moderated on", "/set moderated on"),
        ("", ""),
        ("  ", "  "),
    ],
)
def test_concealing(typed: str, shown: str) -> None:
    """Secrets are left out, all else stays."""
    assert concealed(typed) == shown
    assert has_secrets(typed) == (typed != shown)


@given(st.sampled_from(sorted(SHAPES)), st.lists(st.text(min_size=1), min_size=1, max_size=2))
def test_secrets_survive_the_wire(word: str, secrets: list[str]) -> None:
    """Whatever is in a secret, the server finds the same between two spaces."""
    try:
        line = compose(word, [], secrets)
    except ConfigError as refused:
        assert any("\ud800" <= character <= "\udfff" for character in "".join(secrets))
        assert refused.__context__ is None
        return
    assert line.isprintable()
    assert [unquote(part) for part in line.split(" ")[1:]] == secrets


@given(st.sampled_from(sorted(SHAPES)), st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_secret_is_shown(word: str, rest: str) -> None:
    """Nothing that may be a secret stands in the concealed line."""
    line = f"{word} {rest}"
    shown, (_, open_arguments, secrets) = concealed(line), split(line)
    if secrets:
        assert shown.split(" ") == [word, *open_arguments, *["\u2026"] * len(secrets)]


def test_a_plain_secret_is_sent_as_it_is() -> None:
    """What has neither a space nor a per cent sign can be read on the wire as it was typed."""
    assert compose("/passwd", [], ["old-1_x.~", "new"]) == "/passwd old-1_x.~ new"
    assert compose("/recover", ["dora"], ["AB-CD", "two words"]) == "/recover dora AB-CD two%20words"


@pytest.mark.parametrize(
    "text",
    [
        "／register secret",
        "/ＲＥＧＩＳＴＥＲ secret",
        " ／login dora secret",
        "／set key secret",
        "／set　＊　ｋｅｙ　secret",
        "/set ＃tea Key secret",
        "／join #tea secret",
    ],
)
def test_wide_letters(text: str) -> None:
    """What an East Asian keyboard makes of a command is hidden like the command."""
    assert has_secrets(text) and "secret" not in concealed(text)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("/register long enough pw", "/register long%20enough%20pw"),
        ("/passwd old 100% new", "/passwd old 100%25%20new"),
        ("/register", "/register"),
        ("/who  #general", "/who  #general"),
        ("/topic 100% tea", "/topic 100% tea"),
    ],
)
def test_what_a_program_asks_is_sent_as_a_terminal_sends_it(typed: str, sent: str) -> None:
    """Only secrets are encoded."""
    assert as_sent(typed) == sent
