"""The send buffer: bytes in order, shared and not copied."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.limits import FLUSH_BYTES, PIECE_BYTES
from server.send_buffer import SendBuffer


def buffer_of(*pieces: bytes | memoryview) -> SendBuffer:
    buffer = SendBuffer()
    for piece in pieces:
        buffer.append(piece)
    return buffer


def rest_of(buffer: SendBuffer) -> bytes:
    """Everything in the buffer, taken out in the largest sends."""
    found = b""
    while buffer.size:
        head = bytes(buffer.head())
        found += head
        buffer.advance(len(head))
    return found


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20), st.lists(st.integers(0, 60), max_size=30))
def test_every_byte_comes_out_once_and_in_order(pieces: list[bytes], takes: list[int]) -> None:
    """However much a socket takes of each head, the bytes come out as they went in."""
    buffer, found = buffer_of(*pieces), b""
    for take in takes:
        if not buffer.size:
            break
        sent = bytes(buffer.head())[:take]
        buffer.advance(len(sent))
        found += sent
    assert buffer.size == sum(map(len, pieces)) - len(found)
    assert found + rest_of(buffer) == b"".join(pieces)


def test_a_batch_is_not_copied() -> None:
    """A large piece comes out as the very object that went in, its rest as a view of it."""
    large = b"x" * FLUSH_BYTES
    buffer = buffer_of(large, b"small")
    assert buffer.head() is large
    buffer.advance(10)
    rest = buffer.head()
    assert isinstance(rest, bytes | memoryview) and len(rest) >= FLUSH_BYTES - 10
    begun = buffer_of(large * 2, b"small")
    begun.advance(10)
    assert isinstance(begun.head(), memoryview)
    alone = buffer_of(large)
    alone.advance(10)
    head = alone.head()
    assert isinstance(head, memoryview) and head.obj is large


def test_small_pieces_go_together_up_to_the_bound() -> None:
    """Small pieces are joined for one send, at most FLUSH_BYTES; a large one behind them is left alone."""
    piece = b"x" * (FLUSH_BYTES // 4)
    assert len(buffer_of(*[piece] * 3).head()) == 3 * len(piece)
    assert len(buffer_of(*[piece] * 9).head()) == FLUSH_BYTES
    assert buffer_of(b"small", b"x" * FLUSH_BYTES).head() == b"small"


def test_only_a_begun_batch_survives_dropping() -> None:
    """drop_whole_batches() leaves the rest of a batch whose beginning was sent, and nothing else."""
    buffer = buffer_of(b"first", b"second")
    buffer.advance(2)
    buffer.drop_whole_batches()
    assert rest_of(buffer) == b"rst"
    for pieces in ([], [b"whole", b"whole too"]):
        buffer = buffer_of(*pieces)
        buffer.drop_whole_batches()
        assert buffer.size == 0


def test_the_boundary_between_batches_counts_as_not_begun() -> None:
    """When exactly one batch was sent, nothing of it is left and the next one is not begun."""
    second = b"x" * FLUSH_BYTES
    buffer = buffer_of(b"first", second)
    buffer.advance(5)
    assert buffer.head() is second
    buffer.drop_whole_batches()
    assert buffer.size == 0


def test_clear() -> None:
    """clear() forgets everything."""
    buffer = buffer_of(b"one", b"two")
    buffer.clear()
    assert buffer.size == 0


PIECES = st.lists(st.tuples(st.binary(min_size=1, max_size=50), st.booleans()), max_size=20)


@given(PIECES, st.lists(st.integers(0, 60), max_size=30), st.booleans())
def test_own_and_shared_pieces_are_told_apart(
    pieces: list[tuple[bytes, bool]], takes: list[int], drops: bool
) -> None:
    """Whatever was sent, `own` is the memory of its own pieces; each shared piece goes once, in order."""
    buffer, shared = SendBuffer(), [bytes(data) for data, is_shared in pieces if is_shared]
    for data, is_shared in pieces:
        buffer.append(data, is_shared)
    gone: list[bytes] = []
    for take in takes:
        if buffer.size:
            buffer.advance(min(take, len(buffer.head())))
        gone += buffer.take_gone()
        assert gone == shared[: len(gone)]
    own = [data for data, is_shared in pieces if not is_shared]
    assert buffer.own in {
        sum(len(data) + PIECE_BYTES for data in own[start:]) for start in range(len(own) + 1)
    }
    if drops:
        buffer.drop_whole_batches()
    else:
        buffer.clear()
    assert gone + buffer.take_gone() == shared
    assert (buffer.own > 0) == (buffer.size > 0)
    assert drops or not buffer.size


def test_a_begun_piece_is_kept_whole() -> None:
    """The rest of a piece keeps the whole object in memory: it counts until its last byte is sent."""
    buffer = buffer_of(b"x" * 1000)
    buffer.advance(999)
    assert buffer.own == 1000 + PIECE_BYTES
    buffer.advance(1)
    assert buffer.own == 0
