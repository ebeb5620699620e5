"""The real programs as child processes: the server, and clients of the two kinds."""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from struct import Struct
from threading import Event as Flag
from threading import Thread
from typing import IO, Final

import client
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER
from chatroom.state import State
from server.storage import SqliteHistory
from tests.chaos.records import Entry, Life, Recorder, brief, details, entry, read_life, read_lines
from tests.chaos.schedule import DEAD_AFTER, Speaker
from tests.chaos.talker import LAST_LINE, line_text
from tests.support.blocks import blocks_of, flat
from tests.support.recorder import read_entries

ROOT: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 30.0  # an idle machine needs 0.2 s
_ABORT_SECONDS: Final = 5.0
_LAST_LINE_SECONDS: Final = 20.0
_PACKETS: Final = "SELECT packets FROM blocks"
_AMENDED: Final = "SELECT packets FROM amended"
_HEADER_BYTES: Final = 20
_EVENT: Final = Struct("!xxBxIQHHQQIIHBB")
"""The header of an event's packet and the beginning of its payload, as notes/protocol.md has them."""
_STOP_SECONDS: Final = 10.0  # the promise is 2 s on an idle machine; this one is busy


def python(*arguments: str) -> list[str]:
    """The command line of a program of this project."""
    return [sys.executable, "-X", "faulthandler", "-m", *arguments]


class Child:
    """A process that can be killed, stopped and continued; its stderr goes to a file."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, log: Path) -> None:
        self.log = log

    def _spawn(self, command: list[str], stdin: int | None, stdout: int | IO[bytes]) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=stdout, stderr=log, cwd=ROOT, env=os.environ | {"TZ": "UTC"}
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if the process is still there."""
        if self.process is not None and self.alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, also of a stopped one, and wait for its end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._close_pipes()

    def abort(self) -> None:
        """End it by SIGABRT, at which faulthandler writes where every thread stands into the log."""
        self.send(signal.SIGABRT)
        self.wait(_ABORT_SECONDS)

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None when it does not end in time."""
        if self.process is None:
            return 0
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._close_pipes()
        return code

    def _close_pipes(self) -> None:
        assert self.process is not None
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass  # the client has ended: the rest has no reader

    def tracebacks(self) -> list[str]:
        """The lines around every traceback in the log."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        starts = [number for number, line in enumerate(lines) if "Traceback" in line]
        return ["\n      ".join(lines[max(0, start - 1) : start + 16]) for start in starts]


