"""One run: real programs under load, harmed by the plan, healed, and judged."""

from __future__ import annotations

import heapq
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Final

from tests.chaos import disk as disks
from tests.chaos.cast import (
    ModeratorClient,
    OwnerClient,
    RoverClient,
    Stranger,
    await_registered,
    make_client,
)
from tests.chaos.checker import judge
from tests.chaos.exports import judge_exports
from tests.chaos.leaks import SECRETS, search
from tests.chaos.ownership import Thefts
from tests.chaos.programs import (
    Client,
    Server,
    check_history,
    export_history,
    fold_entries,
    last_life,
    read_history,
    say_last_line,
    wait_until,
)
from tests.chaos.proxy import Proxy
from tests.chaos.records import Entry, Life
from tests.chaos.report import Report, count_events, count_lives, count_roams
from tests.chaos.roams import Roam
from tests.chaos.rovers import judge_rovers, persons_of
from tests.chaos.schedule import (
    HOLD_SECONDS,
    MODERATOR,
    ROVER_ACCOUNT,
    ROVER_NAMES,
    Fault,
    FaultKind,
    Plan,
)
from tests.chaos.wallet import known_secrets
from tests.chaos.wrongs import Violation, Wrong

_ALL_STORED_SECONDS: Final = 40.0  # after the last fault: pauses between retries, dead peers, catching up
_ALL_SEEN_SECONDS: Final = 20.0
_GET_IN_SECONDS: Final = 20.0  # a second on an idle machine
_REGISTER_SECONDS: Final = 60.0  # while nothing else goes on
_RETRY_START: Final = 0.2  # seconds until a server that could not start is tried again


def run(plan: Plan, *, bug: str = "none", keep: Path | None = None) -> Report:
    """Do the plan, in a folder of its own; keep: where records, logs and history go when something was wrong.

    bug: the name of a planted one, see `tests.chaos.sabotage`.
    """
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    chaos = Chaos(plan, folder, bug)
    try:
        report = chaos.go()
        if report.violations and keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, keep / f"seed-{plan.seed}", dirs_exist_ok=True)
        return report
    finally:
        chaos.close()
        shutil.rmtree(folder)


