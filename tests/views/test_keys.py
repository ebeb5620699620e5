"""Tests of the decoding of keyboard bytes: sequences, pastes, splits and timeouts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from views.keys import Input, Jump, Key, KeyDecoder, Paste, Text
from views.limits import ESCAPE_SECONDS, PASTE_SECONDS, SEQUENCE_SECONDS

SEQUENCES = {
    b"\x1b[A": Key.UP,
    b"\x1b[B": Key.DOWN,
    b"\x1b[C": Key.RIGHT,
    b"\x1b[D": Key.LEFT,
    b"\x1bOA": Key.UP,
    b"\x1bOD": Key.LEFT,
    b"\x1bOM": Key.ENTER,
    b"\x1b[H": Key.HOME,
    b"\x1b[1~": Key.HOME,
    b"\x1b[7~": Key.HOME,
    b"\x1bOH": Key.HOME,
    b"\x1b[F": Key.END,
    b"\x1b[4~": Key.END,
    b"\x1b[8~": Key.END,
    b"\x1bOF": Key.END,
    b"\x1b[3~": Key.DELETE,
    b"\x1b[5~": Key.PAGE_UP,
    b"\x1b[6~": Key.PAGE_DOWN,
    b"\x1b[Z": Key.BACK_TAB,
    b"\x1b[1;5C": Key.WORD_RIGHT,
    b"\x1b[1;5D": Key.WORD_LEFT,
    b"\x1b[1;3D": Key.WORD_LEFT,
    b"\x1b[1;2D": Key.LEFT,
    b"\x1bOc": Key.WORD_RIGHT,
    b"\x1bOd": Key.WORD_LEFT,
    b"\x1b[3;5~": Key.KILL_WORD_RIGHT,
    b"\x1b[3^": Key.KILL_WORD_RIGHT,
    b"\x1bb": Key.WORD_LEFT,
    b"\x1bf": Key.WORD_RIGHT,
    b"\x1bd": Key.KILL_WORD_RIGHT,
    b"\x1b\x7f": Key.KILL_SUBWORD_LEFT,
    b"\x1b\r": Key.NEWLINE,
    b"\x1by": Key.YANK_OLDER,
    b"\x1bn": Key.NEXT_FOUND,
    b"\x1bp": Key.LAST_FOUND,
    b"\x01": Key.HOME,
    b"\x02": Key.LEFT,
    b"\x03": Key.CANCEL,
    b"\x04": Key.DELETE_OR_LEAVE,
    b"\x05": Key.END,
    b"\x06": Key.RIGHT,
    b"\x08": Key.BACKSPACE,
    b"\x7f": Key.BACKSPACE,
    b"\t": Key.TAB,
    b"\r": Key.ENTER,
    b"\n": Key.ENTER,
    b"\x0b": Key.KILL_TO_END,
    b"\x0c": Key.REDRAW,
    b"\x0e": Key.DOWN,
    b"\x10": Key.UP,
    b"\x14": Key.TRANSPOSE,
    b"\x15": Key.KILL_TO_START,
    b"\x17": Key.KILL_WORD_LEFT,
    b"\x19": Key.YANK,
    b"\x1a": Key.SUSPEND,
    b"\x1f": Key.UNDO,
}
"""Bytes that terminals send (xterm, tmux, rxvt, the Linux console), and the key that they mean."""

DROPPED = [
    b"\x1b[?62;22c",
    b"\x1b[>41;354;0c",
    b"\x1b[12;40R",
    b"\x1b[0n",
    b"\x1b[<0;12;5M",
    b"\x1b[15~",
    b"\x1b[[A",
    b"\x1b[2~",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1bP1$r0m\x1b\\",
    b"\x1b[I",
    b"\x1bq",
    b"\x00",
    b"\x1c",
]
"""Answers to queries, focus reports, function keys: none of these may appear in the input line."""


def feed(*chunks: bytes) -> list[Input]:
    """The inputs that a new decoder returns for the chunks; adjacent texts are joined."""
    decoder, found = KeyDecoder(), list[Input]()
    for chunk in chunks:
        for given_ in decoder.feed(chunk, 0.0):
            if isinstance(given_, Text) and found and isinstance(found[-1], Text):
                found[-1] = Text(found[-1].text + given_.text)
            else:
                found.append(given_)
    return found


@pytest.mark.parametrize(("data", "key"), SEQUENCES.items())
def test_each_sequence_is_its_key(data: bytes, key: Key) -> None:
    """Each sequence is decoded to its key, whole or byte by byte, and the text after it is text."""
    assert feed(data, b"x") == [key, Text("x")]
    assert feed(*(bytes([byte]) for byte in data), b"x") == [key, Text("x")]


@pytest.mark.parametrize("data", DROPPED)
def test_unknown_sequences_are_not_typed(data: bytes) -> None:
    """An unknown sequence is dropped as a whole; the text around it stays."""
    assert feed(b"a" + data + b"b") == [Text("a"), Text("b")] or feed(b"a" + data + b"b") == [Text("ab")]
    assert feed(*(bytes([byte]) for byte in b"a" + data + b"b")) == [Text("ab")]


input_bytes = st.one_of(
    st.sampled_from([*SEQUENCES, *DROPPED]),
    st.text(alphabet="abc äß漢👩", min_size=1, max_size=5).map(str.encode),
    st.sampled_from([b"\x1b[200~pasted\r\n\x1b[A text\x1b[201~"]),
)


@given(st.lists(input_bytes, max_size=12).map(b"".join), st.lists(st.integers(0, 400), max_size=12))
def test_splits_change_nothing(data: bytes, splits: list[int]) -> None:
    """The same bytes give the same inputs wherever they are split, even inside a character or sequence."""
    edges = sorted({0, len(data), *(split for split in splits if split < len(data))})
    parts = [data[a:b] for a, b in pairwise(edges)]
    assert feed(*parts) == feed(data)


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_any_bytes_are_accepted(chunks: list[bytes]) -> None:
    """The decoder accepts any bytes, and after the longest timeout and Ctrl-C it decodes keys again."""
    decoder = KeyDecoder()
    for chunk in chunks:
        decoder.feed(chunk, 0.0)
    decoder.timeout(PASTE_SECONDS)
    assert decoder.wait(PASTE_SECONDS) is None
    decoder.feed(b"\x03", 8.0)
    assert decoder.feed(b"\r", 9.0)[-1:] == [Key.ENTER]


def test_a_paste_is_one_thing() -> None:
    """Line ends, keys and sequences inside a paste belong to its text."""
    assert feed(b"\x1b[200~one\rtwo\n\x1b[A\x03\x1b[201~z") == [Paste("one\rtwo\n\x1b[A\x03"), Text("z")]


def test_a_paste_without_end_goes_on() -> None:
    """After PASTE_SECONDS without a byte the text so far is returned; what follows belongs to the paste."""
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b[200~never ends\x1b[20", 1.0) == []
    assert decoder.wait(1.0) == PASTE_SECONDS
    assert decoder.timeout(0.9 + PASTE_SECONDS) == []
    assert decoder.timeout(1.0 + PASTE_SECONDS) == [Paste("never ends", ends=False)]
    assert decoder.wait(7.0) is None
    assert decoder.feed(b"0\rx", 7.0) == [Paste("\x1b[200\rx", ends=False)]
    assert decoder.feed(b"\r", 8.0) == [Paste("\r", ends=False)]
    assert decoder.feed(b"\x1b[201", 9.0) == []
    assert decoder.feed(b"~\r", 99.0) == [Key.ENTER]


def test_ctrl_c_ends_a_paste_whose_end_is_lost() -> None:
    """Ctrl-C alone ends a paste that has paused for PASTE_SECONDS; else it is text of the paste."""
    decoder = KeyDecoder()
    decoder.feed(b"\x1b[200~one", 1.0)
    assert decoder.feed(b"\x03", 2.0) == []
    assert decoder.timeout(2.0 + PASTE_SECONDS) == [Paste("one\x03", ends=False)]
    assert decoder.feed(b"two\x03", 8.0) == [Paste("two\x03", ends=False)]
    assert decoder.feed(b"\x03", 9.0) == [Key.CANCEL]
    assert decoder.feed(b"\r", 9.0) == [Key.ENTER]


PASTED = b"\x1b[200~one\ntwo\r\nthree\x1b[201~"


@given(st.dictionaries(st.integers(1, len(PASTED) - 1), st.sampled_from([0.0, 0.1, 0.6, 9.0])))
@example(dict.fromkeys(range(1, len(PASTED)), 0.1))
@example(dict.fromkeys(range(1, len(PASTED)), 9.0))
@example({1: 0.1})
def test_nothing_between_the_marks_is_sent(pauses: dict[int, float]) -> None:
    """A paste is the same text in the input line, and nothing is sent, wherever pauses cut it."""
    decoder, line, now = KeyDecoder(), "", 0.0
    edges = sorted({0, len(PASTED), *pauses})
    for start, end in pairwise(edges):
        inputs = decoder.feed(PASTED[start:end], now)
        now += pauses.get(end, 0.0)
        while (wait := decoder.wait(now)) == 0.0:
            inputs += decoder.timeout(now)
        assert wait is None or wait > 0
        for each in inputs:
            assert each is not Key.ENTER
            if isinstance(each, Text | Paste):
                line += each.text
            elif each is Key.BACKSPACE:
                line = line[:-1]
    assert line == "one\ntwo\r\nthree"
    assert decoder.feed(b"\r", now) == [Key.ENTER]


def test_a_huge_paste_is_bounded() -> None:
    """A paste keeps one character more than a line holds, so that the line is too long; its end is found."""
    decoder = KeyDecoder()
    decoder.feed(b"\x1b[200~", 0.0)
    for _ in range(3):
        assert decoder.feed(b"x" * MAX_TEXT, 0.0) == []
    [paste, after] = decoder.feed(b"\x1b[201~y", 0.0)
    assert isinstance(paste, Paste)
    assert len(paste.text) == MAX_TEXT + 1
    assert after == Text("y")


def test_a_lone_escape_is_a_key_after_a_while() -> None:
    """An escape character is the Esc key if no byte follows within ESCAPE_SECONDS."""
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b", 1.0) == []
    assert decoder.wait(1.0) == pytest.approx(ESCAPE_SECONDS)
    assert decoder.timeout(1.0 + ESCAPE_SECONDS / 2) == []
    assert decoder.timeout(1.001 + ESCAPE_SECONDS) == [Key.ESCAPE]
    assert decoder.wait(2.0) is None
    assert decoder.feed(b"A", 2.0) == [Text("A")]


def after_escape(*chunks: bytes, pause: float = 1.0) -> list[Input]:
    """The inputs from chunks that come after a lone Esc, each after a pause."""
    decoder, now = KeyDecoder(), 0.0
    decoder.feed(b"\x1b", now)
    found: list[Input] = []
    for chunk in chunks:
        now += pause
        found += [*decoder.timeout(now), *decoder.feed(chunk, now)]
    return [*found[1:], *decoder.timeout(now + 1.0)]


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        *((b"[D", Key.LEFT), (b"OD", Key.LEFT), (b"[1;5C", Key.WORD_RIGHT), (b"[3~", Key.DELETE)),
        (b"[D\x1b[D", Key.LEFT),
    ],
)
def test_the_rest_of_a_sequence_may_come_later_than_escape_seconds(rest: bytes, key: Key) -> None:
    """A key's sequence is that key, not text, however long after its Esc the rest comes, if in one piece."""
    assert set(after_escape(rest)) == {key}


