"""Options of a program that do not stand on its command line: those in a TOML file and in the environment.

A key of the file is the long name of an option, without the dashes: `port = 5050`, `tls-self = true`,
`channel = ["lunch", "team"]`. A variable is CHATROOM_, the program and the option: `CHATROOM_SERVER_PORT`.
The command line beats the environment, that the file, and that the default.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

from chatroom.errors import ConfigError
from chatroom.limits import CONFIG_BYTES
from chatroom.printable import printable_line

CONFIG: Final = "config"
"""The option that names the file; it does not stand in the file."""

FILE: Final = "FILE"
"""The metavar of options whose value is the path of a file."""

_TRUTHS: Final = {"true": True, "false": False, "1": True, "0": False}
_SHOWN: Final = 40  # characters of a wrong value that a message repeats


class Rules(NamedTuple):
    """What is special about the options of a program.

    program:   its name within the variables: server or client
    only_here: destinations of options that stand on the command line only
    exclusive: groups of destinations; an option of a group makes those of lower sources in it void
    default:   the file that is read when none is named, if it is there; None: there is none
    """

    program: str
    only_here: Collection[str]
    exclusive: Sequence[Collection[str]] = ()
    default: Callable[[], Path | None] = lambda: None


def resolve(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    rules: Rules,
    environment: Mapping[str, str] | None = None,
) -> argparse.Namespace:
    """The options from all sources. For a wrong command line the parser ends the program.

    Raises ConfigError, in one line, with the file and the key, or the variable.
    """
    environment = os.environ if environment is None else environment
    actions = {one.dest: one for one in parser._actions if one.default is not argparse.SUPPRESS}
    # A value that is there already is no default: so it can be seen what the command line has.
    given = vars(parser.parse_args(arguments, argparse.Namespace(**dict.fromkeys(actions))))
    found = {dest: value for dest, value in given.items() if not _is_default(actions[dest], value)}
    settable = {dest: action for dest, action in actions.items() if dest not in rules.only_here}
    _add(found, _of_environment(settable, rules, environment), rules)
    _add(found, _of_file(settable, rules, found.get(CONFIG)), rules)
    return argparse.Namespace(**({dest: action.default for dest, action in actions.items()} | found))


def _is_default(action: argparse.Action, value: object) -> bool:
    """Whether the command line has nothing of it. argparse sets an argument without a dash in any case."""
    return value is None or (not action.option_strings and value is action.default)


def _add(found: dict[str, Any], more: Mapping[str, Any], rules: Rules) -> None:
    """Take what a lower source has, and no higher one has or makes void."""
    void = {dest for group in rules.exclusive if not found.keys().isdisjoint(group) for dest in group}
    for dest, value in more.items():
        if dest not in void:
            found.setdefault(dest, value)


def _name(action: argparse.Action) -> str:
    """The key of an option in a file."""
    long = [one for one in action.option_strings if one.startswith("--")]
    return long[0][2:] if long else action.dest


# --- the environment --------------------------------------------------------------------------------------


def _of_environment(
    settable: Mapping[str, argparse.Action], rules: Rules, environment: Mapping[str, str]
) -> dict[str, Any]:
    prefix = f"CHATROOM_{rules.program.upper()}_"
    names = {prefix + _name(action).replace("-", "_").upper(): action for action in settable.values()}
    found: dict[str, Any] = {}
    for name in sorted(environment):
        if not name.startswith(prefix):
            continue
        if name not in names:
            raise ConfigError(f"in the environment: {_unknown(name, names)}")
        action, text = names[name], environment[name]
        try:
            found[action.dest] = _of_text(action, text)
        except ValueError as error:
            raise ConfigError(f"in the environment: {name}: {error}") from None
    return found


def _of_text(action: argparse.Action, text: str) -> Any:
    """The value of an option in the environment. Raises ValueError."""
    if _is_switch(action):
        if text.lower() not in _TRUTHS:
            raise ValueError(f"has to be true or false, not {_shown(text)}")
        return _TRUTHS[text.lower()]
    if _is_list(action):
        return [_converted(action, one) for one in text.replace(",", " ").split()]
    return _converted(action, text)


# --- the file ---------------------------------------------------------------------------------------------


def _of_file(settable: Mapping[str, argparse.Action], rules: Rules, named: str | None) -> dict[str, Any]:
    path = Path(named) if named is not None else rules.default()
    if path is None:
        return {}
    names = {_name(action): action for action in settable.values() if action.dest != CONFIG}
    found: dict[str, Any] = {}
    for key, value in _read(path, must_be_there=named is not None).items():
        if key not in names:
            raise ConfigError(f"{path}: {_unknown(key, names)}")
        try:
            found[names[key].dest] = _of_toml(names[key], value, path.parent)
        except ValueError as error:
            raise ConfigError(f"{path}: {key}: {error}") from None
    return found


def _read(path: Path, must_be_there: bool) -> dict[str, Any]:
    """Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_BYTES + 1)
    except FileNotFoundError:
        if not must_be_there:
            return {}
        raise ConfigError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(data) > CONFIG_BYTES:
        raise ConfigError(f"{path}: longer than {CONFIG_BYTES} bytes")
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not in UTF-8") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError; or a number has thousands of digits
        raise ConfigError(f"{path}: {printable_line(str(error)) or 'too deep'}") from None


