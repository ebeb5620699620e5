"""server/settings.py"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatroom.bounds import SETTABLE, Limits
from chatroom.errors import ConfigError
from chatroom.option_sources import resolve
from server.__main__ import _config, parser
from server.ports import Ports
from server.reloading import NEED_A_RESTART, OPTION_OF_LIMIT
from server.retention import Retention
from server.settings import RULES, check_together, set_limits


def test_the_limits() -> None:
    """Every limit that can be set has an option, whose default is the limit's."""
    options = parser().parse_args([])
    assert set_limits(options) == {name: getattr(Limits(), name) for name in SETTABLE}
    names = {"--" + option for option in OPTION_OF_LIMIT.values()} | {
        f"--{one}" for one in NEED_A_RESTART.values()
    }
    assert names <= {option for action in parser()._actions for option in action.option_strings}
    assert OPTION_OF_LIMIT.keys() == SETTABLE.keys()


@pytest.mark.parametrize(
    "option",
    ["--hold=-1", "--hold=3601", "--hold=nan", "--hold=x", "--edit-for=1e9", "--address-accounts=0"],
)
def test_a_limit_that_cannot_be(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says which values can be."""
    with pytest.raises(SystemExit):
        parser().parse_args([option])
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and option.partition("=")[0] in said


@pytest.mark.parametrize("text", ['check = "x"', 'export = "x"', 'sqlite = "x"', "with-direct = true"])
def test_what_a_file_cannot_say(text: str, tmp_path: Path) -> None:
    """A server does not begin to print its history because of a file."""
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="there is no such option"):
        resolve(parser(), ["--config", str(path)], RULES, {})


def test_options_together(tmp_path: Path) -> None:
    """Those of a file are judged together with those of the command line."""
    path = tmp_path / "x.toml"
    path.write_text('tls-key = "key.pem"')
    with pytest.raises(ConfigError, match="--tls-key FILE needs --tls-cert FILE"):
        check_together(resolve(parser(), ["--config", str(path)], RULES, {}))
    check_together(resolve(parser(), ["--config", str(path), "--tls-self"], RULES, {}))


def test_the_files_in_the_notes() -> None:
    """notes/running/server.toml is one that a server takes; so is the other for a client."""
    from client.__main__ import parser as of_client
    from client.settings import RULES as RULES_OF_CLIENT

    folder = Path(__file__).resolve().parents[2] / "notes" / "running"
    found = resolve(parser(), ["--config", str(folder / "server.toml")], RULES, {})
    check_together(found)
    assert found.motd == folder / "motd.txt" and found.ports == "same"
    there = resolve(of_client(), ["--config", str(folder / "client.toml")], RULES_OF_CLIENT, {})
    assert there.channel == ["#general", "#team", "#lunch"]


def test_a_pipe_is_not_read_again(tmp_path: Path) -> None:
    """At SIGHUP it would be empty, so that all were as by default, or nobody would end it."""
    path = tmp_path / "server.toml"
    path.write_text("hold = 7")
    arguments = ["--config", str(path), "--data", ":memory:"]
    config = _config(resolve(parser(), arguments, RULES), Ports(), Retention.parse("all"), arguments)
    assert config.reread is not None and config.reread().limits["hold"] == 7000
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"server.toml: a pipe cannot be read again"):
        config.reread()
