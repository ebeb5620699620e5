"""client/__main__.py"""

from __future__ import annotations

import getpass

import pytest

from chatroom.limits import DEAD_AFTER
from client.__main__ import login_name, main, parser


def test_without_options_the_defaults_of_the_readme_hold() -> None:
    """The server on this computer, #general, and a name that is asked for."""
    options = parser().parse_args([])
    assert options.address == ("127.0.0.1", 5050)
    assert (options.channel, options.name, options.dead_after) == ("#general", None, DEAD_AFTER)
    assert (options.history, options.retry_for, options.repaint) == (None, None, "around")


def test_all_options() -> None:
    """Each option reaches its place."""
    line = "[::1]:6000 --name ann --channel #x --json --follow --no-color"
    line += " --history 7 --retry-for 0 --dead-after 1.5 --repaint inline"
    options = parser().parse_args(line.split())
    assert options.address == ("::1", 6000)
    assert (options.name, options.channel) == ("ann", "#x")
    assert options.json
    assert options.follow
    assert options.no_color
    assert (options.history, options.retry_for, options.dead_after) == (7, 0.0, 1.5)
    assert options.repaint == "inline"


@pytest.mark.parametrize(
    "wrong",
    [
        *("--nonsense", "host:x", "a b", "--history -1", "--history 70000", "--dead-after 0"),
        *("--retry-for nan", "--retry-for inf", "--repaint maybe", "--name", "--dead-after 1e300"),
        *("--name a/b", "--name -", "--channel general", "--channel #", "fe80::1"),
    ],
)
def test_a_wrong_option_is_one_line(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One clear line on stderr, exit code 2."""
    with pytest.raises(SystemExit) as left:
        main(wrong.split())
    assert left.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("chatroom-client: ")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("login", "name"), [("ann", "ann"), ("DOMAIN\\ann", "guest"), ("", "guest"), ("-x", "guest")]
)
def test_the_login_name_if_it_can_be_one(login: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default name is the login name, or `guest` where that is no valid name."""
    monkeypatch.setattr(getpass, "getuser", lambda: login)
    assert login_name() == name


def test_a_computer_without_login_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a login name (containers) the default name is `guest`."""

    def nobody() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert login_name() == "guest"
