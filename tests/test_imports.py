"""Which module may import which other, and why."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("chatroom", "client", "server", "views")
MODULES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))

_HEART = "every door and every test uses chatroom/, so it must work without the other packages"
_SIDES = "server and client meet only on the wire, so that either can be replaced (by a program in C++, too)"
_VIEWS = "views turn state into text; packets and threads are the client's business"
_PURE = "no socket, thread, clock or terminal: state in, result out, tested with plain values"
_FOLD = "the same entries must give the same state on every server and in every test"

_NAMES = tuple(f"chatroom.{name}" for name in ("names", "lookalikes", "shown", "unicode_tables", "printable"))

_WORDS = ("chatroom.moments", "chatroom.table")
"""What words and tables of all sides are made of."""

# package → our own modules that it may import, and why no others
ALLOWED: dict[str, tuple[tuple[str, ...], str]] = {
    "chatroom": (("chatroom",), _HEART),
    "views": (("views", "chatroom.events", "chatroom.limits", "chatroom.errors", *_NAMES, *_WORDS), _VIEWS),
    "client": (("client", "views", "chatroom"), _SIDES),
    "server": (("server", "chatroom"), _SIDES),
}

_TRANSPORT = frozenset(
    {"socket", "ssl", "sqlite3", "termios", "tty", "select", "selectors", "socketserver", "asyncio"}
)
_IMPURE = _TRANSPORT | frozenset(
    {"threading", "queue", "concurrent", "multiprocessing", "subprocess", "signal", "os", "sys", "time"}
    | {"random", "secrets", "uuid", "curses", "readline", "msvcrt", "fcntl", "pty", "logging"}
)


def _of_chatroom(*modules: str) -> tuple[str, ...]:
    return tuple(f"chatroom.{module}" for module in modules)


_WIRE = (*_of_chatroom("events", "packets", "handshake", "limits", "errors"), *_NAMES)
"""What is said, and how."""
_STATE = _of_chatroom(
    *("state", "bounds", "ledger", "holders", "channels", "sessions", "entrance"),
    *("conversations", "direct", "lines", "amendments"),
    *(
        "accounts",
        "rights",
        "guard",
        "guard_acts",
        "guard_pace",
        "acts",
        "act",
        "account_acts",
        "channel_acts",
        "people_acts",
    ),
    *("erase_acts", "erasing", "blanking"),
    *("session", "network", "places", "naming", "people", "reading", "reading_acts", "listing"),
    *("proposals", "effects", "outcomes", "records", "order"),
    *("guard", "guard_acts", "guard_pace", "audit", "codes", "masks", "whom", "durations"),
    *(
        "moderation",
        "moderation_acts",
        "speaking",
        "speech_pace",
        "speech_acts",
        "classroom",
        "classroom_acts",
    ),
)
"""The state of the conversation, and what it is made of."""
_OTHERS = _of_chatroom(
    *("finding", "search_words", "moments", "table", "answer_tables"),
    *("batch", "blocks", "desk", "door", "passwords", "preparing", "tail"),
    *("command", "commands", "account_commands", "channel_commands", "people_commands", "history_commands"),
    *("erase_commands", "help_page", "synonyms"),
    *("guard_commands", "moderation_commands", "speech_commands", "classroom_commands"),
)
_PURE_MODULES = (*_WIRE, *_STATE, *_OTHERS)

# modules of chatroom/ → other modules of it that they may import, and why no others
INSIDE: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    (_STATE, (*_STATE, *_WIRE), _FOLD),
    (_PURE_MODULES, _PURE_MODULES, "what a pure module imports must be pure, too"),
]

# modules (by prefix) → modules from outside that they must not import, and why
FORBIDDEN: list[tuple[str, frozenset[str], str]] = [
    *((module, _IMPURE, _PURE) for module in (*_PURE_MODULES, "views")),
    ("chatroom.order_clock", _IMPURE - {"time"}, "it takes its clocks; the system's are only the defaults"),
    ("chatroom", _TRANSPORT, "storage and transport come in through small interfaces"),
    (
        "server",
        frozenset({"termios", "tty", "curses", "readline", "colorama", "wcwidth"}),
        "a server has no screen",
    ),
    ("client", frozenset({"sqlite3"}), "the history is the server's"),
    *((side, frozenset({"asyncio"}), "one thread waits for one thing, on every system") for side in OURS),
]

# the screen libraries and the one place for each
ONLY_IN = {
    "wcwidth": ("views",),
    "colorama": ("views", "client"),
    "sqlite3": ("server",),
    "ssl": ("server", "client"),
}


def name_of(path: Path) -> str:
    """`chatroom.packets.decoder` for its file; a package for its `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join([*here[: len(here) - node.level + 1], *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


@cache
def imports_of(path: Path) -> list[tuple[int, str]]:
    """Line and full name of everything that a file imports; several tests ask, and to parse takes long."""
    return list(imports(ast.parse(path.read_text()), name_of(path), path.name == "__init__.py"))


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a module is one of `prefixes` or inside one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def complaints(imported: Iterable[tuple[int, str]], module: str) -> list[str]:
    """The forbidden imports of a module, each with the reason for the rule."""
    found = []
    allowed, why = ALLOWED[module.split(".")[0]]
    for line, name in imported:
        top = name.split(".")[0]
        place = f"{module}, line {line}: {name}"
        if top in ("tests", *OURS) and not under(name, allowed):
            found.append(f"{place}: only {', '.join(allowed)} of our own may be imported here: {why}")
        for modules, others, reason in INSIDE:
            if under(module, modules) and top == "chatroom" and not under(name, others):
                found.append(f"{place} must not be imported here: {reason}")
        for prefix, forbidden, reason in FORBIDDEN:
            if under(module, (prefix,)) and top in forbidden:
                found.append(f"{place}: {top} must not be imported in {prefix}: {reason}")
        if top in ONLY_IN and not under(module, ONLY_IN[top]):
            found.append(f"{place}: {top} belongs to {' and '.join(ONLY_IN[top])} only")
    return found


def test_import_directions() -> None:
    """A module imports only modules that its place in the layout allows."""
    found = [complaint for path in MODULES for complaint in complaints(imports_of(path), name_of(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("chatroom.forwarder", "import socket"),
        ("chatroom.presence", "from server import app"),
        ("chatroom.state", "import time"),
        ("chatroom.session", "from secrets import token_bytes"),
        ("chatroom.places", "from chatroom.presence import Presence"),
        ("chatroom.proposals", "from chatroom import door"),
        ("chatroom.order_clock", "import threading"),
        ("chatroom.tail", "import logging"),
        ("chatroom.batch", "from chatroom.flow import Flow"),
        ("chatroom.blocks", "from chatroom.history import MemoryHistory"),
        ("chatroom.state", "from chatroom.blocks import Block"),
        ("chatroom.handshake", "import threading"),
        ("chatroom.packets.decoder", "def late():\n    import time"),
        ("chatroom.packets.decoder", "from ...server import app"),
        ("client.connection", "from server.app import App"),
        ("server.lobby", "import views"),
        ("views.keys", "from chatroom.packets import Say"),
        ("views.keys", "import termios"),
        ("views.keys", "from chatroom import packets"),
        ("client.api", "import sqlite3"),
        ("client.terminal", "import asyncio"),
        ("views.view", "from asyncio import run"),
        ("server.app", "import wcwidth"),
        ("server.app", "from tests.conftest import x"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    """Each rule can fail: an import against the direction is reported with its line and reason."""
    imported = imports(ast.parse(source), module, is_package=False)
    assert complaints(imported, module), f"{source!r} in {module} went through"


def test_only_the_composition_root_knows_both_ends() -> None:
    """In server/, only app (and the programs) bring the chatroom and its storage and transport together."""
    root = {"server.app", "server.__main__"}
    for path in (ROOT / "server").glob("*.py"):
        names = {name for _, name in imports_of(path)}
        stores = any(under(name, ("server.storage",)) for name in names)
        listens = any(under(name, ("server.server", "server.lobby", "chatroom.chatroom")) for name in names)
        assert not (stores and listens) or name_of(path) in root, (
            f"{name_of(path)} knows storage and transport"
        )


@cache
def names_of_modules() -> frozenset[str]:
    """The names of all modules of ours."""
    return frozenset(name_of(path) for path in MODULES)


def own_imports(path: Path) -> set[str]:
    """The modules of ours that a module imports, wherever the import stands; of a package, all of it."""
    module = name_of(path)
    return ours({name for _, name in imports_of(path)}, module)


def ours(names: set[str], module: str) -> set[str]:
    """The modules of ours among the names that a module imports; of a package, all of it."""
    modules = names_of_modules()
    found: set[str] = set()
    for name in names:
        imported = name if name in modules else name.rpartition(".")[0]
        inside = {other for other in modules if other.startswith(imported + ".")}
        found |= {imported} & modules if under(module, (imported,)) or not inside else inside
    return found - {module}


def test_a_bot_needs_no_views() -> None:
    """`from client import Client` loads no view: a bot has no screen, and may call its file views.py."""
    paths = {name_of(path): path for path in MODULES}
    found, left = set[str](), {"client"}
    while left:
        name = left.pop()
        found.add(name)
        packages = {name.rpartition(".")[0]} - {""}
        left |= (own_imports(paths[name]) | packages) - found
    assert "client.client" in found and "chatroom" in found  # else nothing was followed
    assert not [name for name in found if under(name, ("views",))]


def test_no_circle() -> None:
    """No module imports itself through others: each can be read, and tested, after those that it imports."""
    needs = {name_of(path): own_imports(path) for path in MODULES if path.name != "__init__.py"}
    while needs:
        ready = {name for name, imported in needs.items() if not imported & needs.keys()}
        assert ready, f"a circle of imports among {sorted(needs)}"
        needs = {name: imported for name, imported in needs.items() if name not in ready}
