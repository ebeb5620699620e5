"""The metrics: the server's figures as Prometheus reads them. Needs the library prometheus-client.

Names and units are as Prometheus recommends (https://prometheus.io/docs/practices/naming/): base units,
counters end with _total, times are told as Unix time. notes/metrics.md explains each for a person.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chatroom import __version__
from chatroom.chatroom import Chatroom
from chatroom.figures import Snapshot, Spread
from chatroom.packets import Resumed
from server.backlogs import Backlogs
from server.crowd import Crowd
from server.disk_watch import DiskWatch
from server.stream import Stream
from server.waits import kind_of

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Of a page."""


class Sources(NamedTuple):
    """Where the figures are.

    disk: None without a history file
    """

    chatroom: Chatroom
    crowd: Crowd
    backlogs: Backlogs[Stream]
    disk: DiskWatch | None


class ServerCollector(Collector):
    """Reads the figures, each under its own lock for a moment, and makes metrics of the copies."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """All metrics of this moment."""
        figures = self._sources.chatroom.figures.read()
        yield from _about_the_server()
        yield from self._people(figures)
        yield from _talk(figures)
        yield from self._queue(figures)
        yield from self._readers()
        yield from self._history(figures)

    def _people(self, figures: Snapshot) -> Iterator[Metric]:
        latest, admitted = figures.latest, figures.admitted
        yield _gauge("members", "People in the chatroom.", latest.members)
        yield _gauge("connections", "Connections of members.", latest.connections)
        yield _gauge("newcomers", "Connections in the handshake.", self._sources.crowd.guests)
        yield _gauge("channels", "Channels.", latest.channels)
        yield _gauge("accounts", "Accounts.", latest.accounts)
        yield _counter("arrivals", "Connections that came in anew.", admitted.get(Resumed.FRESH, 0))
        back = CounterMetricFamily(
            "chatroom_reconnects",
            "Connections that came back, by what became of their place.",
            labels=["replay"],
        )
        for resumed in Resumed:
            if resumed is not Resumed.FRESH:
                back.add_metric([resumed.name.lower()], admitted.get(resumed, 0))
        yield back
        refused = CounterMetricFamily("chatroom_refused", "Connections that were refused.", labels=["reason"])
        for reason, count in sorted(figures.refused.items()):
            refused.add_metric([reason], count)
        yield refused

    def _queue(self, figures: Snapshot) -> Iterator[Metric]:
        yield _gauge(
            "queue_length", "Lines and requests that wait to be ordered.", self._sources.chatroom.waiting
        )
        yield _histogram(
            "queue_wait_seconds", "Wait in the queue, of the first of each batch.", figures.waits
        )
        yield _histogram("batch_events", "Events of a batch.", figures.batches)
        yield _histogram("batch_store_seconds", "Time to store a batch.", figures.stores)
        yield _histogram("batch_send_seconds", "Time from taking a batch to its last send.", figures.sends)

    def _readers(self) -> Iterator[Metric]:
        backlogs, flow = self._sources.backlogs, self._sources.chatroom.flow
        waiting = GaugeMetricFamily(
            "chatroom_backlog_bytes", "Memory of what waits for slow readers.", labels=["kind"]
        )
        waiting.add_metric(["shared"], backlogs.shared)
        waiting.add_metric(["own"], backlogs.own)
        yield waiting
        yield _gauge("readers_behind", "Members who read, and are behind.", flow.behind)
        yield _counter("pauses", "Bursts of lines that waited for most readers.", flow.pauses)
        yield _counter("slow_readers_ended", "Connections ended as they did not read.", backlogs.given_up)

    def _history(self, figures: Snapshot) -> Iterator[Metric]:
        yield _gauge(
            "history_stuck", "1 while the history cannot be written, and lines wait.", figures.holding
        )
        if figures.stored_at:
            yield _gauge(
                "history_stored_timestamp_seconds", "When events were last stored.", figures.stored_at / 1000
            )
        disk = self._sources.disk
        if disk is None:
            return
        sizes = GaugeMetricFamily("chatroom_history_bytes", "Size of the history's files.", labels=["file"])
        for kind, path in (("data", disk.path), ("log", disk.path.with_name(disk.path.name + "-wal"))):
            try:
                sizes.add_metric([kind], path.stat().st_size)
            except OSError:
                pass  # it is not there
        yield sizes
        if (room := disk.room) is not None:
            yield _gauge("history_disk_free_bytes", "Room on the history's disk.", room.free)
            yield _gauge("history_disk_size_bytes", "Size of the history's disk.", room.total)
            yield _gauge(
                "history_disk_low", "1 while operators are told that it is nearly full.", room.is_low
            )


def page_of(sources: Sources) -> Callable[[], bytes]:
    """Makes the page that Prometheus reads (text format, version 0.0.4): at each call, of that moment."""
    registry = CollectorRegistry()
    registry.register(ServerCollector(sources))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return partial(generate_latest, registry)


def _about_the_server() -> Iterator[Metric]:
    build = GaugeMetricFamily("chatroom_build_info", "The version, as a label.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    threads = GaugeMetricFamily("chatroom_threads", "Threads, by what they do.", labels=["kind"])
    for kind, count in sorted(Counter(map(kind_of, threading.enumerate())).items()):
        threads.add_metric([kind], count)
    yield threads


def _talk(figures: Snapshot) -> Iterator[Metric]:
    latest = figures.latest
    yield _counter("lines", "Lines that were said.", figures.lines)
    yield _counter("event_bytes", "Bytes of all events, as they are stored.", figures.size)
    yield _counter("history_events", "Events since the history began.", latest.head)
    yield _counter("deliveries", "Batches that were given to connections.", latest.deliveries)
    yield _counter("delivered_bytes", "Bytes of these.", latest.delivered)


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(f"chatroom_{name}", help, value)


def _counter(name: str, help: str, value: float) -> Metric:
    return CounterMetricFamily(f"chatroom_{name}", help, value)


def _histogram(name: str, help: str, spread: Spread) -> Metric:
    bounds = [*map(str, spread.steps), "+Inf"]
    buckets = list(zip(bounds, accumulate(spread.counts), strict=True))
    return HistogramMetricFamily(f"chatroom_{name}", help, buckets, spread.total)