class Server(Child):
    """The server program on one history file and, from its first start on, one port.

    entries: the file in which its order keeps the entries, None for none
    starts: when it was started, each time, in milliseconds since 1970
    """

    def __init__(
        self, data: Path, log: Path, ports: str, bug: str = "none", entries: Path | None = None
    ) -> None:
        super().__init__(log)
        self.data = data
        self.entries = entries
        self.port = 0
        self.starts: list[int] = []
        self._command = python("tests.chaos.hasty", bug, str(entries or "none"), "--host", "127.0.0.1")
        self._command += [
            "--verbose",
            "--data",
            str(data),
            "--ports",
            ports,
            "--dead-after",
            str(DEAD_AFTER),
            "--port",
        ]

    def start(self) -> bool:
        """Start it and wait until it listens. False: it ended before (its log says why)."""
        self.starts.append(time.time_ns() // 1_000_000)
        self._spawn([*self._command, str(self.port)], subprocess.DEVNULL, subprocess.PIPE)
        assert self.process is not None and self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _START_SECONDS)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line.startswith("listening on "):
            self.kill()
            return False
        self.port = int(line.rsplit(":", 1)[1])
        return True

    def terminate(self) -> str:
        """SIGTERM, and wait. Returns the error of its end, or the empty string."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        code = self.wait(_STOP_SECONDS)
        if code is None:
            self.abort()
            self.kill()
            return f"the server did not end within {_STOP_SECONDS} s of SIGTERM"
        return f"the server ended with {code} after SIGTERM" if code else ""


def order_quiet(child: Child) -> None:
    """Tell a process that follows its standard input to say no more."""
    assert child.process is not None and child.process.stdin is not None
    try:
        child.process.stdin.write(b"quiet\n")
        child.process.stdin.flush()
    except BrokenPipeError:
        pass  # it has ended by itself; its record says why


class Client(Child):
    """One client over all its lives; each life has a record file and a log."""

    def __init__(self, speaker: Speaker, folder: Path, port: int) -> None:
        self.label = speaker.program or speaker.name
        super().__init__(folder / f"{self.label}-0.log")
        self.speaker = speaker
        self.folder = folder
        self.port = port
        self.number = -1

    def start(self) -> None:
        """Begin the next life."""
        self.number += 1
        self.log = self._path(self.number).with_suffix(".log")
        self._begin(self._path(self.number))

    def _begin(self, path: Path) -> None:
        raise NotImplementedError

    def gave_up_at_once(self) -> bool:
        """Whether it ended before it was admitted: a program may do so, a `Client` object would try again."""
        return False

    def quiet(self) -> None:
        """Say no more; leave when all is stored and the last line was shown."""
        raise NotImplementedError

    def lives(self) -> list[Life]:
        """The records so far."""
        return [self._read(self._path(number), self._life(number)) for number in self._numbers()]

    def _numbers(self) -> Iterable[int]:
        """Of the lives so far."""
        return range(self.number + 1)

    def _path(self, number: int) -> Path:
        """Of the files of a life, without a suffix."""
        return self.folder / f"{self.label}-{number}"

    def _life(self, number: int) -> Life:
        speaker = self.speaker
        return Life(speaker.name, number, speaker.channel, speaker.account, speaker.program)

    def _read(self, path: Path, life: Life) -> Life:
        return read_life(path.with_suffix(".jsonl"), life)

    def flushed(self) -> bool:
        """Whether all lines of the present life are stored."""
        return self.lives()[-1].flushed

    def close(self) -> None:
        self.send(signal.SIGCONT)
        self.kill()


class ApiClient(Client):
    """The importable Client, or the blunt one, in a process of `tests.chaos.talker`."""

    module = "tests.chaos.talker"

    def _begin(self, path: Path) -> None:
        arguments = [f"--{name}={value}" for name, value in self._options(path).items()]
        if self.speaker.how == "blunt":
            arguments.append("--blunt")
        command = python(self.module, *arguments, *self._further_arguments())
        self._spawn(command, subprocess.PIPE, subprocess.DEVNULL)

    def _options(self, path: Path) -> dict[str, object]:
        speaker = self.speaker
        return {
            "port": self.port,
            "name": speaker.name,
            "life": self.number,
            "channel": speaker.channel,
            "rate": speaker.rate,
            "seed": speaker.seed,
            "dead-after": DEAD_AFTER,
            "record": path.with_suffix(".jsonl"),
        }

    def _further_arguments(self) -> list[str]:
        return ["--moderated"] if self.speaker.may_be_moderated else []

    def quiet(self) -> None:
        order_quiet(self)


class PipeClient(Client):
    """`python -m client --json`, fed through its standard input by a thread of ours."""

    def _begin(self, path: Path) -> None:
        self._recorder = Recorder(path.with_suffix(".jsonl"))
        self._quiet = Flag()
        command = python("client", f"127.0.0.1:{self.port}", "--name", self.speaker.name, "--json")
        command += ["--channel", self.speaker.channel, "--dead-after", str(DEAD_AFTER)]
        command += self._further_options()
        if self.speaker.how == "follow":
            command.append("--follow")
        self._out = path.with_suffix(".out")
        with self._out.open("wb") as out:
            self._spawn(command, subprocess.PIPE, out)
        self._feeder = Thread(target=self._feed, name=f"feeds {self.label}")
        self._feeder.start()

    def _further_options(self) -> list[str]:
        return []

    def _feed(self) -> None:
        random = Random(self.speaker.seed + self.number)
        assert self.process is not None and self.process.stdin is not None
        stdin = self.process.stdin
        number = 0
        try:
            while not self._quiet.is_set():
                for _ in range(random.choice((1, 1, 2, 5))):
                    text = line_text(self.label, self.number, number, random)
                    self._recorder.write("said", text=text)
                    stdin.write(text.encode() + b"\n")
                    number += 1
                stdin.flush()
                self._quiet.wait(random.expovariate(self.speaker.rate / 3))
            stdin.close()
        except (OSError, ValueError):
            pass  # the client was killed, or ended; its exit code says which
        self._recorder.close()

    def gave_up_at_once(self) -> bool:
        code = None if self.process is None else self.process.poll()
        return code is not None and code > 0 and not self._out.stat().st_size

    def quiet(self) -> None:
        self._quiet.set()
        self._feeder.join()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.quiet()
            super().kill()

    def _read(self, path: Path, life: Life) -> Life:
        read_life(path.with_suffix(".jsonl"), life)
        life.shown = [entry(event) for event in read_lines(path.with_suffix(".out"))]
        if life.number == self.number:
            self._judge_the_end(life)
        return life

    def _judge_the_end(self, life: Life) -> None:
        """A pipe tells by its exit code that all is stored; one that follows by showing its own lines."""
        own = {line.text for line in life.shown if line.author in life.names}
        code = self.process.poll() if self.process is not None else None
        if self.speaker.how == "pipe":
            life.flushed = life.left = code == 0
            life.ending = None if code is None else "" if code == 0 else f"exit code {code}"
            life.confirmed = list(life.said) if code == 0 else [text for text in life.said if text in own]
            return
        life.confirmed = [text for text in life.said if text in own]
        life.flushed = self._quiet.is_set() and len(life.confirmed) == len(life.said)
        if code is not None:
            life.ending = f"exit code {code}"
        elif any(line.text == LAST_LINE for line in life.shown):
            life.ending = ""


def say_last_line(channel: str, port: int) -> str:
    """Say the run's last line in a channel. Returns the error, or the empty string."""
    try:
        with client.Client(port=port, name=f"last-{channel[1:]}", channel=channel) as last:
            stored = last.say(LAST_LINE).wait(_LAST_LINE_SECONDS)
    except client.ChatroomError as error:
        return f"{type(error).__name__}: {error}"
    return "" if stored else f"it was not stored within {_LAST_LINE_SECONDS} s"


