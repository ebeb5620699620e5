"""Decodes bytes from a terminal into keys, text and pastes. The bytes may be split anywhere."""

from __future__ import annotations

import codecs
import re
from enum import Enum, auto
from typing import NamedTuple

from chatroom.limits import MAX_TEXT
from views.limits import ESCAPE_SECONDS, PASTE_SECONDS, SEQUENCE_SECONDS


class Key(Enum):
    """The meaning of a key: Home and Ctrl-A are the same."""

    ENTER = auto()
    NEWLINE = auto()  # Alt-Enter: a line end in the text
    TAB = auto()
    BACK_TAB = auto()
    ESCAPE = auto()
    LEFT = auto()
    RIGHT = auto()
    UP = auto()
    DOWN = auto()
    HOME = auto()
    END = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    WORD_LEFT = auto()
    WORD_RIGHT = auto()
    BACKSPACE = auto()
    DELETE = auto()
    DELETE_OR_LEAVE = auto()  # Ctrl-D
    KILL_TO_END = auto()
    KILL_TO_START = auto()
    KILL_WORD_LEFT = auto()  # to the white space before the cursor: Ctrl-W
    KILL_SUBWORD_LEFT = auto()  # to the start of a word: Alt-Backspace
    KILL_WORD_RIGHT = auto()
    YANK = auto()
    YANK_OLDER = auto()
    TRANSPOSE = auto()
    UNDO = auto()
    CANCEL = auto()  # Ctrl-C
    REDRAW = auto()
    SUSPEND = auto()
    SEARCH = auto()  # Ctrl-R: in the lines that were sent
    ABORT = auto()  # Ctrl-G: end the search
    EXPAND = auto()  # Ctrl-O: show the text of a paste
    NEXT_FOUND = auto()  # Alt-N: the next line that was found
    LAST_FOUND = auto()  # Alt-P: the one before


class Text(NamedTuple):
    """Typed characters."""

    text: str


class Paste(NamedTuple):
    """Pasted text with its line ends. It goes into the input line; only Enter sends it.

    ends: the paste ends with this text
    """

    text: str
    ends: bool = True


class Jump(NamedTuple):
    """Alt and a digit: to the channel of this number. Alt-A: 0, to the next one with something unread."""

    number: int


Input = Key | Text | Paste | Jump

_CONTROLS = {
    "\x01": Key.HOME,
    "\x02": Key.LEFT,
    "\x03": Key.CANCEL,
    "\x04": Key.DELETE_OR_LEAVE,
    "\x05": Key.END,
    "\x06": Key.RIGHT,
    "\x07": Key.ABORT,
    "\x08": Key.BACKSPACE,
    "\t": Key.TAB,
    "\n": Key.ENTER,
    "\x0b": Key.KILL_TO_END,
    "\x0c": Key.REDRAW,
    "\r": Key.ENTER,
    "\x0e": Key.DOWN,
    "\x0f": Key.EXPAND,
    "\x10": Key.UP,
    "\x12": Key.SEARCH,
    "\x14": Key.TRANSPOSE,
    "\x15": Key.KILL_TO_START,
    "\x17": Key.KILL_WORD_LEFT,
    "\x19": Key.YANK,
    "\x1a": Key.SUSPEND,
    "\x1f": Key.UNDO,
    "\x7f": Key.BACKSPACE,
}
_WITH_ALT = {  # after an escape character: the key with Alt, a letter in either case
    "b": Key.WORD_LEFT,
    "f": Key.WORD_RIGHT,
    "d": Key.KILL_WORD_RIGHT,
    "y": Key.YANK_OLDER,
    "n": Key.NEXT_FOUND,
    "p": Key.LAST_FOUND,
    "\r": Key.NEWLINE,
    "\n": Key.NEWLINE,
    "\x7f": Key.KILL_SUBWORD_LEFT,
    "\x08": Key.KILL_SUBWORD_LEFT,
}
_JUMPS = {**{str(number): Jump(number) for number in range(1, 10)}, "a": Jump(0)}
_ALT_CAPITAL_P = "\x1bP"  # a string of the terminal begins so, too, and comes in one piece
_ALONE = {"\x1b": Key.ESCAPE, _ALT_CAPITAL_P: _WITH_ALT["p"]}  # keys that may be the begin of a sequence
_FINALS = {  # SS3 letter, or CSI … letter (M: as SS3 only, the keypad's Enter)
    "A": Key.UP,
    "B": Key.DOWN,
    "C": Key.RIGHT,
    "D": Key.LEFT,
    "H": Key.HOME,
    "F": Key.END,
    "Z": Key.BACK_TAB,
    "M": Key.ENTER,
    "a": Key.UP,
    "b": Key.DOWN,
    "c": Key.WORD_RIGHT,  # rxvt, with Ctrl or Shift
    "d": Key.WORD_LEFT,
}
_NUMBERED = {  # CSI number ~
    1: Key.HOME,
    3: Key.DELETE,
    4: Key.END,
    5: Key.PAGE_UP,
    6: Key.PAGE_DOWN,
    7: Key.HOME,
    8: Key.END,
}
_WITH_MODIFIER = {  # the same keys with Ctrl or Alt
    Key.LEFT: Key.WORD_LEFT,
    Key.RIGHT: Key.WORD_RIGHT,
    Key.DELETE: Key.KILL_WORD_RIGHT,
    Key.BACKSPACE: Key.KILL_SUBWORD_LEFT,
}