def _of_toml(action: argparse.Action, value: Any, folder: Path) -> Any:
    """The value of an option in a file. Raises ValueError."""
    if _is_switch(action):
        if not isinstance(value, bool):
            raise ValueError(f"has to be true or false, not {_shown(value)}")
        return value
    if _is_list(action):
        values = value if isinstance(value, list) else [value]
        return [_of_toml_scalar(action, one, "a text, or a list of texts", folder) for one in values]
    return _of_toml_scalar(action, value, "a text in quotes", folder)


def _of_toml_scalar(action: argparse.Action, value: Any, text: str, folder: Path) -> Any:
    """text: what has to be there, if it is no number"""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not isinstance(value, str):
        raise ValueError(f"cannot be {_shown(value)}")
    if "\0" in str(value):  # no path, no host: Python raises ValueError wherever it is used
        raise ValueError(f"cannot have a NUL, as in {_shown(value)}")
    converted = _converted(action, str(value) if is_number else _path(action, value, folder))
    wants_number = isinstance(converted, int | float)
    if wants_number != is_number:
        raise ValueError(f"has to be {'a number' if wants_number else text}, not {_shown(value)}")
    return converted


def _path(action: argparse.Action, text: str, folder: Path) -> str:
    """A path in a file is meant from the folder of that file. ":memory:" is none."""
    if action.metavar != FILE or text == ":memory:":
        return text
    try:
        return str(folder / Path(text).expanduser())
    except RuntimeError:
        raise ValueError(f"there is no home folder for {_shown(text)}") from None


# --- values -----------------------------------------------------------------------------------------------


def _is_switch(action: argparse.Action) -> bool:
    return action.nargs == 0


def _is_list(action: argparse.Action) -> bool:
    return isinstance(action, argparse._AppendAction)


def _converted(action: argparse.Action, text: str) -> Any:
    """As the command line would take it. Raises ValueError."""
    try:
        value = action.type(text) if callable(action.type) else text
    except (argparse.ArgumentTypeError, ValueError, TypeError) as error:
        raise ValueError(printable_line(str(error))) from None
    if action.choices is not None and value not in action.choices:
        raise ValueError(f"has to be {' or '.join(map(str, action.choices))}, not {_shown(text)}")
    return value


def _shown(value: object) -> str:
    """A wrong value, short and on one line."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else printable_line(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _unknown(name: str, names: Iterable[str]) -> str:
    """What is said of a name that no option has. A password must not stand in a file that others may read."""
    shown = printable_line(name)
    if "password" in name.lower():
        return f"{shown}: a password stands in a file of its own, which password-file names"
    near = get_close_matches(name, list(names), 1)
    return f"{shown}: there is no such option{f'; perhaps {near[0]}' if near else ''}"