class Chaos:
    """Owns the programs of one run and carries out its plan."""

    def __init__(self, plan: Plan, folder: Path, bug: str = "none") -> None:
        self.plan = plan
        self.report = Report(plan.seed)
        self.folder = folder
        self.disk = disks.Disk(folder / "disk")
        # Every second run: an order that cannot write its entries would hide a history that cannot.
        entries = folder / "entries" if plan.seed % 2 == 0 and bug == "none" else None
        data = self.disk.folder / "history.db"
        self.server = Server(data, folder / "server.log", plan.ports, bug, entries)
        self.proxy = Proxy(plan.seed)
        (folder / SECRETS).mkdir(mode=0o700)
        self.code_file = data.with_name(data.name + ".code")
        self.clients: list[Client] = [
            make_client(speaker, folder, self.proxy.port, self.code_file) for speaker in plan.speakers
        ]
        self.rovers = [RoverClient(rover, folder, self.proxy.port) for rover in plan.rovers]
        if plan.moderator is not None:
            self.rovers.append(
                ModeratorClient(plan.moderator, plan.speakers, folder, self.proxy.port, self.code_file)
            )
        self.clients += self.rovers
        names = sorted({speaker.account for speaker in plan.speakers} - {""})
        self.stranger = Stranger(folder, names, plan.seed, plan.strangers) if plan.strangers.pace else None
        self._down = True  # the server, on purpose
        self._killed: set[Client] = set()  # clients that will be started again
        self._disk_harms = 0
        self._starting = 0.0  # seconds that the server took for its starts: the faults wait for it
        self._lives: list[Life] = []
        self._order = count()  # so that no two entries of the heap compare equal
        self._healing: list[tuple[float, int, Callable[[], object]]] = []

    def go(self) -> Report:
        """Everything from the first start to the judgement."""
        self._start_server()
        self._start_clients()
        started = time.monotonic()
        self._starting = 0.0
        for fault in self.plan.faults:
            self._heal_until(started + self._starting + fault.at)
            self._harm(fault)
        self._heal_until(started + self._starting + self.plan.seconds)
        self._heal_all()
        self._bring_to_an_end()
        self._judge()
        return self.report

    def _start_clients(self) -> None:
        """An account that is there from the beginning is made before anything else."""
        early = [client for client in self.clients if client.speaker.first and not client.speaker.late]
        for client in early:
            client.start()
            assert isinstance(client, OwnerClient)
            if not await_registered(client.wallet, _REGISTER_SECONDS):
                self._wrong(Wrong.STUCK, str(client.lives()[-1]), "its name was not registered")
        for client in self.clients:
            if isinstance(client, ModeratorClient) and client.owns:
                client.start()
                early.append(client)
                if not client.await_owning(_REGISTER_SECONDS):
                    self._wrong(Wrong.STUCK, "moderator", "it does not own the chatroom")
        for client in self.clients:
            if client not in early:
                client.start()
        if self.stranger is not None:
            self.stranger.start(self.server.port)
        wait_until(self._all_are_in, _GET_IN_SECONDS, 0.2)

    def close(self) -> None:
        """End every process, also after an error."""
        with ExitStack() as ends:  # all of them, even if one raises
            if self.stranger is not None:
                ends.callback(self.stranger.close)
            ends.callback(self.disk.close)
            ends.callback(self.proxy.close)
            ends.callback(self.server.kill)
            for client in self.clients:
                ends.callback(client.close)

    # --- the timeline ----------------------------------------------------------------------------------

    def _after(self, seconds: float, heal: Callable[[], object]) -> None:
        """Undo a harm later."""
        heapq.heappush(self._healing, (time.monotonic() + seconds, next(self._order), heal))

    def _heal_until(self, end: float) -> None:
        """Wait until then, and meanwhile undo the harms whose time is over."""
        while self._healing and self._healing[0][0] < end:
            when, _, heal = heapq.heappop(self._healing)
            self._watch_server(when)
            heal()
        self._watch_server(end)

    def _heal_all(self) -> None:
        """Undo at once what still goes on."""
        while self._healing:
            _, _, heal = heapq.heappop(self._healing)
            heal()
        self.proxy.heal()

    def _watch_server(self, until: float) -> None:
        """Wait; a server that ended by itself is started again, and that is wrong unless the disk failed."""
        while True:
            if not self._down and not self.server.alive:
                self._down = True
                code = self.server.wait(1.0)
                if self._disk_harms:
                    self.report.counts["server left failing disk"] += 1
                else:
                    self._wrong(Wrong.CRASHED, "server", f"it ended by itself with {code}")
                self._start_server()
            self._watch_clients()
            pause = until - time.monotonic()
            if pause <= 0:
                return
            time.sleep(min(pause, 0.1))

    def _watch_clients(self) -> None:
        """A program that could not get in when it was started ends and says so; then it is started again."""
        for client in self.clients:
            if client.gave_up_at_once() and client not in self._killed:
                client.close()
                client.start()
                self.report.counts["clients that gave up at once"] += 1

    # --- harms -----------------------------------------------------------------------------------------

    def _harm(self, fault: Fault) -> None:
        done = _HARMS[fault.kind](self, fault)
        if done is not False:
            self.report.counts[fault.kind.name.lower().replace("_", " ")] += 1

    def _kill_server(self, fault: Fault) -> bool:
        if self._down:
            return False
        self._down = True
        self.server.kill()
        self._after(fault.seconds, self._start_server)
        return True

    def _terminate_server(self, fault: Fault) -> bool:
        if self._down:
            return False
        self._down = True
        wrong = self.server.terminate()
        if wrong and not self._disk_harms:
            self._wrong(Wrong.CRASHED, "server", wrong)
        self._after(fault.seconds, self._start_server)
        return True

    def _stop_server(self, fault: Fault) -> bool:
        if self._down:
            return False
        self._stop(self.server.process, fault.seconds)
        return True

    def _stop_client(self, fault: Fault) -> None:
        self._stop(self.clients[fault.target % len(self.clients)].process, fault.seconds)

    def _stop(self, process: Popen[bytes] | None, seconds: float) -> None:
        """SIGSTOP now, SIGCONT later, to this very process."""
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        self._after(seconds, lambda: process.send_signal(signal.SIGCONT))

    def _kill_client(self, fault: Fault) -> None:
        client = self.clients[fault.target % len(self.clients)]
        client.kill()
        self._killed.add(client)
        self._after(fault.seconds, lambda: self._start_client(client))

    def _start_client(self, client: Client) -> None:
        if not client.alive:
            client.start()
        self._killed.discard(client)

    def _fill_disk(self, fault: Fault) -> bool:
        if not self.disk.can_be_full or self._disk_harms:
            return False
        self._disk_harms += 1
        self.disk.fill()
        self._after(fault.seconds, self._free_disk)
        return True

    def _free_disk(self) -> None:
        self.disk.free()
        self._disk_harms = 0

    def _fail_disk(self, fault: Fault) -> bool:
        process = self.server.process
        if self._down or self._disk_harms or process is None or process.poll() is not None:
            return False
        self._disk_harms += 1
        disks.fail_writes(process.pid)
        self._after(fault.seconds, lambda: self._mend_disk(process))
        return True

    def _mend_disk(self, process: Popen[bytes]) -> None:
        self._disk_harms = 0
        if process.poll() is None:
            disks.allow_writes(process.pid)

    def _start_server(self) -> None:
        began = time.monotonic()
        started = self.server.start()
        self._starting += time.monotonic() - began
        if started:
            self._down = False
            self.proxy.lobby = self.server.port
            self.report.counts["server starts"] += 1
        elif self._disk_harms:
            self.report.counts["server starts refused by a full disk"] += 1
            self._after(_RETRY_START, self._start_server)
        else:
            end = self.server.log.read_text(errors="replace").splitlines()[-8:]
            raise RuntimeError("the server does not start: " + "\n".join(end))

    # --- the end ---------------------------------------------------------------------------------------

    def _bring_to_an_end(self) -> None:
        """Every client falls silent, waits until all is stored, sees the last line and leaves."""
        wait_until(self._all_are_in, _GET_IN_SECONDS, 0.5)
        for client in self.clients:
            client.quiet()
        wait_until(lambda: all(self._has_stored(c) for c in self.clients), _ALL_STORED_SECONDS, 0.3)
        for channel in self._channels():
            if wrong := say_last_line(channel, self.server.port):
                self._wrong(Wrong.STUCK, f"last line of {channel}", wrong)
        wait_until(lambda: all(self._has_seen_all(c) for c in self.clients), _ALL_SEEN_SECONDS, 0.3)
        lives = [client.lives() for client in self.clients]  # before the processes are ended
        self._lives = [
            life
            for client, each in zip(self.clients, lives, strict=True)
            for life in each
            if client not in self.rovers
        ]
        for client, each in zip(self.clients, lives, strict=True):
            self._look_at_the_end_of(client, each[-1])
            for life in each[:-1]:
                if life.ending and not life.expelled:
                    self._wrong(Wrong.CRASHED, str(life), life.ending)
            client.close()
        names = {life.name for life in self._all_lives() if life.left}
        wait_until(lambda: names <= self._have_quit(), _ALL_SEEN_SECONDS, 0.3)
        if self.stranger is not None and (wrong := self.stranger.stop()):
            self._wrong(Wrong.CRASHED, "stranger", wrong)
        self.report.violations += search(self.folder, "running", [self.code_file])
        if wrong := self.server.terminate():
            self._wrong(Wrong.CRASHED, "server", wrong)

    def _all_lives(self) -> list[Life]:
        strangers = self.stranger.lives() if self.stranger is not None else []
        return self._lives + strangers + [last_life(channel) for channel in self._channels()]

    def _have_quit(self) -> set[str]:
        """Those whose last event in history is QUIT."""
        last = {line.author: line for line in read_history(self.server.data)}
        return {name for name, line in last.items() if line.kind == "quit"}

    def _all_are_in(self) -> bool:
        """Whether every client that lives was let in once: one that was just started may still fail to."""
        self._watch_clients()
        return all(map(is_in, self.clients))

    def _has_stored(self, client: Client) -> bool:
        return not client.alive or client.flushed()

    def _has_seen_all(self, client: Client) -> bool:
        return not client.alive or client.lives()[-1].ending is not None

    def _look_at_the_end_of(self, client: Client, life: Life) -> None:
        if life.expelled:  # it need not come back: the run is over
            return
        if life.ending is None or not life.flushed:
            client.abort()  # its log then says where it stands
            missing = [text for text in life.said if text not in set(life.confirmed)]
            last = life.shown[-1] if life.shown else "nothing"
            self._wrong(
                Wrong.STUCK,
                str(life),
                f"stored {len(life.confirmed)} of {len(life.said)}; was shown last: {last}",
                *missing,
            )
        elif life.ending:
            self._wrong(Wrong.CRASHED, str(life), life.ending)

    def _channels(self) -> list[str]:
        return sorted({speaker.channel for speaker in self.plan.speakers})

    # --- the judgement ---------------------------------------------------------------------------------

    def _judge(self) -> None:
        if wrong := check_history(self.server.data):
            self._wrong(Wrong.BROKEN, "history file", wrong)
        if self.server.entries and (wrong := fold_entries(self.server.entries, self.server.data)):
            self._wrong(Wrong.UNFOLDED, "entries", wrong)
        history = read_history(self.server.data)
        lives, thefts = self._all_lives(), self.stranger.thefts() if self.stranger else Thefts()
        hold = int(HOLD_SECONDS * 1000)
        roams = [life for client in self.rovers for life in client.roams()]
        names = (*ROVER_NAMES, ROVER_ACCOUNT, MODERATOR) if self.rovers else ()
        rovers = persons_of(history, roams, names)
        self.report.violations += judge(history, lives, hold, self.server.starts, thefts, rovers)
        self.report.violations += judge_rovers(history, roams)
        export_history(self.server.data, self.folder)
        self.report.violations += judge_exports(history, self.folder)
        self.report.violations += search(self.folder, "stopped", [self.code_file])
        for child in (self.server, *self.clients):
            for traceback in child.tracebacks():
                self._wrong(Wrong.CRASHED, child.log.name, traceback)
        self._count(history, lives, roams)

    def _count(self, history: list[Entry], lives: list[Life], roams: list[Roam]) -> None:
        counts = self.report.counts
        counts["connections"] += self.proxy.counts["connections"]
        counts["cuts that came about"] += self.proxy.counts["cuts"]
        counts["secrets searched for"] += len(known_secrets(self.folder / SECRETS))
        count_events(counts, history)
        count_lives(counts, lives)
        count_roams(counts, roams)
        if self.stranger is not None:
            counts.update(self.stranger.outcomes())

    def _wrong(self, wrong: Wrong, whose: str, *lines: str) -> None:
        self.report.violations.append(Violation(wrong, whose, lines))


