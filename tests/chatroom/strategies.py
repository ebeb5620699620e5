"""Valid packets of every kind, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from chatroom.events import Event, EventKind, Talk
from chatroom.limits import (
    CHANNEL_FIELD,
    MAX_CHANNELS,
    MAX_NUMBER,
    MAX_REASON,
    MAX_TEXT,
    MAX_TIME,
    MAX_TOPIC,
    NAME_BYTES,
    TICKET_BYTES,
)
from chatroom.packets import (
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Hello,
    Info,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Present,
    Replay,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
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
numbers32 = st.one_of(st.integers(0, 300), st.integers(0, 2**32 - 1))
bytes8 = st.integers(0, 255)
codes = st.one_of(st.integers(0, 70), st.integers(0, 65535))
times = st.integers(0, MAX_TIME)
tokens = st.binary(min_size=TICKET_BYTES, max_size=TICKET_BYTES)
strings8 = texts(255)
names = texts(NAME_BYTES)
places = texts(CHANNEL_FIELD)
reasons = texts(MAX_REASON)
words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters=" "), min_size=1, max_size=8)
extras = st.one_of(
    st.just(b""),
    st.lists(st.tuples(bytes8, st.binary(max_size=20)), max_size=8).map(
        lambda rows: b"".join(bytes((key, len(value))) + value for key, value in rows)
    ),
)


def _events(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    kinds = st.sampled_from(EventKind)
    return st.builds(
        Event, numbers, times, kinds, places, names, texts, numbers, numbers32, numbers32, extras, st.just(())
    )


events = _events(texts(4096))
long_events = _events(long_texts())


def _talks(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Talk]:
    """Lines of one member, with rising ids."""
    lines = st.lists(
        st.tuples(numbers, texts.map(str.encode)), min_size=1, max_size=6, unique_by=lambda line: line[0]
    )
    return st.builds(
        lambda first, time, channel, author, person, place, lines: Talk(
            first, time, channel, author, person, place, *map(list, zip(*sorted(lines), strict=True))
        ),
        st.integers(1, 300) | st.integers(1, MAX_NUMBER - 6),
        times,
        places,
        names,
        numbers32,
        numbers32,
        lines,
    )


talks = _talks(texts(4096))
long_talks = _talks(texts(40) | long_texts())
says = st.builds(Say, numbers, strings8, texts(4096, least=1), bytes8, extras)
long_says = st.builds(Say, numbers, strings8, long_texts(), bytes8, extras)
long_answers = st.builds(
    lambda id, code, text, cut: Answer(id, code, text[:cut], text[cut:]),
    numbers,
    codes,
    long_texts(),
    st.integers(0, MAX_TEXT),
)
members = st.builds(Present, numbers32, bytes8, names)
channels = st.builds(
    Channel,
    numbers32,
    places,
    texts(MAX_TOPIC),
    bytes8,
    bytes8,
    numbers32,
    st.lists(members, max_size=5).flatmap(
        lambda few: st.sampled_from([0, 1, 30, 200]).map(lambda times: tuple(few * times))
    ),
)
statuses = st.one_of(
    st.sampled_from([Status(Verdict.PASS), Status(Verdict.END)]),
    st.builds(Status, st.just(Verdict.FAIL), codes, reasons),
)

kinds: dict[type, st.SearchStrategy[Packet]] = {
    Hello: st.builds(Hello, bytes8, strings8, st.lists(words, max_size=5).map(tuple)),
    Username: st.builds(
        Username, names, tokens, st.lists(st.tuples(bytes8, st.binary(max_size=99)), max_size=9).map(tuple)
    ),
    Status: statuses,
    Port: st.builds(Port, st.integers(0, 65535), tokens),
    Admit: st.builds(
        Admit,
        strings8,
        tokens,
        st.lists(texts(CHANNEL_FIELD), min_size=1, max_size=MAX_CHANNELS).map(tuple),
        numbers,
        times,
        tokens,
        st.integers(0, 65535),
    ),
    Welcome: st.builds(
        Welcome, strings8, tokens, tokens, numbers32, numbers, numbers, st.sampled_from(Resumed)
    ),
    Live: st.builds(Live, numbers, times),
    Replay: st.builds(Replay, numbers),
    Channel: channels,
    Say: says,
    Command: st.builds(Command, numbers, strings8, texts(4096)),
    Answer: st.builds(Answer, numbers, codes, texts(4096), texts(4096)),
    Info: st.builds(Info, texts(4096)),
    Ping: st.builds(Ping, numbers),
    Pong: st.builds(Pong, numbers),
    Bye: st.builds(Bye, st.booleans(), codes, reasons),
    Event: events,
}
packets: st.SearchStrategy[Packet] = st.one_of(*kinds.values())
