"""The colours: readable, and different where it can be."""

from __future__ import annotations

import pytest

from views.palette import Depth, Ground, NameColours, depth_of, ground_of, palette_of

LEVELS = (0, 95, 135, 175, 215, 255)


def luminance(red: int, green: int, blue: int) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [value / 255 for value in (red, green, blue)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def rgb(style: str) -> tuple[int, int, int]:
    """The colour of `\\x1b[38;5;Nm` in xterm's table."""
    number = int(style.removesuffix("m").rpartition(";")[2])
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    return LEVELS[(number - 16) // 36], LEVELS[(number - 16) // 6 % 6], LEVELS[(number - 16) % 6]


def contrast(style: str, ground: str) -> float:
    one = luminance(*rgb(style))
    other = luminance(*bytes.fromhex(ground))
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize(
    ("ground", "grounds", "least"),
    [
        (Ground.DARK, ("000000", "1e1e1e"), 4.5),
        (Ground.LIGHT, ("ffffff", "fdf6e3"), 4.5),
        (Ground.EITHER, ("000000", "1e1e1e", "ffffff", "fdf6e3"), 3.5),
    ],
)
def test_every_colour_is_readable(ground: Ground, grounds: tuple[str, ...], least: float) -> None:
    """On each ground for which the set is made, by the formula of WCAG."""
    palette = palette_of(ground, Depth.MANY)
    for style in (*palette.names, palette.quiet, palette.notice):
        assert min(contrast(style, each) for each in grounds) >= least, style
    assert len({*palette.names}) == 12


@pytest.mark.parametrize("depth", [Depth.FEW, Depth.MANY])
@pytest.mark.parametrize("ground", list(Ground))
def test_code_has_the_contrast_of_the_terminals_own_text(ground: Ground, depth: Depth) -> None:
    """It is bold, and has neither a colour nor a ground of its own, which nobody could measure."""
    assert palette_of(ground, depth).code == "\x1b[1m"


def test_without_colours_nothing_is_styled() -> None:
    """No sequence at all: also what is bold otherwise is said by signs."""
    assert set(palette_of(Ground.DARK, Depth.NONE)[1:]) == {""}
    assert palette_of(Ground.LIGHT, Depth.NONE).names == ("",)


@pytest.mark.parametrize(
    ("value", "ground"),
    [
        ("15;0", Ground.DARK),
        ("0;15", Ground.LIGHT),
        ("0;default;15", Ground.LIGHT),
        ("12;8", Ground.DARK),
        ("0;7", Ground.LIGHT),
        ("15;default", Ground.EITHER),
        ("", Ground.EITHER),
        ("0;16", Ground.EITHER),
        ("0;\u0661", Ground.EITHER),
    ],
)
def test_the_ground(value: str, ground: Ground) -> None:
    """As terminals set COLORFGBG."""
    assert ground_of(value) is ground


@pytest.mark.parametrize(
    ("environment", "depth"),
    [
        ({"TERM": "xterm-256color"}, Depth.MANY),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, Depth.MANY),
        ({"TERM": "linux"}, Depth.FEW),
        ({"TERM": "vt100"}, Depth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Depth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Depth.MANY),
        ({}, Depth.NONE),
    ],
)
def test_the_depth(environment: dict[str, str], depth: Depth) -> None:
    """As the variables say; an empty NO_COLOR counts as none (no-color.org)."""
    assert depth_of(environment) is depth


def test_names_keep_their_colour() -> None:
    """The same in any case and in every client; of those that are near, each has another one."""
    palette = palette_of(Ground.DARK, Depth.MANY)
    colours = NameColours(palette)
    assert colours.of("ann") == colours.of("Ann") == NameColours(palette).of("ANN")
    first = {name: colours.of(name) for name in (f"name{number}" for number in range(11))}
    assert len({*first.values()}) == 11
    assert {name: colours.of(name) for name in first} == first


def test_many_names() -> None:
    """More names than colours share them; only the latest are remembered."""
    colours = NameColours(palette_of(Ground.EITHER, Depth.MANY))
    for number in range(5000):
        assert colours.of(f"name{number}")
    assert len(colours._slots) <= 1000
