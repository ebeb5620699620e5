"""The phases of a raid: calm, the raid, after the one command. What thirty members felt in each."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.end_to_end.programs import ROOT, ServerProcess
from tests.raid.members import Members
from tests.support.person import Person, by_password

PASSWORD: Final = "a long password of a member"
_OWNER: Final = "owner1"
_QUIET_AFTER: Final = 1.0  # seconds without a line of a raider: it is quiet
_SETTLE: Final = 1.0  # seconds after a change that belong to no phase


class Size(NamedTuple):
    """newcomer: seconds for which somebody is one; phase: seconds of each phase"""

    connections: int = 200
    addresses: int = 20
    members: int = 30
    newcomer: float = 40.0
    phase: float = 8.0


class Felt(NamedTuple):
    """What the members felt in one phase. Times in milliseconds; seen: a second and member"""

    lines: int
    p50: float
    p99: float
    worst: float
    seen_lines: float
    seen_others: float
    lost: int

    def row(self, name: str) -> str:
        return (
            f"| {name} | {self.lines} | {self.p50:.1f} | {self.p99:.1f} | {self.worst:.0f} |"
            f" {self.seen_lines:.1f} | {self.seen_others:.1f} | {self.lost} |"
        )


HEAD: Final = (
    "| phase | members' lines | p50 ms | p99 ms | worst ms | raiders' lines/s seen | other events/s seen |"
    " members put out |\n|---|---|---|---|---|---|---|---|"
)


class Outcome(NamedTuple):
    """What came of one raid.

    answer: of the command; came, took: seconds until the owner was in, and until the answer came
    quiet:  seconds from the command until the last line of a raider was seen
    raiders: how many were in
    """

    calm: Felt
    raid: Felt
    after: Felt
    answer: str
    came: float
    took: float
    quiet: float
    raiders: int

    def table(self, command: str) -> str:
        rows = [self.calm.row("calm"), self.raid.row("raid"), self.after.row(f"after {command}")]
        told = f"{self.raiders} raiders; the owner was in after {self.came:.2f} s"
        told += f"; {command}: {self.answer!r} after {self.took:.2f} s"
        return "\n".join([HEAD, *rows, f"{told}; quiet after {self.quiet:.2f} s"])


def raid(folder: Path, command: str, size: Size) -> Outcome:
    """One raid, and what ends it."""
    with ExitStack() as stack:
        server = ServerProcess(
            folder / "server.log",
            "--data",
            str(folder / "history.db"),
            module=("tests.raid.host", str(size.newcomer)),
        )
        stack.callback(server.kill)
        persons = [stack.enter_context(_with_account(server.port, f"member{n}")) for n in range(size.members)]
        with _with_account(server.port, _OWNER) as owner:
            owner.do("/owner", (folder / "history.db.code").read_text().strip())
        registered = time.monotonic()
        members = Members(persons)
        stack.callback(members.close)
        time.sleep(max(0.0, registered + size.newcomer + _SETTLE - time.monotonic()))  # until they belong
        begin = time.monotonic() - min(size.phase, size.newcomer)
        calm = _felt(members, begin, time.monotonic())
        with _raiders(server.port, size) as raiders:
            begin = time.monotonic()
            time.sleep(size.phase)
            during = _felt(members, begin, time.monotonic())
            came = time.monotonic()
            with Person.come(str(server.port), _OWNER, by_password(PASSWORD)) as owner:
                asked = time.monotonic()
                answer = owner.tell(command)
                took = time.monotonic() - asked
            time.sleep(_SETTLE)
            begin = time.monotonic()
            time.sleep(size.phase)
            after = _felt(members, begin, time.monotonic())
            last = members.last_line(asked)
        assert "Traceback" not in server.errors(), server.errors()
        quiet = last - asked
        if time.monotonic() - last < _QUIET_AFTER:
            quiet = float("inf")
        return Outcome(calm, during, after, answer.words, asked - came, took, quiet, raiders)


def _with_account(port: int, name: str) -> Person:
    person = Person.come(str(port), name)
    person.do("/register", PASSWORD)
    return person


def _felt(members: Members, begin: float, end: float) -> Felt:
    took = members.took(begin, end)
    lines, others = members.seen(begin, end)
    if not took:
        return Felt(0, 0.0, 0.0, 0.0, lines, others, len(members.lost))
    return Felt(
        len(took),
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
        took[-1] * 1000,
        lines,
        others,
        len(members.lost),
    )


@contextmanager
def _raiders(port: int, size: Size) -> Iterator[int]:
    """The raiders; how many have got in at first."""
    command = [sys.executable, "-m", "tests.raid.raiders", str(port)]
    command += [str(size.connections), str(size.addresses)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline() or b"0")
    finally:
        process.kill()
        process.communicate()