_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_TEXT = re.compile("[^\x00-\x1f\x7f]+")
_CSI = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])")
_SS3 = re.compile(r"\x1bO[0-9;]*([ -:<-~])")
_SS3_UNFINISHED = re.compile(r"\x1bO[0-9;]*\Z")
_CSI_UNFINISHED = re.compile(r"\x1b\[\[?[0-?]*[ -/]*\Z")
_LINUX_FUNCTION_KEY = re.compile(r"\x1b\[\[[A-E]")
_STRING = re.compile("\x1b[]P_^X][^\x07\x1b]*(\x07|\x1b\\\\)")  # OSC, DCS, APC, PM, SOS: answers
_STRING_UNFINISHED = re.compile("\x1b[]P_^X][^\x07\x1b]*\x1b?\\Z")


class KeyDecoder:
    """Bytes in, keys and text out. Unknown sequences are dropped: they do not become text.

    Whatever pauses cut a paste or its marks, its text is a `Paste`: no line end in it is Key.ENTER.
    """

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        # An unfinished sequence whose time was over. Its rest may still come: a slow link delays anything.
        self._given_up = ""
        self._held = ""  # the last characters of _given_up, which become text if nothing follows soon
        self._typed = 0  # how many of its characters have become text already
        self._paste: list[str] | None = None
        self._paste_size = 0
        self._stalled = False  # the paste has paused so long that its end may never come
        self._fed = 0.0

    def feed(self, data: bytes, now: float) -> list[Input]:
        """The inputs that are complete with `data`. `now`: seconds of a monotonic clock."""
        self._fed = now
        text = self._rest + self._utf8.decode(data)
        self._rest = ""
        if self._stalled and data == b"\x03":
            self._paste, self._stalled = None, False
            return [Key.CANCEL]
        found: list[Input] = []
        if self._given_up and text:
            text = self._take_late(text, found)
        while text:
            text = self._take_paste(text, found) if self._paste is not None else self._take(text, found)
        if self._stalled and self._paste:
            found += self._flush_paste(ends=False)
        return found

    def wait(self, now: float) -> float | None:
        """Seconds until `timeout` ends an unfinished sequence; None if there is none."""
        limit = self._limit()
        return None if limit is None else max(0.0, self._fed + limit - now)

    def timeout(self, now: float) -> list[Input]:
        """The inputs from an unfinished sequence, if its time is over at `now`.

        A `Paste` is the beginning of one without an end. All that follows belongs to it, until its end comes,
        or Ctrl-C alone.
        """
        limit = self._limit()
        if limit is None or now < self._fed + limit:
            return []
        if self._paste is not None:
            self._stalled = True
            return self._flush_paste(ends=False)
        if self._held:
            held, self._held = self._held, ""
            self._typed += len(held)
            return [Text(held)]
        self._given_up, self._rest, self._typed = self._rest, "", 0
        return [key] if (key := _ALONE.get(self._given_up)) else []

    def _limit(self) -> float | None:
        if self._paste is not None:
            return None if self._stalled else PASTE_SECONDS
        if self._held or self._rest in ("\x1b", _ALT_CAPITAL_P):
            return ESCAPE_SECONDS
        return SEQUENCE_SECONDS if self._rest else None

    def _take_late(self, text: str, found: list[Input]) -> str:
        """Whether `text` goes on with the sequence that was given up; returns what is to be decoded.

        The mark of a paste counts whenever its parts come. Other sequences count if a person cannot well have
        typed the rest: it came in one piece.
        """
        begun, self._given_up = self._given_up, ""
        held, self._held = self._held, ""
        whole = begun + text
        if whole.startswith(_PASTE_BEGINS) or self._is_late_key(begun.removesuffix(held), whole):
            found += [Key.BACKSPACE] * self._typed
            return whole
        if _PASTE_BEGINS.startswith(whole) or (not self._typed and _CSI_UNFINISHED.match(whole)):
            self._given_up, self._held = whole, held + text
            return ""
        return held + text

    def _is_late_key(self, begun: str, whole: str) -> bool:
        """Whether `whole` is a sequence whose first part was given up as `begun`, or several sequences."""
        if _STRING.match(whole):
            return True
        match = _CSI.match(whole) or _SS3.match(whole)
        if match is None or whole[match.end() : match.end() + 1] not in ("", "\x1b"):
            return False
        if whole[1] == "O":
            return begun == "\x1b" and match[1] in "ABCDHF"
        return bool((match[1] or begun == "\x1b") and (_csi_key(match[1], match[2]) or match[1] == "201"))

    def _take(self, text: str, found: list[Input]) -> str:
        """Take one key or text from the front of `text` and return the rest."""
        match = _TEXT.match(text)
        if match:
            found.append(Text(match[0]))
            return text[match.end() :]
        if text[0] != "\x1b":
            key = _CONTROLS.get(text[0])
            if key is not None:
                found.append(key)
            return text[1:]
        return self._take_sequence(text, found)

    def _take_sequence(self, text: str, found: list[Input]) -> str:
        if text.startswith(_PASTE_BEGINS):
            self._paste, self._paste_size, self._stalled = [], 0, False
            return text[len(_PASTE_BEGINS) :]
        if text == "\x1b" or any(
            begun.match(text) for begun in (_CSI_UNFINISHED, _SS3_UNFINISHED, _STRING_UNFINISHED)
        ):
            # Forget a string without an end, to bound memory. A late end is dropped like Alt-\.
            self._rest = text if len(text) < MAX_TEXT else ""
            return ""
        for pattern in (_LINUX_FUNCTION_KEY, _STRING):
            match = pattern.match(text)
            if match:
                return text[match.end() :]
        match = _CSI.match(text)
        if match:
            found += _csi_key(match[1], match[2])
            return text[match.end() :]
        match = _SS3.match(text)
        if match:
            key = _FINALS.get(match[1])
            found += [key] if key else []
            return text[match.end() :]
        return self._take_alt_key(text, found)

    def _take_alt_key(self, text: str, found: list[Input]) -> str:
        following = text[1]
        if following == "\x1b":  # Esc, then another sequence: rxvt sends Alt-arrows like this
            return text[1:]
        key = _WITH_ALT.get(following.lower()) or _JUMPS.get(following.lower())
        if key is None and following >= " ":
            return text[2:]  # Alt with a key that has no meaning
        found += [key] if key else []
        return text[2:] if key else text[1:]

    def _take_paste(self, text: str, found: list[Input]) -> str:
        inside, end, after = text.partition(_PASTE_ENDS)
        if end:
            self._add_to_paste(inside)
            found += self._end_paste()
            return after
        # The last characters may be the start of the end sequence: decide when more bytes come.
        begun = next((n for n in range(len(_PASTE_ENDS) - 1, 0, -1) if text.endswith(_PASTE_ENDS[:n])), 0)
        self._add_to_paste(text[: len(text) - begun])
        self._rest = text[len(text) - begun :]
        return ""

    def _add_to_paste(self, text: str) -> None:
        """Add text to the paste, up to one character more than the input line holds: it says what is cut."""
        assert self._paste is not None
        fitting = text[: max(0, MAX_TEXT + 1 - self._paste_size)]
        if fitting:
            self._paste.append(fitting)
        self._paste_size += len(fitting)

    def _flush_paste(self, *, ends: bool) -> list[Input]:
        text, self._paste = "".join(self._paste or ()), []
        self._paste_size = 0
        return [Paste(text, ends)]

    def _end_paste(self) -> list[Input]:
        found = [] if self._stalled and not self._paste else self._flush_paste(ends=True)
        self._paste, self._stalled = None, False
        return found


def _csi_key(parameters: str, final: str) -> list[Input]:
    """The key of one control sequence; empty for an unknown one and for an answer of the terminal."""
    if parameters[:1] in ("<", "=", ">", "?"):
        return []
    numbers = [int(part) if part.isdecimal() else 0 for part in parameters[:16].split(";")]
    if final in "~^@":  # rxvt: ^ is Ctrl, @ is Ctrl and Shift
        key = _NUMBERED.get(numbers[0])
    elif final == "M" or (final.islower() and parameters):  # mouse reports and answers
        key = None
    else:
        key = _FINALS.get(final)
    if key is None:
        return []
    modifiers = numbers[1] - 1 if len(numbers) > 1 and numbers[1] else 0  # xterm: 1 plus one bit for each
    if final in "^@" or modifiers & ~1:  # Shift alone has no effect
        key = _WITH_MODIFIER.get(key, key)
    return [key]
