"""client/lines.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from client.lines import LineSplitter, Said, TooLong


def lines(*pieces: bytes) -> list[Said | TooLong]:
    splitter = LineSplitter()
    found = [line for piece in pieces for line in splitter.feed(piece)]
    return found + splitter.finish()


def texts(*pieces: bytes) -> list[str]:
    return [line.text for line in lines(*pieces) if isinstance(line, Said)]


def test_every_line_is_said_as_it_is() -> None:
    """LF or CRLF ends a line, the end of the input the last; empty lines are left out; a slash is a slash."""
    assert texts(b"one\r\ntwo\n\n\r\n/three \n  four") == ["one", "two", "/three ", "  four"]
    assert texts() == texts(b"") == texts(b"\n\n") == []
    assert texts(b"a\rb\r\r\n") == ["a\rb\r"]


def test_wrong_bytes_are_replaced_and_told() -> None:
    """Wrong bytes become U+FFFD, and the line is marked as repaired."""
    assert lines(b"ok\n\xff\xc3\n\xc3\xa9\n") == [
        Said(1, "ok", False),
        Said(2, "\ufffd\ufffd", True),
        Said(3, "é", False),
    ]


def test_a_line_that_is_too_long_is_skipped_and_the_others_are_said() -> None:
    """A line of MAX_TEXT bytes is said; a longer one is skipped, and the buffer stays small."""
    longest = b"x" * MAX_TEXT
    assert lines(longest + b"\n", b"b\n") == [Said(1, longest.decode(), False), Said(2, "b", False)]
    assert lines(longest + b"\r\nb") == [Said(1, longest.decode(), False), Said(2, "b", False)]
    assert lines(longest + b"x\nb") == [TooLong(1), Said(2, "b", False)]
    assert lines(b"\xff" * MAX_TEXT + b"\nb") == [TooLong(1), Said(2, "b", False)]  # thrice as long repaired
    splitter = LineSplitter()
    for _ in range(64):
        splitter.feed(longest)
    assert len(splitter.rest) <= MAX_TEXT + 1
    assert splitter.finish() == [TooLong(1)]


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", "é".encode(), b"\xff", b"/x"])), st.data())
def test_cuts_do_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    """The same bytes in any pieces are the same lines."""
    whole = b"".join(parts)
    cut = data.draw(st.integers(0, len(whole)))
    assert lines(whole[:cut], whole[cut:]) == lines(whole)
    assert lines(*(bytes((byte,)) for byte in whole)) == lines(whole)