_HARMS: Final[dict[FaultKind, Callable[[Chaos, Fault], object]]] = {
    FaultKind.KILL_SERVER: Chaos._kill_server,
    FaultKind.TERM_SERVER: Chaos._terminate_server,
    FaultKind.STOP_SERVER: Chaos._stop_server,
    FaultKind.RESET: lambda chaos, fault: chaos.proxy.reset(fault.target),
    FaultKind.CUT: lambda chaos, fault: chaos.proxy.cut(fault.target, fault.after, up=bool(fault.after % 2)),
    FaultKind.STALL: lambda chaos, fault: chaos.proxy.stall(fault.target, fault.seconds),
    FaultKind.STALL_ALL: lambda chaos, fault: chaos.proxy.stall(None, fault.seconds),
    FaultKind.STALL_DOWN: lambda chaos, fault: chaos.proxy.stall(None, fault.seconds, up=False),
    FaultKind.CHOP: lambda chaos, fault: chaos.proxy.chop(fault.target, fault.seconds),
    FaultKind.KILL_CLIENT: Chaos._kill_client,
    FaultKind.STOP_CLIENT: Chaos._stop_client,
    FaultKind.DISK_FULL: Chaos._fill_disk,
    FaultKind.DISK_ERROR: Chaos._fail_disk,
}


def is_in(client: Client) -> bool:
    """Whether it was let in, or has ended for good. One that gave up since the last look is started again."""
    return bool(client.lives()[-1].shown) or not (client.alive or client.gave_up_at_once())
