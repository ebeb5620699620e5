"""Valid packets of every kind, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER, MAX_REASON, MAX_TEXT, MAX_TIME, NAME_BYTES, TICKET_BYTES
from chatroom.packets import (
    Admit,
    Bye,
    Code,
    Command,
    Confirm,
    Hello,
    Live,
    Notice,
    Packet,
    Ping,
    Pong,
    Port,
    Say,
    Status,
    Username,
    Welcome,
)

LETTERS = st.characters(exclude_categories=("Cs",))


def texts(size: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text of at most `size` UTF-8 bytes; drawn small, so that examples stay readable."""
    return st.text(LETTERS, min_size=least, max_size=min(size // 4, 40))


def long_texts(least: int = 1) -> st.SearchStrategy[str]:
    """Text of up to MAX_TEXT bytes: a short pattern, repeated, so that cuts fall anywhere in a character."""

    def repeated(pattern: str, size: int) -> str:
        return (pattern * (size // len(pattern.encode()) + 1)).encode()[:size].decode(
            errors="ignore"
        ) or pattern

    return st.builds(repeated, st.text(LETTERS, min_size=1, max_size=5), st.integers(least, MAX_TEXT))


numbers = st.one_of(st.integers(0, 300), st.integers(0, MAX_NUMBER))
tokens = st.binary(min_size=TICKET_BYTES, max_size=TICKET_BYTES)
strings8 = texts(255)
reasons = texts(MAX_REASON)

events = st.builds(
    Event,
    numbers,
    st.integers(0, MAX_TIME),
    st.sampled_from(EventKind),
    strings8,
    strings8,
    texts(4096),
    numbers,
)
long_events = st.builds(
    Event,
    numbers,
    st.integers(0, MAX_TIME),
    st.sampled_from(EventKind),
    strings8,
    strings8,
    long_texts(),
    numbers,
)
says = st.builds(Say, numbers, strings8, texts(4096, least=1))
long_says = st.builds(Say, numbers, strings8, long_texts())

kinds: dict[type, st.SearchStrategy[Packet]] = {
    Hello: st.builds(Hello, st.integers(0, 255), reasons),
    Username: st.builds(Username, texts(NAME_BYTES), tokens),
    Status: st.builds(Status, st.sampled_from(Code), reasons),
    Port: st.builds(Port, st.integers(0, 65535), tokens),
    Admit: st.builds(Admit, strings8, tokens, strings8, numbers, st.integers(0, 65535)),
    Welcome: st.builds(Welcome, strings8, strings8, tokens, numbers, numbers),
    Live: st.builds(Live, numbers),
    Say: says,
    Confirm: st.builds(Confirm, numbers),
    Command: st.builds(Command, numbers, strings8, texts(4096)),
    Notice: st.builds(Notice, numbers, texts(4096)),
    Ping: st.builds(Ping, numbers),
    Pong: st.builds(Pong, numbers),
    Bye: st.builds(Bye, st.booleans(), reasons),
    Event: events,
}
packets: st.SearchStrategy[Packet] = st.one_of(*kinds.values())
