"""The workloads: each starts its server or servers, drives them and returns named figures."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.bench.load import DeliveryMissing, Result, drive
from tests.bench.made_history import make_history
from tests.bench.peers import HISTORY, Peer, Running
from tests.bench.searching import Searcher, Texts, index, percentile
from tests.bench.watching import Watcher

Figures = dict[str, float]
ALL = ("native", "twin", "asio", "nats", "tutorial", "blast")
CHATS = ("native", "twin", "asio", "nats", "tutorial")
KEEPING_PACE = ("native", "twin", "asio", "nats")
"""For a workload that takes a minute: the tutorial server would only show once more that it is slow."""
OURS = ("native",)
WITH_TLS = ("native", "nats")
LONG_TEXT = 64 * 1024
MIXED = ((64, 90), (2048, 9), (16_384, 1))
"""Bytes of a text, and how many of a hundred texts have so many."""
MIXED_SEED = 1
PARTS = 6
"""A sustained run has a figure for each part: for ten seconds of a minute."""


@dataclass(frozen=True)
class Workload:
    """One measurement.

    peers:   the servers that it makes sense for
    longest: bytes of the longest text, 0 where that does not matter
    once:    it takes so long that it is not repeated
    tls:     over TLS, for which something may be missing here
    """

    name: str
    measure: Callable[[Peer], Figures]
    peers: tuple[str, ...]
    longest: int = 0
    once: bool = False
    tls: bool = False


@dataclass(frozen=True)
class Scale:
    """How long and how large: the sizes of the workloads of one kind of run."""

    seconds: float
    repeat: int
    saturated: tuple[tuple[int, int, int], ...]
    """members, talkers, bytes"""
    latency: tuple[tuple[int, float], ...]
    """members, messages a second"""
    mixed: tuple[int, int]
    """members, talkers"""
    tls: tuple[int, int, float]
    """over TLS: members, talkers, messages a second"""
    sustained: tuple[int, float]
    """members, seconds"""
    connect: int
    idle: int
    idle_seconds: float
    long_text: int
    never_reading: int
    watched: tuple[int, int]
    """members, talkers, while an operator looks at the threads"""
    catch_up: int
    """events that the talkers say before"""
    coming_back: int
    """events of a history that was made without a server"""
    grep: tuple[int, int, float]
    """lines of a history in which somebody searches, members who talk meanwhile, messages a second"""
    channels: tuple[int, int, int]
    """members, channels of each, and how many times as many there are"""


FULL = Scale(
    seconds=3.0,
    repeat=3,
    saturated=tuple(
        (members, talkers, size)
        for members, talkers in ((100, 1), (100, 20), (1000, 10), (5000, 10))
        for size in (64, 300, 512)
        if members == 100 or size != 300
    ),
    latency=((100, 200), (100, 1000), (100, 3000), (10_000, 20)),
    mixed=(100, 20),
    tls=(100, 1, 1000),
    sustained=(100, 60.0),
    connect=10_000,
    idle=1000,
    idle_seconds=10.0,
    long_text=100,
    never_reading=100,
    watched=(100, 1),
    catch_up=1_000_000,
    coming_back=1_000_000,
    grep=(1_000_000, 100, 200),
    channels=(1000, 8, 10),
)
QUICK = Scale(
    seconds=1.0,
    repeat=1,
    saturated=((100, 1, 64), (100, 20, 64), (100, 20, 300), (1000, 10, 64)),
    latency=((100, 1000),),
    mixed=(100, 20),
    tls=(100, 1, 1000),
    sustained=(100, 6.0),
    connect=1000,
    idle=200,
    idle_seconds=4.0,
    long_text=100,
    never_reading=100,
    watched=(100, 1),
    catch_up=100_000,
    coming_back=100_000,
    grep=(100_000, 100, 200),
    channels=(200, 8, 10),
)
SMOKE = Scale(
    seconds=0.1,
    repeat=1,
    saturated=((10, 2, 64), (10, 2, 300)),
    latency=((10, 200),),
    mixed=(10, 4),
    tls=(10, 2, 200),
    sustained=(10, 0.3),
    connect=0,
    idle=0,
    idle_seconds=0.0,
    long_text=3,
    never_reading=0,
    watched=(10, 2),
    catch_up=2000,
    coming_back=2000,
    grep=(2000, 10, 200),
    channels=(16, 2, 4),
)


def workloads(scale: Scale) -> list[Workload]:
    """All workloads of that scale, in the order in which they are run."""
    found = [
        Workload(
            f"saturated-{members}x{talkers}-{size}", _saturated(scale, members, talkers, str(size)), ALL, size
        )
        for members, talkers, size in scale.saturated
    ]
    members, talkers = scale.mixed
    mixed = _saturated(scale, members, talkers, mixed_sizes())
    found.append(Workload(f"mixed-{members}x{talkers}", mixed, ALL, max(size for size, _ in MIXED)))
    found += [
        Workload(f"latency-{members}-{rate:.0f}", _latency(scale, members, rate), CHATS)
        for members, rate in scale.latency
    ]
    members, talkers, rate = scale.tls
    encrypted = _saturated(scale, members, talkers, "64", tls=True)
    found.append(Workload(f"tls-saturated-{members}x{talkers}-64", encrypted, WITH_TLS, tls=True))
    encrypted = _latency(scale, members, rate, tls=True)
    found.append(Workload(f"tls-latency-{members}-{rate:.0f}", encrypted, WITH_TLS, tls=True))
    if scale.connect:
        found.append(Workload(f"connect-{scale.connect}", _connect(scale), CHATS))
    if scale.idle:
        found.append(Workload(f"idle-{scale.idle}", _idle(scale), CHATS))
        found.append(Workload(f"tls-idle-{scale.idle}", _idle(scale, tls=True), WITH_TLS, tls=True))
    found.append(Workload("start-up", _start_up, CHATS))
    if scale.long_text:
        long = _saturated(scale, scale.long_text, 1, str(LONG_TEXT))
        found.append(Workload(f"long-text-{scale.long_text}", long, ALL, LONG_TEXT))
    if scale.never_reading:
        found.append(Workload(f"never-reading-{scale.never_reading}", _never_reading(scale), OURS))
    if scale.watched:
        members, talkers = scale.watched
        found.append(Workload(f"watched-{members}x{talkers}-64", _watched(scale, members, talkers), OURS))
    if scale.catch_up:
        found.append(Workload(f"catch-up-{scale.catch_up}", _catch_up(scale), OURS))
    for channels in (1, 8):
        name = f"coming-back-{scale.coming_back}x{channels}"
        found.append(Workload(name, _coming_back(scale.coming_back, channels), OURS))
    lines, members, rate = scale.grep
    found.append(Workload(f"grep-{lines}", _grep(scale, lines, members, rate), OURS))
    found += [Workload(name, _channels(scale, *sizes), OURS) for name, sizes in _channel_sizes(scale)]
    members, seconds = scale.sustained
    name = f"sustained-{members}x1-{seconds:g}s"
    found.append(Workload(name, _sustained(members, seconds), KEEPING_PACE, once=True))
    return found


def mixed_sizes() -> str:
    """A hundred sizes as in MIXED, in an order that MIXED_SEED decides, for the option `--size`."""
    sizes = [size for size, count in MIXED for _ in range(count)]
    Random(MIXED_SEED).shuffle(sizes)
    return ",".join(map(str, sizes))


@contextmanager
def _server(peer: Peer, members: int, sizes: str = "64", tls: bool = False) -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory(prefix="chatroom-bench-") as folder,
        peer.start(Path(folder), members, sizes, tls) as running,
    ):
        yield running


def _throughput(result: Result) -> Figures:
    return {
        "rate": result.deliveries / result.seconds,
        "cpu_us": result.server_cpu / result.deliveries * 1e6,
        "server_busy": result.server_cpu / result.seconds,
        "load_busy": result.load_cpu / result.seconds,
        "peak_mib": result.rss_peak / 1024,
        "connect_s": result.connect_seconds,
    }


def _saturated(
    scale: Scale, members: int, talkers: int, sizes: str, tls: bool = False
) -> Callable[[Peer], Figures]:
    """Talkers send as fast as the server takes it, and all members read, the talkers, too.

    Measured: deliveries a second at all members.
    """

    def measure(peer: Peer) -> Figures:
        with _server(peer, members, sizes, tls) as server:
            return _throughput(
                drive(
                    peer,
                    server,
                    mode="saturate",
                    members=members,
                    talkers=talkers,
                    size=sizes,
                    seconds=scale.seconds,
                    tls=int(tls),
                )
            )

    return measure


def _channel_sizes(scale: Scale) -> list[tuple[str, tuple[int, int, int]]]:
    """Names, and of each: channels of a member, how many times as many there are, idle ones of a member.

    All in the same channels beside all in one; each in some of many beside each in one of some, where a line
    has as many receivers; and one channel with an idle one of each member beside the same without.
    """
    members, each, times = scale.channels
    return [
        (f"channels-{members}x1", (1, 1, 0)),
        (f"channels-{members}x{each}", (each, 1, 0)),
        (f"channels-{members}x1of{times}", (1, times, 0)),
        (f"channels-{members}x{each}of{each * times}", (each, times, 0)),
        (f"channels-idle-{members}", (1, 1, 1)),
    ]


def _channels(scale: Scale, each: int, times: int, idle: int) -> Callable[[Peer], Figures]:
    """As _saturated, in several channels: each talker talks in one, and all channels have as many talkers.

    Members, talkers and texts are the same in all of these workloads.
    """
    members = scale.channels[0]
    talkers = scale.channels[1] * scale.channels[2]

    def measure(peer: Peer) -> Figures:
        with _server(peer, members) as server:
            return _throughput(
                drive(
                    peer, server, mode="saturate", members=members, talkers=talkers, seconds=scale.seconds,
                    channels=each, spread=times, idle=idle,
                )
            )  # fmt: skip

    return measure


def _sustained(members: int, seconds: float) -> Callable[[Peer], Figures]:
    """One talker sends for a long time: whether rate and memory stay as they are while the history grows."""

    def measure(peer: Peer) -> Figures:
        with _server(peer, members) as server:
            result = drive(
                peer, server, mode="sustain", members=members, talkers=1, seconds=seconds, steps=PARTS
            )
            parts = {f"part_{number}": rate for number, rate in enumerate(result.rates, 1)}
            return parts | {
                "rate": result.deliveries / result.seconds,
                "slowest_part": min(result.rates),
                "last_part": result.rates[-1],
                "cpu_us": result.server_cpu / result.deliveries * 1e6,
                "load_busy": result.load_cpu / result.seconds,
                "rss_begin_mib": result.rss_before / 1024,
                "rss_end_mib": result.rss_after / 1024,
                "history_mib": server.history_bytes() / 2**20,
            }

    return measure


def _latency(scale: Scale, members: int, rate: float, tls: bool = False) -> Callable[[Peer], Figures]:
    """Ten members send in turn, at a steady rate; measured: time from the due time to each delivery."""
    talkers = min(10, members)
    # A large room needs some seconds until its rate is steady: its first deliveries are not measured.
    warmup = 1.0 if members <= 1000 else 3.0

    def measure(peer: Peer) -> Figures:
        with _server(peer, members, tls=tls) as server:
            result = drive(
                peer, server, mode="rate", members=members, talkers=talkers, rate=rate, warmup=warmup,
                seconds=max(scale.seconds, 0.5) * (1 if members <= 1000 else 3), patience=60, tls=int(tls),
            )  # fmt: skip
            latency = result.latency or {}
            return {
                "median_ms": latency["median"] * 1e3,
                "p99_ms": latency["p99"] * 1e3,
                "max_ms": latency["max"] * 1e3,
                "cpu_us": result.server_cpu / result.deliveries * 1e6,
                "server_busy": result.server_cpu / result.seconds,
                "load_busy": result.load_cpu / result.seconds,
                "connect_s": result.connect_seconds,
            }

    return measure


def _connect(scale: Scale) -> Callable[[Peer], Figures]:
    """Members until all are in, `Peer.parallel` at a time (ours and the twin: the whole handshake)."""

    def measure(peer: Peer) -> Figures:
        with _server(peer, scale.connect) as server:
            result = drive(
                peer, server, mode="idle", members=scale.connect, settle=0, seconds=0.1, patience=60
            )
            return {
                "connect_s": result.connect_seconds,
                "settled_s": result.settled_seconds,
                "members_a_second": scale.connect / result.connect_seconds,
            }

    return measure


def _idle(scale: Scale, tls: bool = False) -> Callable[[Peer], Figures]:
    """Members that say nothing: the memory for each, and the CPU for all together."""

    def measure(peer: Peer) -> Figures:
        with _server(peer, scale.idle, tls=tls) as server:
            result = drive(
                peer, server, mode="idle", members=scale.idle, settle=3, seconds=scale.idle_seconds,
                tls=int(tls),
            )  # fmt: skip
            return {
                "kib_per_member": (result.rss_after - result.rss_before) / scale.idle,
                "idle_cpu_percent": result.server_cpu / result.seconds * 100,
                "rss_mib": result.rss_after / 1024,
            }

    return measure


def _start_up(peer: Peer) -> Figures:
    """Time from the program's start until it accepts connections."""
    with _server(peer, 0) as server:
        return {"startup_ms": server.startup * 1e3}