@pytest.mark.parametrize(
    "chunks",
    [(b"[",), (b"[", b"D"), (b"[", b"2", b"x"), (b"[link]",), (b"[1] see",), (b"Of course",), (b"O", b"D")],
)
def test_who_types_after_escape_types_text(chunks: tuple[bytes, ...]) -> None:
    """Brackets and letters that a person types after Esc are text, also over a slow link."""
    inputs = [each for each in after_escape(*chunks) if isinstance(each, Text)]
    assert len(inputs) == len(after_escape(*chunks))
    assert "".join(each.text for each in inputs).encode() == b"".join(chunks)


def test_a_bracket_after_escape_is_shown_soon() -> None:
    """A bracket after a lone Esc is text after ESCAPE_SECONDS; until then it may begin a sequence."""
    decoder = KeyDecoder()
    decoder.feed(b"\x1b", 0.0)
    decoder.timeout(1.0)
    assert decoder.feed(b"[", 2.0) == []
    assert decoder.wait(2.0) == pytest.approx(ESCAPE_SECONDS)
    assert decoder.timeout(2.1) == [Text("[")]
    assert decoder.wait(3.0) is None
    assert decoder.feed(b"x", 3.0) == [Text("x")]


def test_a_split_sequence_may_arrive_late() -> None:
    """A split sequence is still decoded if its rest comes within SEQUENCE_SECONDS, or later in one piece."""
    decoder = KeyDecoder()
    decoder.feed(b"\x1b[1;", 1.0)
    assert decoder.timeout(1.0 + ESCAPE_SECONDS * 2) == []
    assert decoder.feed(b"5C", 1.2) == [Key.WORD_RIGHT]
    decoder.feed(b"\x1b[1;", 2.0)
    assert decoder.timeout(2.0 + SEQUENCE_SECONDS) == []
    assert decoder.feed(b"5C", 3.0) == [Key.WORD_RIGHT]
    decoder.feed(b"\x1b[", 4.0)  # Alt-[
    assert decoder.timeout(4.0 + SEQUENCE_SECONDS) == []
    assert decoder.feed(b"A", 5.0) == [Text("A")]


