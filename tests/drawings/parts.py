"""The packages, their modules and who imports whom: read from the code."""

from __future__ import annotations

from collections import Counter
from functools import cache
from textwrap import wrap
from typing import Final

from tests.drawings.canvas import GREY, PALE, SMALL, Canvas
from tests.test_imports import MODULES, OURS, imports_of, name_of, ours

_WIDTH: Final = 1180
_HALF: Final = 570
_ROW: Final = 15
_LETTER: Final = 0.53
_GAP: Final = 46

_SAYS: Final = {
    "client": "connect, talk, come back; the terminal",
    "server": "sockets and disk",
    "views": "keys and events in, text out; pure",
    "chatroom": "the heart: packets, queue, state, forwarder",
}


def draw() -> str:
    """The drawing as SVG."""
    canvas, counted = Canvas(_WIDTH), arrows()
    canvas.text(14, 26, "The parts, and who imports whom", size=16, bold=True)
    canvas.text(
        14,
        46,
        "In each part, a module imports of its own part only modules of rows above. An arrow is an import, "
        "its number tells how many modules do so.",
        colour=GREY,
    )
    left, narrow = 14, _HALF - 90
    widths = {"views": narrow, "chatroom": _WIDTH - 28}
    rows = {package: _rows(package, widths.get(package, _HALF)) for package in OURS}
    top = 62.0
    client, views, server = (_height(rows[package]) for package in ("client", "views", "server"))
    middle = top + client + _GAP
    bottom = max(middle + views, top + server) + _GAP
    right = _WIDTH - 14 - _HALF
    _panel(canvas, "client", left, top, _HALF, client, rows["client"])
    _panel(canvas, "server", right, top, _HALF, bottom - _GAP - top, rows["server"])
    _panel(canvas, "views", left + 90, middle, narrow, bottom - _GAP - middle, rows["views"])
    _panel(canvas, "chatroom", left, bottom, _WIDTH - 28, _height(rows["chatroom"]), rows["chatroom"])
    for start, end, x, y in (
        ("client", "views", left + 330, top + client),
        ("client", "chatroom", left + 45, top + client),
        ("views", "chatroom", left + 330, bottom - _GAP),
        ("server", "chatroom", right + 285, bottom - _GAP),
    ):
        canvas.arrow(x, y, x, (middle if end == "views" else bottom) - 2)
        canvas.text(x + 8, y + 26, str(counted.pop((start, end))), bold=True)
    assert not counted, f"an import without an arrow: {counted}"
    return canvas.svg(bottom + _height(rows["chatroom"]) + 14)


def arrows() -> Counter[tuple[str, str]]:
    """How many modules of one package import something of another."""
    found: Counter[tuple[str, str]] = Counter()
    for module, names in _imported().items():
        own, others = module.split(".")[0], {name.split(".")[0] for name in names}
        found.update((own, other) for other in others if other in OURS and other != own)
    return found


@cache
def _imported() -> dict[str, set[str]]:
    """What each module imports, by name; a package is named like its folder."""
    found = {}
    for path in MODULES:
        module = name_of(path)
        found[module] = {name for _, name in imports_of(path)}
    return found


def levels(package: str) -> list[list[str]]:
    """The modules of a package; each imports of its own package only modules of earlier lists."""
    packages = {name_of(path) for path in MODULES if path.name == "__init__.py"}
    needs = {
        module: ours(names, module)
        for module, names in _imported().items()
        if module not in packages and module.split(".")[0] == package
    }
    found = []
    while needs:
        ready = sorted(name for name, others in needs.items() if not others & needs.keys())
        assert ready, f"a circle of imports among {sorted(needs)}"
        found.append([name.partition(".")[2] for name in ready])
        needs = {name: others for name, others in needs.items() if name.partition(".")[2] not in found[-1]}
    return found


def _rows(package: str, width: float) -> list[str]:
    """The lines of words of a panel."""
    letters = int((width - 24) / (SMALL * _LETTER))
    return [
        row
        for names in levels(package)
        for row in wrap("· " + ", ".join(names), letters, subsequent_indent="   ")
    ]


def _height(rows: list[str]) -> float:
    return 34 + _ROW * len(rows)


def _panel(
    canvas: Canvas, package: str, x: float, y: float, width: float, height: float, rows: list[str]
) -> None:
    canvas.box(x, y, width, height, PALE if package == "chatroom" else "white")
    canvas.text(x + 12, y + 20, f"{package}/", size=14, bold=True)
    canvas.text(x + 100, y + 20, _SAYS[package], colour=GREY)
    for number, row in enumerate(rows):
        indent = 12 if row.startswith("·") else 22
        canvas.text(x + indent, y + 40 + _ROW * number, row.strip())