def _never_reading(scale: Scale) -> Callable[[Peer], Figures]:
    """The rate of the others with one more member that never reads, beside the rate without it."""
    options: dict[str, str | float] = {
        "mode": "saturate", "members": scale.never_reading - 1, "talkers": 1, "seconds": scale.seconds
    }  # fmt: skip

    def measure(peer: Peer) -> Figures:
        with _server(peer, scale.never_reading) as server:
            without = drive(peer, server, **options)
        with _server(peer, scale.never_reading) as server:
            beside = drive(peer, server, stuck=1, **options)
        rates = [result.deliveries / result.seconds for result in (without, beside)]
        return {
            "rate_without": rates[0],
            "rate": rates[1],
            "kept_percent": rates[1] / rates[0] * 100,
            "peak_mib_without": without.rss_peak / 1024,
            "peak_mib": beside.rss_peak / 1024,
        }

    return measure


def _watched(scale: Scale, members: int, talkers: int) -> Callable[[Peer], Figures]:
    """The rate of a saturated server at whose threads an operator looks once a second, beside the rate of one
    at which nobody looks."""
    options: dict[str, str | float] = {
        "mode": "saturate", "members": members, "talkers": talkers, "seconds": scale.seconds
    }  # fmt: skip

    def measure(peer: Peer) -> Figures:
        with _server(peer, members) as server:
            without = drive(peer, server, **options)
        with _server(peer, members + 1) as server:
            watcher = Watcher(server)
            with watcher.at_work():
                watched = drive(peer, server, **options)
        rates = [result.deliveries / result.seconds for result in (without, watched)]
        return {
            "rate_without": rates[0],
            "rate": rates[1],
            "kept_percent": rates[1] / rates[0] * 100,
            "cpu_us_without": without.server_cpu / without.deliveries * 1e6,
            "cpu_us": watched.server_cpu / watched.deliveries * 1e6,
            "look_median_ms": percentile(watcher.times, 0.5) * 1e3,
            "look_max_ms": max(watcher.times) * 1e3,
        }

    return measure


