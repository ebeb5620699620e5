"""chatroom/option_sources.py"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from chatroom.limits import CONFIG_BYTES
from chatroom.option_sources import Rules, resolve


def whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number")
    return int(text)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="x", exit_on_error=False)
    options.add_argument("address", nargs="?", type=lambda text: ("typed", text), default=("typed", "here"))
    options.add_argument("--config", metavar="FILE")
    options.add_argument("--port", type=whole, default=5050)
    options.add_argument("--dead-after", type=float, default=45.0)
    options.add_argument("--keep", default="all")
    options.add_argument("--how", choices=("normal", "full"), default="normal")
    options.add_argument("--tls-cert", type=Path, metavar="FILE")
    options.add_argument("--tls-self", action="store_true")
    options.add_argument("--channel", action="append")
    options.add_argument("--check", metavar="FILE")
    options.add_argument("-v", "--verbose", action="store_true")
    return options


RULES = Rules("thing", ("check",), (("tls_cert", "tls_self"),))

Ask = Callable[..., argparse.Namespace]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Resolve with a file of this text, a command line, and variables."""

    def ask(text: str | bytes, *arguments: str, **variables: str) -> argparse.Namespace:
        path = tmp_path / "x.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        environment = {f"CHATROOM_THING_{name}": value for name, value in variables.items()}
        return resolve(parser(), ["--config", str(path), *arguments], RULES, environment)

    return ask


def test_without_sources() -> None:
    """Nothing but the defaults; the variables of other programs do not matter."""
    found = resolve(parser(), [], RULES, {"CHATROOM_OTHER_PORT": "x", "PORT": "1"})
    assert vars(found) == vars(parser().parse_args([]))


def test_every_kind(ask: Ask, tmp_path: Path) -> None:
    """Numbers, texts, switches, lists and paths; a path is meant from the folder of the file."""
    found = ask(
        'port = 7\ndead-after = 2.5\nkeep = "90d"\nhow = "full"\ntls-cert = "c.pem"\nverbose = true\n'
        'channel = ["lunch", "team"]\naddress = "there"\n'
    )
    assert (found.port, found.dead_after, found.keep, found.how) == (7, 2.5, "90d", "full")
    assert (found.tls_cert, found.verbose, found.channel) == (tmp_path / "c.pem", True, ["lunch", "team"])
    assert found.address == ("typed", "there")


def test_a_whole_number_is_a_number(ask: Ask) -> None:
    """Of an option that takes fractions, too."""
    assert ask("dead-after = 3").dead_after == 3.0


def test_who_beats_whom(ask: Ask) -> None:
    """The command line beats the environment, that the file, and that the default."""
    text = 'port = 1\nkeep = "file"\naddress = "file"\nchannel = "file"\nverbose = true'
    assert ask(text).port == 1
    assert ask(text, PORT="2").port == 2
    assert ask(text, "--port", "3", PORT="2").port == 3
    assert ask(text, VERBOSE="false").verbose is False
    assert ask(text, "--keep", "all").keep == "all", "as the default, but said"
    assert ask(text, "typed").address == ("typed", "typed")
    assert ask(text, "--channel", "line", CHANNEL="a, b").channel == ["line"]
    assert ask(text, CHANNEL="a, b").channel == ["a", "b"]


