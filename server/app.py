"""The composition root: the one place that knows every class, and the order of start and stop."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from chatroom.chatroom import Chatroom
from chatroom.deadline import Deadline
from chatroom.errors import ConfigError
from chatroom.event_log import EventLog
from chatroom.history import History, MemoryHistory
from chatroom.limits import CLOSE_SECONDS
from server.allocator import keep_little
from server.backlogs import Backlogs
from server.config import Config
from server.connection import NativeDoor
from server.crowd import Crowd
from server.disk_watch import DiskWatch
from server.flusher import Flusher
from server.inspector import Inspector
from server.limits import GC_OBJECTS, STACK_BYTES, SWITCH_SECONDS, WAKING_BYTES
from server.lobby import Lobby
from server.log_writer import say_on_stderr
from server.metrics_port import MetricsPort
from server.owner_code import CodePlace, offer_ownership
from server.quotas import descriptors
from server.reloading import Reloader
from server.server import Server
from server.service_manager import ServiceManager
from server.stream import Stream
from server.tls_files import TlsFiles, self_made
from server.transport import Opener, TcpTransport

log = EventLog(__name__)


class App:
    """A whole server: made, started, waited for, closed.

    Raises ConfigError and HistoryError when it cannot be made.
    """

    def __init__(self, config: Config, history: History | None = None) -> None:
        threading.stack_size(STACK_BYTES)
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.set_threshold(GC_OBJECTS)
        keep_little()
        quotas = config.quotas.within(descriptors())
        self._owner, self._place = config.owner, CodePlace(config.data)
        history = history or open_history(config)
        self.chatroom = Chatroom(history, on_ended=self.stop)
        self._flusher = Flusher(config.dead_after)
        self._flushing = False  # its thread has been started, and closes it
        self._measuring = False  # the same of the metrics
        self.backlogs: Backlogs[Stream] = Backlogs()
        door = NativeDoor(self._flusher.watch, self.chatroom.flow, self.backlogs, config.rate)
        crowd = Crowd(quotas)
        self._manager = ServiceManager()
        self._terminals: list[int] = []  # descriptors of the terminal at which the server was started
        with ExitStack() as made:
            made.callback(history.close)
            made.callback(self._flusher.close)
            # After the history: its lock keeps others from making the same files.
            opener, renew = open_tls(config)
            self._reloader = Reloader(config, self.chatroom, crowd, door, renew)
            lobby = Lobby(self.chatroom, config.ports, door, crowd)
            self.disk = watch_disk(config, self.chatroom)
            self.chatroom.inspector = Inspector(self.chatroom, crowd, self.backlogs).look
            self.metrics = open_metrics(config, self.chatroom, crowd, self.backlogs, self.disk)
            if self.metrics is not None:
                made.callback(self.metrics.close)
            self.server = Server(
                config.host, config.port, self.chatroom, lobby, crowd, quotas.refused, opener
            )
            made.pop_all()
        # A byte in it ends wait(). A lock would not do: Python runs a signal handler between two steps of the
        # main thread, and a main thread that is just entering a lock would see the signal only afterwards.
        self._waking, self._wakes = socket.socketpair()
        self._waking.setblocking(False)

    @property
    def address(self) -> str:
        """The addresses of the lobby, with one port: HOST:PORT, ..."""
        return ", ".join(self.server.addresses)

    def start(self) -> None:
        """Start every thread; the one that accepts comes last. Raises HistoryError, ConfigError, Closed."""
        try:
            self.chatroom.start()
            offer_ownership(self.chatroom, self._owner, self._place)
            self._reloader.begin()
            flusher = self._flusher
            self.chatroom.spawn_vital(flusher.run, "flusher", flusher.stop, flusher.finish)
            self._flushing = True
            if (disk := self.disk) is not None:
                self.chatroom.spawn_vital(disk.run, "disk", disk.stop)
            if (metrics := self.metrics) is not None:
                self.chatroom.spawn_vital(metrics.run, "metrics", metrics.stop, metrics.close)
                self._measuring = True
            self.server.start()
        except RuntimeError as error:
            if "thread" not in str(error):
                raise
            raise ConfigError("cannot start: the system has no thread left") from None

    def wait(self) -> None:
        """Wait until stop() is called, or the chatroom has ended by itself, or cannot go on.

        Meanwhile the main thread reloads the files at SIGHUP, and tells a service manager that all is well.
        """
        every = self._manager.alive_every
        self._manager.ready(f"listening on {self.address}")
        self._wakes.settimeout(every)
        while True:
            try:
                woken = self._wakes.recv(WAKING_BYTES)
            except TimeoutError:
                woken = b""
            if set(woken) - {signal.SIGHUP} or (woken and self._terminal_is_gone()):
                break
            if woken:
                self._manager.reloading()
                self._reloader.reload()
                self._manager.ready(f"listening on {self.address}")
            if every is not None and self.chatroom.pulse < 2 * every:
                self._manager.alive()
        self._manager.stopping()

    def _terminal_is_gone(self) -> bool:
        """Whether the server was started at a terminal that has been closed: that makes a SIGHUP, too."""
        return bool(self._terminals) and not any(map(os.isatty, self._terminals))

    def stop(self, *_signal: object) -> None:
        """Let wait() return. Fit for a signal handler."""
        try:
            self._waking.send(b"!")
        except OSError:
            pass  # it is closed already, or full: then wait() returns anyway

    def obey_signals(self) -> None:
        """Let SIGINT and SIGTERM stop the server, and SIGHUP reload its files. Called by the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        # The number of the signal comes out of the socket pair; a handler has to be there, and does nothing.
        if signal.signal(signal.SIGHUP, lambda *_: None) is not signal.SIG_IGN:  # else by nohup: it stays
            self._terminals = [number for number in range(3) if os.isatty(number)]
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)

    def close(self) -> None:
        """Accept no newcomer, store the accepted lines, say goodbye to all members, join every thread.

        Raises HistoryError when an accepted line could not be stored, ChatroomError after a bug.
        """
        deadline = Deadline(CLOSE_SECONDS)
        self.server.close()
        try:
            left = self.chatroom.close(deadline.left())
            if left:
                log.error("threads_left", "threads that did not end: %(threads)s", threads=", ".join(left))
        finally:
            if not self._flushing:
                self._flusher.close()
            if self.metrics is not None and not self._measuring:
                self.metrics.close()
            self._waking.close()
            self._wakes.close()