def _catch_up(scale: Scale) -> Callable[[Peer], Figures]:
    """One member reads the whole history while nine others go on talking, 200 messages a second."""

    def measure(peer: Peer) -> Figures:
        with _server(peer, 10) as server:
            result = drive(
                peer, server, mode="catchup", members=10, messages=scale.catch_up, rate=200, patience=60
            )  # fmt: skip
            latency = result.latency or {}
            return {
                "catch_up_s": result.seconds,
                "events_a_second": result.replayed / result.seconds,
                "median_ms": latency.get("median", 0) * 1e3,
                "p99_ms": latency.get("p99", 0) * 1e3,
                "fill_a_second": scale.catch_up / result.fill_seconds,
            }

    return measure


def _coming_back(events: int, channels: int) -> Callable[[Peer], Figures]:
    """One member comes back to a history of so many events that it has not seen: the time until LIVE.

    Meanwhile twenty others say a hundred lines a second together. All are in all channels.
    """

    def measure(peer: Peer) -> Figures:
        with tempfile.TemporaryDirectory(prefix="chatroom-bench-") as name:
            folder, begin = Path(name), time.monotonic()
            first_time = make_history(folder / HISTORY, events, channels)
            seconds = time.monotonic() - begin
            with peer.start(folder, 21) as server:
                history_mib = server.history_bytes() / 2**20
                result = drive(
                    peer, server, mode="catchup", members=21, talkers=20, rate=100, patience=60,
                    channels=channels, since=1, **{"since-time": first_time},
                )  # fmt: skip
        if result.replayed < events - 1:
            raise DeliveryMissing(f"only {result.replayed} of {events - 1} events came before LIVE")
        latency = result.latency or {}
        return {
            "catch_up_s": result.seconds,
            "events_a_second": result.replayed / result.seconds,
            "median_ms": latency.get("median", 0) * 1e3,
            "p99_ms": latency.get("p99", 0) * 1e3,
            "made_a_second": events / seconds,
            "history_mib": history_mib,
        }

    return measure