def test_options_that_exclude_each_other(ask: Ask, tmp_path: Path) -> None:
    """One of a higher source makes those of lower sources void."""
    found = ask('tls-cert = "c.pem"', "--tls-self")
    assert (found.tls_cert, found.tls_self) == (None, True)
    found = ask("tls-self = true", TLS_CERT="e.pem")
    assert (found.tls_cert, found.tls_self) == (Path("e.pem"), False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("prot = 1", "prot: there is no such option; perhaps port"),
        ("x = 1", "x: there is no such option"),
        ("check = 'x'", "check: there is no such option"),
        ("config = 'x'", "config: there is no such option"),
        ("help = true", "help: there is no such option"),
        ("[port]\nx = 1", "port: cannot be a table"),
        ("password = 'x'", "password: a password stands in a file of its own, which password-file names"),
        ('port = "7"', "port: has to be a number, not '7'"),
        ("port = true", "port: cannot be true"),
        ("port = 1.5", "port: 1.5 is not a whole number"),
        ("port = [1]", "port: cannot be a list"),
        ("keep = 90", "keep: has to be a text in quotes, not 90"),
        ("keep = 1979-05-27", "keep: cannot be datetime.date(1979, 5, 27)"),
        ('verbose = "yes"', "verbose: has to be true or false, not 'yes'"),
        ("verbose = 1", "verbose: has to be true or false, not 1"),
        ('how = "much"', "how: has to be normal or full, not 'much'"),
        ("channel = [1]", "channel: has to be a text, or a list of texts, not 1"),
        ("port = ", "Invalid value (at end of document)"),
        ("port = 1\nport = 2", "Cannot overwrite a value"),
        ("port = " + "1" * 5000, "Exceeds the limit"),  # Python reads no longer number
        ("port = 0x" + "f" * 5000, "port: Exceeds the limit"),
        ('tls-cert = "a\\u0000b"', "tls-cert: cannot have a NUL, as in 'a\\x00b'"),
        ('channel = ["a\\u0000"]', "channel: cannot have a NUL"),
        (b"keep = '\xff'", "not in UTF-8"),
        ("#" * (CONFIG_BYTES + 1), f"longer than {CONFIG_BYTES} bytes"),
    ],
)
def test_what_is_wrong_in_a_file(text: str | bytes, why: str, ask: Ask, tmp_path: Path) -> None:
    """One line, which names the file and the key."""
    with pytest.raises(ConfigError) as wrong:
        ask(text)
    assert str(wrong.value).startswith(f"{tmp_path / 'x.toml'}: {why}") and "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"PROT": "1"}, "CHATROOM_THING_PROT: there is no such option; perhaps CHATROOM_THING_PORT"),
        ({"CHECK": "1"}, "CHATROOM_THING_CHECK: there is no such option"),
        ({"PORT": "x"}, "CHATROOM_THING_PORT: x is not a whole number"),
        ({"VERBOSE": "yes"}, "CHATROOM_THING_VERBOSE: has to be true or false, not 'yes'"),
    ],
)
def test_what_is_wrong_in_the_environment(variables: dict[str, str], why: str, ask: Ask) -> None:
    """One line, which names the variable."""
    with pytest.raises(ConfigError) as wrong:
        ask("", **variables)
    assert str(wrong.value).startswith(f"in the environment: {why}")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """A file that is named has to be there; the one that is looked for does not."""
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigError, match=r"missing.toml: there is no such file"):
        resolve(parser(), ["--config", str(missing)], RULES, {})
    with pytest.raises(ConfigError, match="Is a directory"):
        resolve(parser(), [], RULES, {"CHATROOM_THING_CONFIG": str(tmp_path)})
    rules = RULES._replace(default=lambda: missing)
    assert resolve(parser(), [], rules, {}).port == 5050
    missing.write_text("port = 6")
    assert resolve(parser(), [], rules, {}).port == 6


def test_the_help_still_has_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    """A parser is left as it was."""
    options = parser()
    before = options.format_help()
    resolve(options, ["--port", "1"], RULES, {})
    assert options.format_help() == before


KEYS = ["port", "dead-after", "keep", "how", "verbose", "channel", "tls-cert"]
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_any_value(key: str, value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever a key has, it is taken with the type that the command line gives, or refused in one line."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(f"{key} = {toml(value)}", encoding="utf-8", errors="surrogatepass")
    try:
        found = vars(resolve(parser(), ["--config", str(path)], RULES, {}))[key.replace("-", "_")]
    except ConfigError as wrong:
        assert "\n" not in str(wrong) and str(wrong).startswith(str(path))
    else:
        kinds = {"port": int, "dead-after": float, "verbose": bool, "channel": list, "tls-cert": Path}
        assert isinstance(found, kinds.get(key, str))


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(one):08x}" for one in value) + '"'
    return str(value)


@settings(max_examples=100, deadline=None)
@given(text=st.binary(max_size=60))
def test_any_file(text: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever a file holds, it is read or refused in one line."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text)
    try:
        resolve(parser(), ["--config", str(path)], RULES, {})
    except ConfigError as wrong:
        assert "\n" not in str(wrong) and str(wrong).startswith(str(path))
