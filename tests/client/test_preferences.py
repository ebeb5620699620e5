"""What the user of a computer prefers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatroom.errors import ConfigError
from client.limits import KEPT_NAMES, KEYWORD_CHARACTERS, MAX_KEYWORDS
from client.preferences import Bell, Preferences


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chatroom" / "preferences.json"


def test_at_first(file: Path) -> None:
    """Without a file there are no keywords, a call rings, and nothing is written."""
    preferences = Preferences(file)
    assert (preferences.keywords, preferences.bell) == ((), Bell.MENTION)
    assert not file.parent.exists()


def test_they_are_kept(file: Path) -> None:
    """Another program finds what was set, in a file that only the user reads."""
    first = Preferences(file)
    assert first.add("exam") and first.add("Übung") and not first.add("EXAM")
    first.ring(Bell.OFF)
    assert first.remove("exam") and not first.remove("exam")
    second = Preferences(file)
    assert (second.keywords, second.bell) == (("Übung",), Bell.OFF)
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_programs(file: Path) -> None:
    """A change keeps what another program has changed meanwhile."""
    one, other = Preferences(file), Preferences(file)
    one.add("exam")
    other.add("lunch")
    assert Preferences(file).keywords == ("exam", "lunch")


def test_the_names_used_last(file: Path) -> None:
    """One for each server, of so many servers as are kept: those of the latest. Odd ones say nothing."""
    preferences = Preferences(file)
    assert preferences.name_at("localhost:5050") == ""
    preferences.call_me("mia", "localhost:5050")
    preferences.call_me("李雷", "localhost:5050")
    for number in range(KEPT_NAMES - 1):
        preferences.call_me("ann", f"localhost:{number}")
    assert Preferences(file).name_at("localhost:5050") == "李雷"
    preferences.call_me("ann", "example.org:5050")
    assert Preferences(file).name_at("localhost:5050") == ""
    assert Preferences(file).name_at("example.org:5050") == "ann"


@pytest.mark.parametrize("names", [[], {"s": 1}, {"s": "two words"}, {"s": "\x1b[2J"}, {"s": ""}])
def test_names_that_are_none(file: Path, names: object) -> None:
    """What cannot be a name is not proposed."""
    file.parent.mkdir()
    file.write_text(json.dumps({"names": names}))
    assert Preferences(file).name_at("s") == ""


def test_without_a_folder() -> None:
    """Where nothing can be kept, it holds as long as the program runs."""
    preferences = Preferences()
    assert preferences.add("exam") and preferences.keywords == ("exam",)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It holds for now, and the user is told."""
    (tmp_path / "file").write_text("")
    preferences = Preferences(tmp_path / "file" / "preferences.json")
    with pytest.raises(ConfigError, match="until you leave"):
        preferences.add("exam")
    assert preferences.keywords == ("exam",)


@pytest.mark.parametrize("word", ["", "  ", "x" * (KEYWORD_CHARACTERS + 1)])
def test_what_is_no_keyword(word: str) -> None:
    """An empty text would be in every line; a long one is no word."""
    with pytest.raises(ConfigError):
        Preferences().add(word)


def test_too_many_keywords() -> None:
    """Each is looked for in every line, so there is a bound."""
    preferences = Preferences()
    for number in range(MAX_KEYWORDS):
        preferences.add(f"word{number}")
    with pytest.raises(ConfigError, match="50 keywords already"):
        preferences.add("one more")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\xff", b"[1]", b"[" * 100_000, b"x" * 100_000, b'{"bell":"loud","keywords":"exam"}'),
        json.dumps({"keywords": [1, None, "", "x" * 65]}).encode(),
    ],
)
def test_a_file_of_something_else(file: Path, data: bytes) -> None:
    """Whatever is in the file, the program starts."""
    file.parent.mkdir()
    file.write_bytes(data)
    preferences = Preferences(file)
    assert (preferences.keywords, preferences.bell) == ((), Bell.MENTION)


def test_a_file_with_too_many_words(file: Path) -> None:
    """No more are taken than may be added, and none can move the cursor."""
    file.parent.mkdir()
    file.write_text(json.dumps({"keywords": ["\x1b[2Jexam", *(f"word{n}" for n in range(99))]}))
    keywords = Preferences(file).keywords
    assert len(keywords) == MAX_KEYWORDS and "\x1b" not in keywords[0]
