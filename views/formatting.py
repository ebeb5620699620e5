"""The rows of an item: time, a column for the mark, the name, and the text at one edge.

    09:23>bob             ann: did you see that one too?
    09:24                 the next line of the same speaker
    09:25 --              ann joined

On a screen narrower than COLUMNS_FROM the name stands directly before the text, as `bob: text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby, islice
from typing import Final, NamedTuple

from views.code import Kind, code_in, is_block
from views.item import NO_TIME, Item, Tone
from views.limits import COLUMNS_FROM, NAME_COLUMNS, STYLED_PARTS, TEXT_COLUMNS
from views.mentions import called_at
from views.palette import Depth, Ground, NameColours, Palette, palette_of
from views.polls import poll_rows
from views.sanitize import one_line
from views.text import Row, Span, clusters, link_rows, text_width, wrap
from views.told import told_text

_TIME: Final = len(NO_TIME)
_GAP: Final = 2  # blanks behind the name
_TEXT_AT: Final = _TIME + 1 + NAME_COLUMNS + _GAP
_TABLE_AT: Final = _TIME + 3  # lines of the program that are too long; no name of a row begins there
_NARROW: Final = 24  # below this many columns the time is left out
_LINK: Final = re.compile(r"https?://[!-~]+")


class Theme:
    """The colours of one screen."""

    def __init__(self, ground: Ground = Ground.EITHER, depth: Depth = Depth.MANY) -> None:
        self.palette: Palette = palette_of(ground, depth)
        self._names = NameColours(self.palette)

    def name(self, name: str, is_own: bool = False) -> str:
        """The style of a name."""
        return self.palette.own if is_own else self._names.of(name)


class Lead(NamedTuple):
    """What an item shows before its text. Who speaks on is not named again, see `Transcript`.

    timed: the time
    named: the name, or the sign of what is no talk
    """

    timed: bool = True
    named: bool = True


def format_item(item: Item, columns: int, theme: Theme, lead: Lead = Lead()) -> list[Row]:  # noqa: B008
    """The item as rows for a screen of `columns`."""
    if item.rule:
        return _rule(item, columns, theme)
    wide = columns >= COLUMNS_FROM
    if item.to and lead.timed and not wide:
        lead = Lead()  # no empty column tells who goes on: a time alone looks broken
    margin = _TEXT_AT if wide else _TIME + 1 if columns >= _NARROW else 1
    room = min(columns, _TEXT_AT + TEXT_COLUMNS + 1) if wide else columns
    if wide and _is_table(item, room - 1 - margin):
        margin = _TABLE_AT
    if item.part:
        head = [Span(" " * margin)]
    else:
        head = _time(item, columns, theme, lead) + _name(item, wide, theme, lead)
    if item.told:
        item = item._replace(text=told_text(item.told, room - 1 - _width(head)))
    head += _lead_in(item, wide, theme)
    rows: list[Row] = []
    if item.author and is_block(item.text) and (width := _width(head)) != margin:
        # The first line stands in the column of the others, whatever stands before it.
        rows, head = wrap(head, room, margin) if width else [], [Span(" " * margin)]
    rows += _rows(head, _body(item, theme), room, margin, columns)
    return rows + _below(item, room, margin, theme)


def _width(spans: Sequence[Span]) -> int:
    return sum(text_width(text) for text, _ in spans)


def answer_columns(columns: int) -> int:
    """How wide a table may be on a screen of `columns`, so that no row of it is wrapped."""
    if columns >= COLUMNS_FROM:
        return min(columns - 1 - _TEXT_AT, TEXT_COLUMNS)
    return columns - 1 - (_TIME + 1 if columns >= _NARROW else 1)


def page_columns(columns: int) -> int:
    """The same for a table with longer rows, which begin at the left (see `_is_table`)."""
    if columns < COLUMNS_FROM:
        return answer_columns(columns)
    return min(columns, _TEXT_AT + TEXT_COLUMNS + 1) - 1 - _TABLE_AT


def format_pending(text: str, columns: int, theme: Theme) -> list[Row]:
    """The reader's own line before it is stored: as it will look, but quiet and without a time."""
    margin = _TEXT_AT if columns >= COLUMNS_FROM else _TIME + 1 if columns >= _NARROW else 1
    quiet = theme.palette.quiet
    head = [Span(NO_TIME.ljust(margin) if columns >= _NARROW else " ", quiet)]
    return wrap([*head, Span(text, quiet)], columns, margin)


def _time(item: Item, columns: int, theme: Theme, lead: Lead) -> list[Span]:
    if columns < _NARROW:
        return [Span(">", theme.palette.mark)] if item.mention and lead.named else []
    text = _clock(item.moment) if lead.timed and item.moment is not None else " " * _TIME
    time = Span(text, theme.palette.quiet)
    marked = item.mention and (lead.named or not item.to)  # who goes on in private is marked once, as named
    return [time, Span(">", theme.palette.mark) if marked else Span(" ")]


def _clock(moment: datetime) -> str:
    """Hour and minute. (`strftime` takes five times as long.)"""
    return f"{moment.hour:02}:{moment.minute:02}"


def _name(item: Item, wide: bool, theme: Theme, lead: Lead) -> list[Span]:
    """What stands between the time and the text."""
    quiet = theme.palette.quiet
    under = [Span(f"{item.under} ", quiet)] if item.under and not wide else []
    if not item.author or item.act:
        style = quiet if item.author else _tone(item, theme)
        return [*under, Span(_column(item.sign) if wide else _narrow_sign(item), style)]
    if not lead.named:
        return [Span(" " * (NAME_COLUMNS + _GAP))] if wide else []
    name = one_line(item.author)
    style = theme.name(item.author, item.own)
    to = f" to {item.to}" if item.to else ""
    if not wide:
        return [*under, Span(name, style), Span(f"{to}: ")]
    return [Span(name, style), Span(_column(f"{name}{to}")[len(name) :])]


