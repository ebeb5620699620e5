"""A sequence of steps, one column for each thread, time downwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.drawings.canvas import GREY, PALE, SAND, SMALL, Canvas

_LANE: Final = 190
"""Pixels from column to column."""
_TOP: Final = 104
_STEP: Final = 46
_LETTER: Final = 0.56
"""Width of a character, as a part of its size: on the safe side for small letters."""


class Step(NamedTuple):
    """Something that happens.

    start, end: the thread that does it, and the one that gets it: the same if it stays with it
    words:      what happens, in a few words
    code:       where, as FILE:FUNCTION
    """

    start: str
    end: str
    words: str
    code: str = ""


class Scene(NamedTuple):
    """One drawing. lanes: the threads, from left to right"""

    name: str
    title: str
    lanes: Sequence[str]
    steps: Sequence[Step]


def draw(scene: Scene) -> str:
    """The scene as SVG."""
    canvas = Canvas(_LANE * len(scene.lanes) + 20)
    bottom = _TOP + _STEP * len(scene.steps)
    canvas.text(14, 26, scene.title, size=16, bold=True)
    canvas.text(
        14, 46, "A column is a thread; time goes down. Below each step: where it is in the code.", colour=GREY
    )
    for lane in scene.lanes:
        middle = _middle(scene, lane)
        canvas.line(middle, 86, middle, bottom + 6)
        canvas.box(middle - _LANE / 2 + 8, 60, _LANE - 16, 26, PALE)
        canvas.text(middle, 77, lane, anchor="middle", bold=True)
    for number, step in enumerate(scene.steps):
        _draw_step(canvas, scene, step, _TOP + _STEP * number)
    return canvas.svg(bottom + 20)


def _middle(scene: Scene, lane: str) -> float:
    return 10 + _LANE * (scene.lanes.index(lane) + 0.5)


def _draw_step(canvas: Canvas, scene: Scene, step: Step, y: float) -> None:
    first, last = _middle(scene, step.start), _middle(scene, step.end)
    width = max(len(step.words), len(step.code)) * SMALL * _LETTER + 12
    if step.start == step.end:
        x = min(max(first, width / 2 + 4), canvas.width - width / 2 - 4)
        canvas.box(x - width / 2, y - 2, width, 34, SAND)
    else:
        x = (first + last) / 2
        x = min(max(x, width / 2 + 4), canvas.width - width / 2 - 4)
    halo = step.start != step.end
    canvas.text(x, y + 11, step.words, anchor="middle", halo=halo)
    canvas.text(x, y + 26, step.code, anchor="middle", colour=GREY, halo=halo)
    if halo:
        canvas.arrow(first, y + 15, last, y + 15)