def open_history(config: Config) -> History:
    """The history that the options ask for. Raises HistoryError, ConfigError."""
    if config.data == ":memory:":
        return MemoryHistory()
    from server.storage import (
        SqliteHistory,  # sqlite3 costs a third of the start-up, and is not always needed
    )

    return SqliteHistory(config.data, durability=config.durability, retention=config.keep, search=True)


def watch_disk(config: Config, chatroom: Chatroom) -> DiskWatch | None:
    """What looks after the disk of the history file; None: there is no file."""
    return None if config.data == ":memory:" else DiskWatch(Path(config.data).resolve(), chatroom.alert)


def open_metrics(
    config: Config, chatroom: Chatroom, crowd: Crowd, backlogs: Backlogs[Stream], disk: DiskWatch | None
) -> MetricsPort | None:
    """The port for a monitoring system, if there is to be one. Raises ConfigError."""
    if config.metrics is None:
        return None
    try:
        from server.metrics import CONTENT_TYPE, Sources, page_of
    except ImportError as missing:
        if not (missing.name or "").startswith("prometheus_client"):
            raise
        raise ConfigError("--metrics needs a library: pip install prometheus-client") from None
    return MetricsPort(config.metrics, page_of(Sources(chatroom, crowd, backlogs, disk)), CONTENT_TYPE)


def open_tls(config: Config) -> tuple[Opener, Callable[[Config], None]]:
    """What makes the transports of accepted connections, and what lets it use other files from now on.

    Both raise ConfigError.
    """
    if config.tls is None:
        return TcpTransport, lambda _: None
    from server.certificate import server_context  # ssl costs as much of the start-up as sqlite3
    from server.tls_opener import TlsOpener

    opener = TlsOpener(server_context(tls_files(config)))
    return opener, lambda new: opener.renew(server_context(tls_files(new)))


def tls_files(config: Config) -> TlsFiles:
    """The files of a configuration with TLS; they are made if they have to be. Raises ConfigError."""
    if isinstance(config.tls, TlsFiles):
        return config.tls
    data = config.data
    if data == ":memory:":
        from server.storage import default_path

        data = str(default_path())
    return self_made(Path(data), config.host)


def serve(config: Config) -> int:
    """Run a server until SIGINT or SIGTERM; the exit code. Raises ConfigError, and what close() raises."""
    app = App(config)
    app.obey_signals()
    try:
        app.start()
        if app.metrics is not None:
            log.notice("metrics", "= metrics at http://%(address)s/metrics", address=app.metrics.address)
        _announce(app.address)
        app.wait()
    finally:
        signal.set_wakeup_fd(-1)
        app.close()
    _say_goodbye(config.data)
    return 0


def _say_goodbye(data: str) -> None:
    """Tell whoever has pressed Ctrl-C at a terminal that all went well; a log has no need of it.

    data: path of the history file, or `:memory:`
    """
    if sys.stderr is not None and sys.stderr.isatty():
        what = "nothing is kept" if data == ":memory:" else "everything is stored"
        say_on_stderr(f"\rstopped; {what}")  # over the ^C that the terminal shows


def _announce(address: str) -> None:
    """Print the one line on stdout from which scripts learn the port. Raises ConfigError."""
    try:
        print(f"listening on {address}", flush=True)
    except OSError as error:
        sys.stdout = None  # else Python flushes it once more at exit, and fails
        raise ConfigError(f"cannot print the address: {error.strerror}") from None
