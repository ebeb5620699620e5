"""Bytes of a keyboard, with pauses anywhere, for the decoder of keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from chatroom.limits import MAX_TEXT
from tests.fuzz.inputs import TEXTS, Choices, cuts, mutate
from tests.fuzz.loop import Target
from views.keys import Input, Jump, Key, KeyDecoder, Paste, Text

PAUSES = (0.0, 0.0, 0.0, 0.02, 0.1, 0.6, 6.0)
"""Seconds between two pieces: nothing, and less or more than each of the decoder's times."""

SEQUENCES = [
    *(
        b"\x1b",
        b"\x1b\x1b",
        b"\x1b[",
        b"\x1bO",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x1b[[A",
        b"\x1b[[",
        b"\x1b[1;5",
    ),
    *(
        b"\x1b[D",
        b"\x1bOA",
        b"\x1b[1;5C",
        b"\x1b[3~",
        b"\x1b[3^",
        b"\x1b[Z",
        b"\x1bOM",
        b"\x1bO5A",
        b"\x1b[M !!",
    ),
    *(b"\x1b[<0;1;1M", b"\x1b[?1;2c", b"\x1b]0;title\x07", b"\x1b]11;rgb\x1b\\", b"\x1bPq\x1b\\", b"\x1b_x"),
    *(b"\x1bb", b"\x1b\r", b"\x1b\x7f", b"\r", b"\n", b"\t", b"\x7f", b"\x03", b"\x04", b"\x1a", b"\x00"),
    *(b"\x1b[5~", b"\x1bn", b"\x1bp"),
    *(b"a", b"hello", b"\xff", b"\xc3", b"\xe6\xbc", b"\xf0\x9f\x91", b"1", b";", b"~", b"[", b"O"),
]


def type_in(pieces: list[bytes], pauses: list[float]) -> list[Input]:
    """All inputs of bytes that came in these pieces, a pause after each."""
    decoder, now, found = KeyDecoder(), 0.0, list[Input]()
    for piece, pause in zip(pieces, pauses, strict=True):
        found += decoder.feed(piece, now)
        end = now + pause
        while (wait := decoder.wait(now)) is not None and now + wait <= end:
            assert wait >= 0.0
            now += wait
            found += decoder.timeout(now)
            assert decoder.wait(now) != 0.0, "the time is over, and nothing has happened"
        now = end
    return found


def joined(inputs: list[Input]) -> list[Input]:
    """The same with each run of texts as one."""
    whole: list[Input] = []
    for given in inputs:
        if isinstance(given, Text) and whole and isinstance(whole[-1], Text):
            whole[-1] = Text(whole[-1].text + given.text)
        else:
            whole.append(given)
    return whole


def run(data: bytes) -> str:
    """Type it with the pauses, and without; then cuts must make no difference."""
    choices = Choices(data)
    paces = [PAUSES[choices.number(len(PAUSES))] for _ in range(8)]
    pieces = choices.pieces()
    paused = type_in(pieces, [paces[number % 8] for number in range(len(pieces))])
    for given in paused:
        if isinstance(given, Text):
            assert given.text and not any(letter < " " and letter != "\x1b" for letter in given.text), given
        elif isinstance(given, Paste):
            assert len(given.text) <= MAX_TEXT + 1
        else:
            assert isinstance(given, Key | Jump)
    data = b"".join(pieces)
    if len(data) < MAX_TEXT:
        in_pieces, whole = type_in(pieces, [0.0] * len(pieces)), type_in([data], [0.0])
        assert joined(in_pieces) == joined(whole), (in_pieces, whole)
    return "nothing" if not paused else type(paused[-1]).__name__


def make(random: Random) -> bytes:
    """Some sequences and texts, mostly mutated."""
    good = SEQUENCES if random.random() < 0.8 else [*SEQUENCES, *(text.encode() for text in TEXTS)]
    data = b"".join(random.choices(good, k=random.choice((1, 2, 3, 5, 8, 20))))
    if random.random() < 0.5:
        data = mutate(random, data, SEQUENCES)
    return random.randbytes(8) + cuts(random, data)


@contextmanager
def keys() -> Iterator[Target]:
    """What a terminal sends."""
    yield Target(make, run)
