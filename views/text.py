"""Text as a terminal shows it: the one place where a string becomes something that is drawn.

Whatever is drawn, by whomever it was written, goes through `sanitize`: a `Row` can only be made from
text that did. So nobody's name, line or reason can move the cursor, change a mode, set the title, write
to the clipboard, or turn the reading direction around.

Terminals disagree on the width of much beyond plain letters. Three things keep rows and cursor right all
the same: sequences that they disagree on are shown in a simpler form (a family of emoji as its members, a
flag as two letters); behind every character that is not surely understood the column is set again (a
"pin"); rows end one column before the margin, so that a terminal never wraps by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, NewType

from wcwidth import iter_graphemes, wcswidth, wcwidth

from chatroom.limits import CLUSTER_CHARACTERS, CLUSTER_COLUMNS, MARKS

Row = NewType("Row", str)
"""One row for the screen: harmless text, colours and pins, narrower than the screen it was made for."""


class Style:
    """The attributes that are not colours; `colour=False` leaves out these as well as the colours."""

    RESET = "\x1b[0m"
    BOLD = "\x1b[1m"
    DIM = "\x1b[2m"


class Piece(NamedTuple):
    """A stretch of text in one style, an SGR sequence of ours or nothing."""

    text: str
    style: str = ""


class Cell(NamedTuple):
    """What is drawn for one grapheme cluster, the columns that it takes, and its style."""

    shown: str
    width: int
    style: str = ""


# --- harmless text --------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[ -~]*\Z")
_LINE_END = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
# C1 controls, surrogates, noncharacters: nothing that has a picture of its own
_BROKEN = re.compile(
    "[\x80-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(17))
    + "]"
)
# Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt) and bidi controls, without the joiners,
# which some scripts need; keycap and skin tones, on whose width terminals disagree
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
_FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")
# Zero-width joiner and non-joiner stay between letters of scripts that write with them: Arabic to Myanmar,
# Khmer and Mongolian, Balinese to Meetei Mayek.
_JOINED_SCRIPT = "\u0600-\u109f\u1780-\u18af\u1b00-\u1c4f\ua8e0-\ua8ff\uaa00-\uabff"
_IDLE_JOINER = re.compile(
    f"(?<![{_JOINED_SCRIPT}])[\u200c\u200d]+|[\u200c\u200d]+(?![\u200c\u200d{_JOINED_SCRIPT}])"
)
_JOINERS = re.compile("([\u200c\u200d])[\u200c\u200d]+")
# Scripts whose characters all stand alone, so that no mark has to be looked for
_NO_MARKS = re.compile(
    "[\n -~\u00a0-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u2100-\u2bff\u3000-\u3029\u3030-\u3098\u309b-\ua48f\uac00-\ud7a3\uf900-\ufaff\uff01-\uff9d"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff]*\\Z"
)
_NO_BASE = "\u25cc"  # the dotted circle that Unicode shows marks on which stand on nothing
_TAB = "    "


def sanitize(text: str) -> str:
    """`text` without anything that a terminal would obey or that hides what is there; line ends as "\\n".

    Controls are shown as their pictures (U+2400 …), what cannot be shown as U+FFFD; invisible characters
    and direction overrides are left out; at most MARKS marks stand on one letter.
    """
    if _PLAIN.match(text):
        return text
    text = _LINE_END.sub("\n", text).replace("\t", _TAB)
    text = _CONTROL.sub(_picture, text)
    text = _BROKEN.sub("\ufffd", text)
    text = _INVISIBLE.sub("", text)
    text = _FLAG_LETTER.sub(lambda match: chr(ord(match[0]) - 0x1F1E6 + ord("A")), text)
    if _NO_MARKS.match(text):
        return text
    text = _JOINERS.sub(r"\1", _IDLE_JOINER.sub("", text))
    # Marks are counted before the composed form is made: composing thousands of them takes quadratic time.
    # Composing may also take apart; hence once more.
    return "".join(_few_marks(unicodedata.normalize("NFC", "".join(_few_marks(text)))))


def one_line(text: str) -> str:
    """`sanitize` for what must stay on its line: names, channels, topics, reasons."""
    return sanitize(text).replace("\n", " ")


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\u2421" if code == 0x7F else chr(0x2400 + code)


def _few_marks(text: str) -> Iterator[str]:
    marks, base = 0, False
    for character in text:
        if character in "\u200c\u200d":
            yield character
        elif character != "\n" and _is_mark(character):
            if not base:
                yield _NO_BASE
                base, marks = True, 0
            marks += 1
            if marks <= MARKS:
                yield character
        else:
            marks, base = 0, character != "\n"
            yield character


@lru_cache(maxsize=4096)
def _is_mark(character: str) -> bool:
    """Whether it is drawn onto what stands before. Two tables: each knows some that the other does not."""
    return unicodedata.category(character)[0] == "M" or wcwidth(character) <= 0


# --- clusters and their widths --------------------------------------------------------------------------


def clusters(text: str) -> list[str]:
    """The text cut into what a person sees as one character each (Unicode Annex 29)."""
    if text.isascii() and "\r" not in text:
        return list(text)
    parts: list[str] = []
    for cluster in iter_graphemes(text):
        if len(cluster) <= CLUSTER_CHARACTERS:
            parts.append(cluster)
        else:  # chains of consonants or of prefixes may be of any length
            parts += (
                cluster[start : start + CLUSTER_CHARACTERS]
                for start in range(0, len(cluster), CLUSTER_CHARACTERS)
            )
    return parts


@lru_cache(maxsize=4096)
def cell_width(cluster: str) -> int:
    """The columns to keep for one harmless cluster: what terminals with and without clusters would take.

    With the larger of both there may be a gap, but nothing is ever overwritten.
    """
    return max(1, wcswidth(cluster), sum(max(0, wcwidth(character)) for character in cluster))


# Widths of these are the same everywhere: letters of alphabets, CJK and kana, Hangul syllables, full-width
# forms. General punctuation is not among them: "…" is wide in some East Asian settings.
_SURE = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0482\u048a-\u052f\u3001-\u3029"
    "\u3041-\u3096\u309b-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]\\Z"
)


@lru_cache(maxsize=4096)
def is_risky(cluster: str) -> bool:
    """Whether a terminal may think of another width than `cell_width`: then a pin follows it."""
    return not _SURE.match(cluster)


def cells(piece: Piece) -> list[Cell]:
    """The piece as cells, one for each cluster."""
    text, style = sanitize(piece.text), piece.style
    if text.isascii():
        return [Cell(character, 1, style) for character in text]
    return [
        Cell(part, cell_width(part), style) for cluster in clusters(text) for part in _narrow_parts(cluster)
    ]


@lru_cache(maxsize=4096)
def _narrow_parts(cluster: str) -> tuple[str, ...]:
    """The cluster, or its characters when it is so wide (chains of consonants) that it might fit no row."""
    if cell_width(cluster) <= CLUSTER_COLUMNS:
        return (cluster,)
    starts = [at for at, character in enumerate(cluster) if at == 0 or wcwidth(character) > 0]
    return tuple(cluster[start:end] for start, end in zip(starts, [*starts[1:], len(cluster)], strict=True))


def width_of(cells: Iterable[Cell]) -> int:
    """Columns that the cells take."""
    return sum(cell.width for cell in cells)


def text_width(text: str) -> int:
    """Columns that harmless text on one row takes."""
    return len(text) if text.isascii() else sum(map(cell_width, clusters(text)))


def paint(cells: Iterable[Cell]) -> Row:
    """The cells as a row that begins in the first column."""
    out: list[str] = []
    column, style = 0, ""
    for shown, width, wanted in cells:
        if wanted != style:
            out.append((Style.RESET if style else "") + wanted)
            style = wanted
        out.append(shown)
        column += width
        if not shown.isascii() and is_risky(shown):
            out.append(f"\r\x1b[{column}C")
    if style:
        out.append(Style.RESET)
    return Row("".join(out))


def _paint_plain(pieces: Sequence[Piece]) -> Row:
    """The same for pieces of plain ASCII: nothing has to be cut, measured or pinned."""
    out: list[str] = []
    style = ""
    for text, wanted in pieces:
        if wanted != style:
            out.append((Style.RESET if style else "") + wanted)
            style = wanted
        out.append(text)
    return Row("".join(out) + (Style.RESET if style else ""))


# --- rows -----------------------------------------------------------------------------------------------


def flow(pieces: Sequence[Piece], columns: int, indent: int = 0) -> list[Row]:
    """The pieces as rows for a screen of `columns`, words whole where they fit, later rows indented.

    Rows take at most `columns - 1`: with the last column free, a terminal never wraps by itself.
    """
    room = max(1, columns - 1)
    size = sum(len(piece.text) for piece in pieces)
    if size <= room and all(_PLAIN.match(piece.text) for piece in pieces):
        return [_paint_plain(pieces)]
    indent = min(indent, room // 2) if room > 4 else 0  # a wide character must fit beside it
    margin = [Cell(" ", 1)] * indent
    rows: list[Row] = []
    for line in _lines([cell for piece in pieces for cell in cells(piece)]):
        first = room if not rows else room - indent
        for part in _broken(line, first, room - indent):
            rows.append(paint(part if not rows else margin + part))
    return rows


def clip(pieces: Sequence[Piece], columns: int) -> list[Cell]:
    """The cells of the pieces that fit `columns`, the last one an ellipsis when something is missing."""
    all_cells = [cell for piece in pieces for cell in cells(piece) if cell.shown != "\n"]
    if width_of(all_cells) <= columns:
        return all_cells
    kept: list[Cell] = []
    room = columns - 1
    for cell in all_cells:
        room -= cell.width
        if room < 0:
            break
        kept.append(cell)
    return [*kept, Cell("\u2026", 1, kept[-1].style if kept else "")][: max(0, columns)]


def _lines(cells: list[Cell]) -> Iterator[list[Cell]]:
    """The cells between the line ends."""
    start = 0
    for position, cell in enumerate(cells):
        if cell.shown == "\n":
            yield cells[start:position]
            start = position + 1
    yield cells[start:]


def _broken(line: list[Cell], first: int, later: int) -> Iterator[list[Cell]]:
    """One line in rows of `first`, then `later` columns, broken behind spaces and beside wide characters."""
    start, column, room, chance = 0, 0, first, 0
    position = 0
    while position < len(line):
        cell = line[position]
        if column and column + cell.width > room:
            end = position if cell.shown == " " or chance <= start else chance
            yield line[start:end]
            start = end + 1 if line[end].shown == " " else end
            position, column, room, chance = start, 0, later, start
            continue
        if cell.width == 2:
            chance = position
        column += cell.width
        position += 1
        if cell.shown == " " or cell.width == 2:
            chance = position
    if start < len(line) or not line:
        yield line[start:]


# --- what is typed --------------------------------------------------------------------------------------

_NOT_TYPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def typed(text: str) -> str:
    """What of typed or pasted text goes into the line: no control but tab and line end, no half character."""
    return _NOT_TYPED.sub("", _LINE_END.sub("\n", text))


@lru_cache(maxsize=4096)
def typed_cell(cluster: str) -> Cell:
    """How a cluster of the input line is shown, a line end as U+23CE, something invisible as U+FFFD."""
    if cluster == "\n":
        return Cell("\u23ce", 1)
    shown, width = "", 0
    for part in clusters(one_line(cluster) or "\ufffd"):
        if width + cell_width(part) > 2 * CLUSTER_COLUMNS:  # a family has four members
            break
        shown, width = shown + part, width + cell_width(part)
    return Cell(shown, width)