def check_history(data: Path) -> str:
    """Have the server program verify a history file. Returns the error, or the empty string."""
    done = subprocess.run(python("server", "--check", str(data)), capture_output=True, cwd=ROOT, check=False)
    return f"exit code {done.returncode}: {done.stderr.decode()}" if done.returncode else ""


def export_history(data: Path, folder: Path) -> None:
    """Have the server program export a history file in all ways that it has, into a folder."""
    for name, more in (("export", []), ("export-direct", ["--with-direct"])):
        export = python("server", "--export", str(data), *more)
        with (folder / f"{name}.jsonl").open("wb") as out:
            subprocess.run(export, stdout=out, cwd=ROOT, check=True)
        subprocess.run([*export, "--sqlite", str(folder / f"{name}.db")], cwd=ROOT, check=True)


def fold_entries(entries: Path, data: Path) -> str:
    """Apply the entries again to a new state, and compare. Returns the difference, or the empty string."""
    state, happened, amended = State(), [], dict[int, Event]()
    for one in read_entries(entries):
        applied = state.apply(one)
        happened += applied.happened
        amended |= {event.seq: event for event in applied.amended}
    events = [amended.get(event.seq, event) for event in flat(blocks_of(happened))]
    history = SqliteHistory(data)
    try:
        restored, living = history.restore(), State()
        places = {place for event in events for place in event.places or (event.place,)}
        stored = flat(history.read(0, places, MAX_NUMBER).blocks)
        if stored != events or restored.head != len(events):
            return f"{len(events)} events folded, {len(stored)} stored, head {restored.head}: they differ"
        living.restore(restored.head, restored.records, restored.talkers)
        return "" if living.records() == state.records() else "the stored state is another one"
    finally:
        history.close()


def read_history(data: Path) -> list[Entry]:
    """The events of a history file, read with SQLite alone: the judge uses no code of the server.

    An event that was amended is as it is now.
    """
    with closing(sqlite3.connect(f"{data.absolute().as_uri()}?mode=ro", uri=True)) as file:
        found = [entry for (packets,) in file.execute(_PACKETS) for entry in _entries(packets)]
        amended = {entry.seq: entry for (packets,) in file.execute(_AMENDED) for entry in _entries(packets)}
    return sorted(amended.get(entry.seq, entry) for entry in found)


def _entries(packets: bytes) -> Iterator[Entry]:
    """The events in a block. A long text comes in several packets, one after the other."""
    at, texts = 0, list[bytes]()
    while at < len(packets):
        kind, size, id, part, parts, seq, time, person, where_number, extra, by, where = _EVENT.unpack_from(
            packets, at
        )
        author = at + _EVENT.size
        channel = author + by
        text = channel + where + extra
        at += _HEADER_BYTES + size
        texts.append(packets[text:at])
        if part == parts - 1:
            place, name = packets[channel : channel + where].decode(), packets[author:channel].decode()
            rows = details(EventKind(kind).word, packets[text - extra : text])
            text_of = brief(b"".join(texts).decode())
            yield Entry(
                seq, EventKind(kind).word, place, name, text_of, person, time, id, where_number, **rows
            )
            texts = []


def last_life(channel: str) -> Life:
    """The life of the client that said the last line of a channel."""
    text = brief(LAST_LINE)
    return Life(f"last-{channel[1:]}", 0, channel, said=[text], confirmed=[text], ending="", left=True)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Whether the condition became true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True