def test_broken_utf8_is_replaced() -> None:
    """Bytes that are not UTF-8 become U+FFFD, and the text after them is intact."""
    assert feed(b"\xff\xc3", b"a") == [Text("\ufffd\ufffda")]


def test_keys_for_channels() -> None:
    """Alt and a digit is the channel of that number, Alt-A the next one with something unread."""
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b1\x1b9\x1baa", 0.0) == [Jump(1), Jump(9), Jump(0), Text("a")]
    assert decoder.feed(b"\x1b0\x1bz", 1.0) == []


def test_letters_with_alt_in_either_case() -> None:
    """Caps Lock or Shift makes no difference."""
    decoder = KeyDecoder()
    for letters in (b"\x1bb\x1bf\x1bd\x1by\x1bn\x1ba", b"\x1bB\x1bF\x1bD\x1bY\x1bN\x1bA"):
        found = decoder.feed(letters, 0.0)
        assert found[:2] == [Key.WORD_LEFT, Key.WORD_RIGHT]
        assert found[2:] == [Key.KILL_WORD_RIGHT, Key.YANK_OLDER, Key.NEXT_FOUND, Jump(0)]


def test_alt_and_a_capital_p() -> None:
    """A string of the terminal begins so, too: it is the key when nothing follows, and no string is typed."""
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1bp", 0.0) == [Key.LAST_FOUND]
    assert decoder.feed(b"\x1bP", 1.0) == []
    assert decoder.timeout(1.0 + ESCAPE_SECONDS) == [Key.LAST_FOUND]
    assert decoder.feed(b"x", 2.0) == [Text("x")]
    decoder.feed(b"\x1bP", 3.0)
    decoder.timeout(3.0 + ESCAPE_SECONDS)
    assert decoder.feed(b"1$r0m\x1b\\", 4.0) == []
