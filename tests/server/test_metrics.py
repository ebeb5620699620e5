"""The page with the metrics: its format, and that each figure is that of the server."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chatroom import __version__
from chatroom.errors import HistoryFull
from chatroom.events import Event
from chatroom.packets import Say
from server.app import App, Config
from server.metrics import CONTENT_TYPE
from server.ports import Ports
from server.retention import Retention
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer

ROOT = Path(__file__).resolve().parents[2]
NAMES = re.compile(r"[a-z][a-z0-9_]*")
UNITS = ("_seconds", "_bytes", "_info", "_total")
WITHOUT_UNIT = (  # numbers of things: members, lines, threads …
    *("members", "connections", "newcomers", "channels", "accounts", "queue_length", "batch_events"),
    *("readers_behind", "history_stuck", "history_disk_low", "threads"),
)


class Page:
    """A page that was read. values: by name and labels"""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: dict[tuple[str, tuple[str, ...]], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = sample.name, tuple(value for _, value in sorted(sample.labels.items()))
                assert key not in self.values, f"twice: {key}"
                self.values[key] = sample.value

    def __getitem__(self, name: str) -> float:
        """The value of a metric without labels."""
        return self.values[name, ()]

    def of(self, name: str, *labels: str) -> float:
        return self.values.get((name, labels), 0.0)


def read(app: App) -> Page:
    assert app.metrics is not None
    with urllib.request.urlopen(f"http://{app.metrics.address}/metrics", timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        return Page(answer.read().decode())


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    data = str(tmp_path / "history.db")
    app = App(Config("127.0.0.1", 0, Ports(), data, 45.0, "normal", Retention(), metrics=0))
    app.start()
    yield app
    app.close()


def families(text: str) -> dict[str, tuple[str, str, list[str]]]:
    """By name: help, type and samples, read by strict rules of the text format, version 0.0.4.

    https://prometheus.io/docs/instrumenting/exposition_formats/: one HELP and one TYPE before the samples of
    a family, which stand together; the last line ends with a line feed.
    """
    assert text.endswith("\n") and "\r" not in text
    found: dict[str, tuple[str, str, list[str]]] = {}
    name = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"# HELP ([a-z0-9_]+) (\S.*\S)", line):
            name = match[1]
            assert name not in found, f"{name} comes twice"
            found[name] = match[2], "", []
        elif match := re.fullmatch(r"# TYPE ([a-z0-9_]+) (counter|gauge|histogram)", line):
            assert match[1] == name and found[name][1] == ""
            found[name] = found[name][0], match[2], []
        else:
            match = re.fullmatch(r'([a-z0-9_]+)(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? (\S+)', line)
            assert match, f"no line of the format: {line!r}"
            float(match[4])
            of_histogram = ("_bucket", "_sum", "_count") if found[name][1] == "histogram" else ("",)
            assert match[1] in [name + end for end in of_histogram], f"{line!r} stands under {name}"
            found[name][2].append(line)
    return found


def complaints(text: str) -> list[str]:
    """What `promtool check metrics` would say, and more of its rules on names."""
    found = []
    for name, (help, kind, samples) in families(text).items():
        own = name.startswith("chatroom_")
        if not NAMES.fullmatch(name) or "__" in name:
            found.append(f"{name}: no good name")
        if not kind or not help.endswith("."):
            found.append(f"{name}: no type, or its help is no sentence")
        if (kind == "counter") != name.endswith("_total"):
            found.append(f"{name}: a counter ends with _total, and nothing else does")
        if re.search(
            r"_(ms|milliseconds|minutes|kb|mb|kilobytes|percent|counter|gauge|histogram)(_|$)", name
        ):
            found.append(f"{name}: no base unit, or it names its type")
        if own and not name.endswith(UNITS) and name.removeprefix("chatroom_") not in WITHOUT_UNIT:
            found.append(f"{name}: no unit")
        if own and kind == "histogram":
            counts = [float(line.rpartition(" ")[2]) for line in samples if "_bucket" in line]
            if counts != sorted(counts) or 'le="+Inf"' not in samples[len(counts) - 1]:
                found.append(f"{name}: its buckets do not add up")
    return found


def test_the_format(app: App) -> None:
    """Every line follows the format, every name the recommendations; no family and no sample comes twice."""
    with Peer.enter(app.address, "ann") as ann:
        ann.send(Say(1, "#general", "hello"))
        ann.said(1)
        page = read(app)
    assert not [one for one in complaints(page.text) if "chatroom_" in one or "process_" in one]
    assert len([name for name in families(page.text) if name.startswith("chatroom_")]) > 25


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("# HELP chatroom_x A.\n# TYPE chatroom_x counter\nchatroom_x 1\n", "_total"),
        ("# HELP chatroom_x_total A.\n# TYPE chatroom_x_total gauge\nchatroom_x_total 1\n", "_total"),
        ("# HELP chatroom_wait_ms A.\n# TYPE chatroom_wait_ms gauge\nchatroom_wait_ms 1\n", "base unit"),
        ("# HELP chatroom_x A.\n# TYPE chatroom_x gauge\nchatroom_x 1\n", "no unit"),
        ("# HELP chatroom_members here\n# TYPE chatroom_members gauge\nchatroom_members 1\n", "sentence"),
    ],
)
def test_a_wrong_name_is_found(wrong: str, complaint: str) -> None:
    """Each rule can fail."""
    assert any(complaint in one for one in complaints(wrong))


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not installed")
def test_promtool(app: App) -> None:
    """Prometheus's own check has nothing to say."""
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=read(app).text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_figures(app: App) -> None:
    """People, lines, deliveries, files and threads are those of the server."""
    before = read(app)
    assert before["chatroom_members"] == 0 and before.of("chatroom_build_info", __version__) == 1
    with Peer.enter(app.address, "zoltan") as ann, Peer.enter(app.address, "bob") as bob:
        for id in range(1, 4):
            ann.send(Say(id, "#general", "hello"))
            ann.said(1)
        bob.said(3)
        # A round is counted when its events are sent, and the thread of a handshake has to end.
        eventually(lambda: read(app)["chatroom_lines_total"] == 3, "the lines are not counted")
        eventually(lambda: read(app)["chatroom_newcomers"] == 0, "the handshakes do not end")
        page = read(app)
        assert (page["chatroom_members"], page["chatroom_connections"]) == (2, 2)
        assert (page["chatroom_channels"], page["chatroom_accounts"]) == (1, 0)
        assert page["chatroom_lines_total"] == 3
        assert page["chatroom_history_events_total"] == app.chatroom._forwarder.state.head
        assert page["chatroom_deliveries_total"] >= 6
        assert page["chatroom_delivered_bytes_total"] > page["chatroom_event_bytes_total"] > 300
        assert page["chatroom_arrivals_total"] == 2
        assert page.of("chatroom_batch_events_count") == page.of("chatroom_queue_wait_seconds_count") >= 3
        assert (
            0 < page.of("chatroom_batch_store_seconds_sum") < page.of("chatroom_batch_send_seconds_sum") + 60
        )
        assert page.of("chatroom_threads", "handler") == 2
        for kind in ("main", "accept", "forwarder", "catch-up", "flusher", "history", "disk", "metrics"):
            assert page.of("chatroom_threads", kind) == 1, kind
        assert page.of("chatroom_history_bytes", "data") > 0 < page.of("chatroom_history_bytes", "log")
        assert 0 < page["chatroom_history_disk_free_bytes"] < page["chatroom_history_disk_size_bytes"]
        assert page["chatroom_history_stuck"] == page["chatroom_queue_length"] == 0
        assert 1.7e9 < page["chatroom_history_stored_timestamp_seconds"] < 1e10
        assert page["process_open_fds"] > 10 and page["process_resident_memory_bytes"] > 1e7
        token = ann.welcome.token
        ann.socket.close()
        with Peer.enter(app.address, "zoltan", token, since=1):
            eventually(
                lambda: read(app).of("chatroom_reconnects_total", "other_history") == 1, "no reconnect"
            )
    assert "zoltan" not in page.text and "127.0.0.1" not in page.text