def _grep(scale: Scale, lines: int, members: int, rate: float) -> Callable[[Peer], Figures]:
    """One more member searches in so many lines without a pause, while all others talk at a steady rate.

    Measured: the time from a /grep to its last byte, and what the others notice of it: their latencies in a
    server where nobody searches, and in a second one.
    """
    seconds = max(scale.seconds, 0.5) * 3

    def measure(peer: Peer) -> Figures:
        def talk(server: Running) -> dict[str, float]:
            result = drive(
                peer, server, mode="rate", members=members, talkers=members, rate=rate,
                warmup=min(1.0, seconds), seconds=seconds, patience=60,
            )  # fmt: skip
            return result.latency or {}

        with tempfile.TemporaryDirectory(prefix="chatroom-bench-") as name:
            first, second = Path(name, "alone"), Path(name, "beside")
            first.mkdir()
            make_history(first / HISTORY, lines, 1, Texts())
            index_seconds = index(first / HISTORY)
            shutil.copytree(first, second)  # the names of the first run are kept for its talkers
            with peer.start(first, members + 1) as server:
                alone = talk(server)
            with peer.start(second, members + 1) as server:
                searcher = Searcher(server.port, "#general")
                with searcher.at_work():
                    beside = talk(server)
        times = searcher.times
        return {
            "search_median_ms": percentile(times, 0.5) * 1e3,
            "search_p99_ms": percentile(times, 0.99) * 1e3,
            "searches_a_second": 1 / (sum(times) / len(times)),
            "median_ms": beside["median"] * 1e3,
            "p99_ms": beside["p99"] * 1e3,
            "alone_median_ms": alone["median"] * 1e3,
            "alone_p99_ms": alone["p99"] * 1e3,
            "indexed_a_second": lines / index_seconds,
        }

    return measure
