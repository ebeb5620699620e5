"""The screen of `--watch`: a picture of the server's inside as rows. Pure: pictures in, rows out.

Everything has its place, and keeps it from one picture to the next: the figures above, the threads in the
order of their kinds, the members from a fixed row on. So the eye finds what has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chatroom.limits import BEHIND_BYTES
from chatroom.picture import Backlog, Group, Lately, Picture
from views.gauges import about, ago, fitting, size, sizes_of, values_of
from views.limits import WATCH_BESIDE, WATCH_TALL, WATCH_TALLER, WATCH_WORDS
from views.palette import Depth, Ground, Palette, palette_of
from views.text import Cell, Row, Span, clip, row_of, width_of


class Watched(NamedTuple):
    """What there is to be seen.

    server:  its address
    picture: the latest one; None: none has come yet
    lately:  what happened since the one before; None: that is not known
    trouble: why no new one comes; "": they come
    """

    server: str
    picture: Picture | None = None
    lately: Lately | None = None
    trouble: str = ""


Cells = list[Cell]
"""A row, before it is known where it goes."""

_LABEL: Final = 10
_KIND: Final = 14
_COUNT: Final = 6
_NARROW_COUNT: Final = 4
_HOW: Final = 10
_WHAT: Final = 28
_SINCE: Final = 8
_SIZE: Final = 9
_NAME: Final = 18
_MEMBERS: Final = f"{'members':<{_NAME}}{'backlog':>{_SIZE}}"
_LEAST: Final = 8  # columns in which words can still be read
_GAP: Final = "  "
_THREADS: Final = 66  # columns of the threads, where the members stand beside them
_QUIET_KINDS: Final = ("log", "main", "disk", "metrics", "history", "catch-up")
"""Left out first, in this order, where the rows do not do: they are at rest nearly always."""
_WORKING: Final = ("runs", "lock")
"""How threads are that do not wait: what stands beside is a function."""


def rows(watched: Watched, columns: int, lines: int, palette: Palette) -> list[Row]:
    """The rows of the screen, at most `lines`, each narrower than `columns`."""
    return list(map(row_of, _screen(watched, max(1, columns - 1), lines, palette)))


def block(watched: Watched, columns: int) -> list[str]:
    """All that there is to be seen as lines of plain text, however many: for a pipe."""
    plain, room, picture = palette_of(Ground.EITHER, Depth.NONE), max(1, columns), watched.picture
    found = [_head(watched, room, plain, quits=False)]
    if picture is not None:
        found += _figures(picture, watched.lately, room, plain, sizes=True)
        found += _threads(picture.groups, room, len(picture.groups), plain)
        found += [_member(member, room, plain) for member in picture.members]
    return ["".join([cell.shown for cell in cells]).rstrip() for cells in found]


def _screen(watched: Watched, room: int, lines: int, palette: Palette) -> list[Cells]:
    head, picture = _head(watched, room, palette), watched.picture
    if picture is None:
        return [head][:lines]
    is_tall = lines >= WATCH_TALL
    figures = _figures(picture, watched.lately, room, palette, sizes=lines >= WATCH_TALLER)
    if not is_tall:
        del figures[3 if lines >= WATCH_TALL // 2 else max(0, lines - 1) // 2 :]
    left = lines - 1 - len(figures)
    if is_tall:
        below = _tables(picture, room, left, palette)
    else:
        below = _threads(picture.groups, room, left, palette)
    return [head, *figures, *below][: max(0, lines)]


# --- above --------------------------------------------------------------------------------------------------


def _head(watched: Watched, room: int, palette: Palette, quits: bool = True) -> Cells:
    """The first row: which server, since when it runs, who is in; or what is wrong. Then how to leave."""
    end = f"{_GAP}q: quit" if quits else ""
    left = max(0, room - len(end))
    if watched.trouble or watched.picture is None:
        trouble = watched.trouble or "looking"
        server = "" if watched.server in trouble else f"{watched.server}{_GAP}"
        cells = clip([Span(server), Span(trouble, palette.notice)], left)
    else:
        told = fitting([watched.server, *about(watched.picture.numbers)], left)
        cells = clip([Span(told, palette.own)], left)
    return [*_padded(cells, left), *_cut(clip([Span(end, palette.quiet)], len(end)), room)] if end else cells


def _figures(
    picture: Picture, lately: Lately | None, room: int, palette: Palette, sizes: bool
) -> list[Cells]:
    """A row for each, the most important first. sizes: also how large batches were"""
    found = values_of(picture.numbers, lately)
    if sizes:
        found.append(("sizes", *sizes_of(lately.sizes if lately else ())))
    return [_figure(label, values, room, palette) for label, *values in found]


def _figure(label: str, values: Sequence[str], room: int, palette: Palette) -> Cells:
    """A label, and as many of its values as fit."""
    shown = fitting(values, room - _LABEL)
    return clip([Span(f"{label:<{_LABEL}}", palette.quiet), Span(shown)], room)


# --- tables -------------------------------------------------------------------------------------------------


def _tables(picture: Picture, room: int, lines: int, palette: Palette) -> list[Cells]:
    """Threads and members with their headings: beside each other, or one below the other."""
    counted = f"{'threads':<{_KIND}}{picture.threads:>{_COUNT},}"
    if room >= WATCH_BESIDE:
        beside = room - _THREADS - 2 * len(_GAP)
        left = [
            _heading(counted, "longest", _THREADS, palette),
            *_threads(picture.groups, _THREADS, lines - 2, palette),
        ]
        right = [
            _heading(_MEMBERS, "quiet", beside, palette),
            *(_member(member, beside, palette) for member in picture.members),
        ]
        return [[], *(_beside(left, right, _THREADS + 2 * len(_GAP)))][:lines]
    members = max(3, (lines - 4) // 4)
    threads = _threads(picture.groups, room, lines - members - 4, palette)
    empty: list[Cells] = [[]] * (lines - members - 4 - len(threads))
    return [
        [],
        _heading(counted, "longest", room, palette),
        *threads,
        *empty,
        [],
        _heading(_MEMBERS, "quiet", room, palette),
        *(_member(member, room, palette) for member in picture.members[:members]),
    ]


def _beside(left: list[Cells], right: list[Cells], column: int) -> list[Cells]:
    """Rows of two tables as rows of one. column: where the right one begins"""
    count = max(len(left), len(right))
    found = []
    for one, other in zip(
        left + [[]] * (count - len(left)), right + [[]] * (count - len(right)), strict=True
    ):
        found.append([*_padded(one, column), *other] if other else one)
    return found


def _heading(before: str, last: str, room: int, palette: Palette) -> Cells:
    """A heading: fields, then what is waited for, and how long, where there is a column for that."""
    left = room - len(before) - len(_GAP)
    words = f"{'wait for':<{max(0, min(left - _SINCE, _HOW + _WHAT))}}{last:>{_SINCE}}"
    return clip([Span(f"{before}{_GAP}{words if room >= WATCH_WORDS else 'wait for'}", palette.own)], room)


def _threads(groups: Sequence[Group], room: int, lines: int, palette: Palette) -> list[Cells]:
    """A row for each group, at most `lines`: those at rest are left out first, then the last ones."""
    shown = list(groups)
    for kind in _QUIET_KINDS:
        if len(shown) > lines:
            shown = [group for group in shown if group.kind != kind or group.how in _WORKING]
    if len(shown) > lines > 0:
        rest = sum(group.number for group in groups) - sum(group.number for group in shown[: lines - 1])
        more = _thread(Group("and more", "", "", rest), room, palette)
        return [*(_thread(group, room, palette) for group in shown[: lines - 1]), more]
    return [_thread(group, room, palette) for group in shown[: max(0, lines)]]


def _thread(group: Group, room: int, palette: Palette) -> Cells:
    style = palette.own if group.how in _WORKING else ""
    count = _COUNT if room >= WATCH_WORDS else _NARROW_COUNT
    before = [*_field(group.kind, _KIND, style), *_field(f"{group.number:>{count},}", count, style)]
    return _with_words(before, group.how, group.what, group.since, room, style)


def _member(member: Backlog, room: int, palette: Palette) -> Cells:
    style = palette.notice if member.size > BEHIND_BYTES else ""
    before = [*_field(member.name, _NAME - 1), Cell(" ", 1), *_field(f"{size(member.size):>{_SIZE}}", _SIZE)]
    working = palette.own if member.how in _WORKING else ""
    return _with_words(before, member.how, member.what, member.since, room, style or working)


def _with_words(before: Cells, how: str, what: str, since: float, room: int, style: str) -> Cells:
    """The fields, and as much of what is waited for as there is room for."""
    left = room - width_of(before) - len(_GAP)
    if left < _LEAST:
        return _cut(before, room)
    gap = [Cell(" ", 1)] * len(_GAP)
    if room < WATCH_WORDS:
        words = " ".join(filter(None, (how, what))) if how in _WORKING or not what else what
        return [*before, *gap, *clip([Span(words, style)], left)]
    rest = min(left - _HOW - _SINCE, _WHAT)
    told = ago(since) if since >= 0 else ""
    return [
        *before,
        *gap,
        *_field(how, _HOW, style),
        *_field(what, rest, style),
        *_field(f"{told:>{_SINCE}}", _SINCE),
    ]


def _field(text: str, width: int, style: str = "") -> Cells:
    """The text in so many columns: cut, or with blanks behind it."""
    return _padded(clip([Span(text, style)], width), width)


def _padded(cells: Cells, width: int) -> Cells:
    return [*cells, *([Cell(" ", 1)] * (width - width_of(cells)))]


def _cut(cells: Cells, room: int) -> Cells:
    """As many cells as fit."""
    found: Cells = []
    for cell in cells:
        room -= cell.width
        if room < 0:
            break
        found.append(cell)
    return found