def _narrow_sign(item: Item) -> str:
    """A colon parts the command from the answer: here nothing else does."""
    return f"{item.sign}: " if item.command else f"{item.sign} "


def _column(name: str) -> str:
    """A name, or a sign, with the blanks behind it."""
    return name + " " * max(_GAP, NAME_COLUMNS + _GAP - text_width(name))


def _lead_in(item: Item, wide: bool, theme: Theme) -> list[Span]:
    """What stands before the text in its own column: the channel, and who does it."""
    spans = [Span(f"{item.under} ", theme.palette.quiet)] if item.under and wide else []
    if item.act:
        to = f" (to {item.to}) " if item.to else " "
        spans += [Span(one_line(item.author), theme.name(item.author, item.own)), Span(to)]
    return spans


def _body(item: Item, theme: Theme) -> list[Span]:
    """The text with what follows it."""
    quiet = theme.palette.quiet
    spans = list(_said(item, theme)) if item.author or item.part else [Span(item.text, _tone(item, theme))]
    spans += [Span(item.note, quiet)] if item.note else []
    spans += [Span(f"\n{_more(item)}", quiet)] if item.more and item.poll is None else []
    return spans


def _below(item: Item, room: int, margin: int, theme: Theme) -> list[Row]:
    """The rows of a poll."""
    if item.poll is None:
        return []
    quiet = theme.palette.quiet
    rows = poll_rows(item.poll, room, margin, quiet)
    return rows + (wrap([Span(" " * margin), Span(_more(item), quiet)], room, margin) if item.more else [])


def _is_table(item: Item, longest: int) -> bool:
    """Whether it is a text of the program whose lines need more room, as the list of all commands."""
    if item.author or item.poll is not None or item.person:
        return False
    return item.part or ("\n" in item.text and any(len(line) > longest for line in item.text.split("\n")))


def _more(item: Item) -> str:
    return f"\u2026 {item.more}"


def _tone(item: Item, theme: Theme) -> str:
    """The style of an item without an author."""
    return {Tone.NOTE: theme.palette.quiet, Tone.TALK: "", Tone.APART: theme.palette.notice}[item.tone]


def _said(item: Item, theme: Theme) -> Iterator[Span]:
    """What somebody says: words that call the reader stand out, and code is told apart."""
    text, palette = item.text, theme.palette
    kinds = {Kind.TICKS: palette.quiet, Kind.CODE: palette.code}
    parts = [(start, end, kinds[kind]) for start, end, kind in islice(code_in(text), STYLED_PARTS)]
    if item.mention:
        parts += [(start, end, palette.called) for start, end in called_at(text, item.called)[:STYLED_PARTS]]
    styles = [""] * (len(text) if parts else 0)
    for start, end, style in parts:
        styles[start:end] = [style] * (end - start)
    at = 0
    for cluster in clusters(text) if parts and not text.isascii() else ():  # a style takes whole clusters
        end = at + len(cluster)
        styles[at:end] = [next(filter(None, styles[at:end]), "")] * len(cluster)
        at = end
    at = 0
    for style, run in groupby(styles):
        end = at + len(list(run))
        yield Span(text[at:end], style)
        at = end
    yield Span(text[at:])


def _rows(head: Sequence[Span], body: Sequence[Span], room: int, margin: int, columns: int) -> list[Row]:
    """Head and body as rows. A link that is longer than the text is wide has rows of its own, from the first
    column on, which the terminal wraps itself: so it can be copied and opened."""
    longest = room - 1 - margin
    parts = [*_parted(body, longest)]
    if len(parts) == 1 and not isinstance(parts[0], str):
        return wrap([*head, *body], room, margin)
    rows: list[Row] = []
    for number, part in enumerate(parts):
        if isinstance(part, str):
            rows += wrap(head, room, margin) if number == 0 else ()
            rows += link_rows(part, columns)
        else:
            rows += wrap([*(head if number == 0 else [Span(" " * margin)]), *part], room, margin)
    return rows


def _parted(body: Sequence[Span], longest: int) -> Iterator[list[Span] | str]:
    """The body in parts: spans, and links that are too long, in order."""
    part: list[Span] = []
    for text, style in body:
        at = 0
        for found in _LINK.finditer(text) if len(text) > longest else ():
            if len(found[0]) <= longest:
                continue
            before = text[at : found.start()].removesuffix(" ")
            part += [Span(before, style)] if before else []
            if part:
                yield part
            yield found[0]
            part, at = [], found.end()
            at += text.startswith((" ", "\n"), at)
        if at < len(text):
            part.append(Span(text[at:], style))
    if part:
        yield part


def _rule(item: Item, columns: int, theme: Theme) -> list[Row]:
    """Dashes up to the text, and the text behind them."""
    dashes = "-" * (_TEXT_AT - 1 if columns >= COLUMNS_FROM else _TIME)
    style = theme.palette.notice if item.notice else theme.palette.quiet
    return wrap([Span(f"{dashes} ", theme.palette.quiet), Span(item.text, style)], columns, len(dashes) + 1)


def day_name(day: date) -> str:
    """The text of a day separator. It is English in every locale, like all texts of the program."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"{days[day.weekday()]}, {day.isoformat()}"