def test_refused_connections(app: App) -> None:
    """Who is refused counts by the reason, which is a word of ours."""
    with Peer.connect(app.address) as stranger:
        stranger.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stranger.rest()
    with Peer.connect(app.address):
        pass

    def counted() -> bool:
        page = read(app)
        reasons = [page.of("chatroom_refused_total", reason) for reason in ("protocol_error", "left")]
        return reasons == [1, 1]

    eventually(counted, "the refusals are not counted")


def test_a_full_disk_can_be_read(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the history cannot be written the forwarder stands still; the page comes, and says so."""
    history, full = app.chatroom._history, [True]
    append = history.append

    def refuse(*arguments: object, **more: object) -> None:
        if full[0]:
            raise HistoryFull("the disk is full")
        append(*arguments, **more)  # type: ignore[arg-type]

    with Peer.enter(app.address, "ann") as ann:
        monkeypatch.setattr(history, "append", refuse)
        ann.send(Say(1, "#general", "hello"))
        eventually(lambda: read(app)["chatroom_history_stuck"] == 1, "it is not told")
        full[0] = False
        assert ann.receive_until(lambda packet: isinstance(packet, Event)).text == "hello"
        eventually(lambda: read(app)["chatroom_history_stuck"] == 0, "it does not recover")


def test_a_server_in_memory() -> None:
    """Without a history file there are no figures of files and of a disk, and no thread that looks at it."""
    config = Config("127.0.0.1", 0, Ports(), ":memory:", 45.0, "normal", Retention(), metrics=0)
    app = App(replace(config))
    app.start()
    try:
        page = read(app)
    finally:
        app.close()
    assert not complaints(page.text[: page.text.index("# HELP process")])
    assert "chatroom_history_bytes" not in page.text and page.of("chatroom_threads", "disk") == 0


def test_every_metric_is_explained(app: App) -> None:
    """notes/metrics.md names each metric, and none that is not there."""
    notes = (ROOT / "notes" / "metrics.md").read_text()
    with Peer.enter(app.address, "ann"):
        eventually(lambda: read(app)["chatroom_members"] == 1, "the round is not counted")
        there = {name for name in families(read(app).text) if name.startswith("chatroom_")}
    named = set(re.findall(r"`(chatroom_[a-z_]+)", notes))
    assert there - named == set()
    assert {re.sub(r"_(sum|count|bucket)$", "", name) for name in named} - there == set()
