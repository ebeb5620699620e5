"""client/settings.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.errors import ConfigError
from chatroom.option_sources import resolve
from client.__main__ import parser
from client.settings import RULES, default_config


def test_where_the_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG Base Directory Specification says; a relative path there counts for nothing."""
    monkeypatch.setenv("HOME", "/home/ann")
    for folder, path in (("/etc/x", "/etc/x"), ("", "/home/ann/.config"), ("x", "/home/ann/.config")):
        monkeypatch.setenv("XDG_CONFIG_HOME", folder)
        assert default_config() == Path(path) / "chatroom" / "client.toml"


def test_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is no such file."""

    def expand(_: Path) -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", expand)
    assert default_config() is None


def options(path: Path, text: str, *arguments: str) -> object:
    path.write_text(text)
    return resolve(parser(), ["--config", str(path), *arguments], RULES, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('address = "[::1]:7"', {"address": ("::1", 7)}),
        ('name = "dora"\nhistory = 7', {"name": "dora", "history": 7}),
        ('channel = "lunch"', {"channel": ["#lunch"]}),
        ('channel = ["lunch", "#tea"]', {"channel": ["#lunch", "#tea"]}),
        ('ground = "light"\nno-color = true', {"ground": "light", "no_color": True}),
        ("tls-trust = true\nretry-for = 0\ndead-after = 5.5", {"tls_trust": True, "dead_after": 5.5}),
    ],
)
def test_a_file(text: str, expected: dict[str, object], tmp_path: Path) -> None:
    """The values are those that the command line would give."""
    found = vars(options(tmp_path / "x.toml", text))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        'name = "two words"',
        'channel = "a b"',
        'ground = "blue"',
        "history = -1",
        'address = "x:y"',
        "theme = 1",
    ],
)
def test_a_wrong_value(text: str, tmp_path: Path) -> None:
    """It is refused as on the command line."""
    with pytest.raises(ConfigError, match=text.partition(" ")[0]):
        options(tmp_path / "x.toml", text)


def test_how_it_is_encrypted(tmp_path: Path) -> None:
    """What the command line says makes void what the file says of it."""
    found = vars(options(tmp_path / "x.toml", "tls-trust = true", "--tls-ca", "x.pem"))
    assert (found["tls_ca"], found["tls_trust"]) == (Path("x.pem"), False)
