"""The programs of persons with an account, and the stranger who wants their names, as child processes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.chaos.leaks import SECRETS
from tests.chaos.ownership import Thefts
from tests.chaos.programs import ApiClient, Child, Client, PipeClient, order_quiet, python
from tests.chaos.records import EXPELLED, Connect, Life, entry, read_lines
from tests.chaos.roams import Roam, read_roam
from tests.chaos.schedule import DEAD_AFTER, MODERATOR, OWNED, OWNS, Moderator, Rover, Speaker, Strangers
from tests.chaos.talker import now
from tests.chaos.wallet import Wallet

_SHOWN, _FLUSHED, _ENDED = (f'{{"did": "{did}"'.encode() for did in ("shown", "flushed", "ended"))
"""How lines of a record begin."""

_STRANGER_SECONDS: Final = 10.0  # for the try that is under way


class OwnerClient(ApiClient):
    """A process of `tests.chaos.owner`: it lives several lives."""

    module = "tests.chaos.owner"

    def __init__(self, speaker: Speaker, folder: Path, port: int, code_file: Path) -> None:
        super().__init__(speaker, folder, port)
        self.wallet = Wallet(folder / SECRETS, speaker.account)
        self._code_file = code_file

    def start(self) -> None:
        self.number = max(self._numbers(), default=-1)
        super().start()

    def _numbers(self) -> Iterable[int]:
        records = self.folder.glob(f"{self.label}-*.jsonl")
        return sorted(int(path.stem.rpartition("-")[2]) for path in records)

    def _options(self, path: Path) -> dict[str, object]:
        speaker = self.speaker
        return super()._options(path) | {
            "program": speaker.program,
            "account": speaker.account,
            "wallets": self.folder / SECRETS,
            "pace": speaker.pace,
        }

    def _further_arguments(self) -> list[str]:
        speaker, arguments = self.speaker, list[str]()
        if speaker.first:
            arguments.append("--main")
        if speaker.first and speaker.late:
            arguments.append("--late")
        elif speaker.first:
            others = [name for name in OWNED if name != speaker.account]
            arguments += [f"--code-file={self._code_file}", "--others", *others]
            arguments.append(f"--helper={self.folder / MODERATOR}.registered")
        return arguments

    def lives(self) -> list[Life]:
        """The records so far; a process that has just been started has none yet."""
        return super().lives() or [self._life(0)]


class FollowOwner(PipeClient):
    """The program with --password-file. It ends when its session was ended, and is started again."""

    def __init__(self, speaker: Speaker, folder: Path, port: int) -> None:
        super().__init__(speaker, folder, port)
        self.wallet = Wallet(folder / SECRETS, speaker.account)
        self._started: dict[int, int] = {}
        self._ended: dict[int, str] = {}

    def _further_options(self) -> list[str]:
        """With the likeliest password, or the next one when that was wrong."""
        passwords = self.wallet.read().passwords
        file = os.open(self.wallet.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, passwords[self.number % len(passwords)].encode() + b"\n")
        os.close(file)
        self._started[self.number] = now()
        return ["--password-file", str(self.wallet.password_file)]

    def gave_up_at_once(self) -> bool:
        """Whether it needs the new password, or could not get in."""
        return self._is_expelled() or super().gave_up_at_once()

    def _is_expelled(self) -> bool:
        code = None if self.process is None else self.process.poll()
        if code != 1 or "password is needed" not in (log := self.log.read_text()):
            return False
        self._ended.setdefault(self.number, f"{EXPELLED}{log.splitlines()[-1]}")
        return True

    def _read(self, path: Path, life: Life) -> Life:
        super()._read(path, life)
        own = {line.text for line in life.shown if line.author in life.names}
        life.confirmed = [text for text in life.said if text in own]
        life.sessions = [Connect(self._started[life.number], "by the password of its file")]
        if life.number == self.number:
            self._is_expelled()
        if life.number in self._ended:
            life.ending, life.expelled = self._ended[life.number], True
            life.ended_at = int(path.with_suffix(".log").stat().st_mtime * 1000)
        return life


class RoverClient(Client):
    """A process of `tests.chaos.rover`."""

    module = "tests.chaos.rover"

    def __init__(self, rover: Rover, folder: Path, port: int) -> None:
        super().__init__(Speaker(rover.name, "rover", "#general", rover.rate, rover.seed), folder, port)
        self.label = rover.label
        self._rover = rover

    def _begin(self, path: Path) -> None:
        rover = self._rover
        options = {
            "port": self.port,
            "name": rover.name,
            "label": rover.label,
            "life": self.number,
            "rate": rover.rate,
            "seed": rover.seed,
            "dead-after": DEAD_AFTER,
            "record": path.with_suffix(".jsonl"),
        }
        if rover.account:
            options |= {
                "account": rover.account,
                "password": f"password-of-{rover.account}",
                "registered": self.folder / f"{rover.account}.registered",
            }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        arguments += ["--first"] if rover.first else []
        arguments += self._further_arguments()
        self._spawn(python(self.module, *arguments), subprocess.PIPE, subprocess.DEVNULL)

    def _further_arguments(self) -> list[str]:
        return []

    def quiet(self) -> None:
        order_quiet(self)

    def _read(self, path: Path, life: Life) -> Life:
        """What the run needs to know of it, again and again: no line is read for nothing."""
        file = path.with_suffix(".jsonl")
        for line in file.read_bytes().split(b"\n")[:-1] if file.exists() else ():
            if line.startswith(_SHOWN) and not life.shown:
                life.shown = [entry(json.loads(line))]
            elif line.startswith(_FLUSHED):
                life.flushed = True
            elif line.startswith(_ENDED):
                life.ending = json.loads(line)["reason"]
        return life

    def roams(self) -> list[Roam]:
        """The records so far."""
        return [
            read_roam(
                self._path(number).with_suffix(".jsonl"),
                Roam(self.label, number, self._rover.account),
            )
            for number in self._numbers()
        ]


class ModeratorClient(RoverClient):
    """A process of `tests.chaos.moderator`."""

    module = "tests.chaos.moderator"

    def __init__(
        self, moderator: Moderator, speakers: Sequence[Speaker], folder: Path, port: int, code_file: Path
    ) -> None:
        rover = Rover("moderator", MODERATOR, moderator.rate, moderator.seed, MODERATOR, first=True)
        super().__init__(rover, folder, port)
        self.owns = moderator.owns
        meant = [one for one in speakers if one.may_be_moderated]
        self._more = [f"--code-file={code_file}"] if moderator.owns else []
        self._more += ["--targets", *(f"{one.name}={one.channel[1:]}" for one in meant)]

    def _further_arguments(self) -> list[str]:
        return self._more

    def await_owning(self, seconds: float) -> bool:
        """Whether it owns the chatroom in time."""
        file = self.folder / f"{MODERATOR}{OWNS}"
        until = time.monotonic() + seconds
        while not file.exists():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


class Stranger(Child):
    """A process of `tests.chaos.stranger`. Its connections do not go through the proxy."""

    def __init__(self, folder: Path, names: Sequence[str], seed: int, strangers: Strangers) -> None:
        super().__init__(folder / "stranger.log")
        self._record = folder / "stranger.jsonl"
        self._options = [f"--wallets={folder / SECRETS}", f"--record={self._record}", f"--seed={seed}"]
        self._options += [f"--pace={strangers.pace}", "--names", *names, "--tricks", *strangers.tricks]

    def start(self, port: int) -> None:
        """port: of the server's lobby"""
        command = python("tests.chaos.stranger", f"--port={port}", *self._options)
        self._spawn(command, subprocess.PIPE, subprocess.DEVNULL)

    def stop(self) -> str:
        """Let it end. Returns the error, or the empty string."""
        if self.process is None:
            return ""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(b"quiet\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its exit code says why
        code = self.wait(_STRANGER_SECONDS)
        return "" if code == 0 else f"exit code {code}"

    def close(self) -> None:
        self.kill()

    def thefts(self) -> Thefts:
        """What it has tried, and what it has got."""
        thefts = Thefts()
        for record in read_lines(self._record):
            match record["did"]:
                case "tried":
                    thefts.names.add(record["name"])
                case "stolen":
                    thefts.got.append(f"{record['name']}: {record['trick']}")
        return thefts

    def lives(self) -> list[Life]:
        """Its stays under names of its own."""
        stays = [record for record in read_lines(self._record) if record["did"] == "stayed"]
        return [Life(stay["name"], left=stay["left"], ending="") for stay in stays]

    def outcomes(self) -> Counter[str]:
        """How often which trick was refused, or failed because there was no server."""
        return Counter(
            f"strange tries {record['trick']}: {'refused' if record.get('code') else record['did']}"
            for record in read_lines(self._record)
            if "trick" in record and record["did"] != "tried"
        )


def make_client(speaker: Speaker, folder: Path, port: int, code_file: Path) -> Client:
    """The client that the plan wants."""
    api = speaker.how in ("api", "blunt")
    if speaker.account:
        return OwnerClient(speaker, folder, port, code_file) if api else FollowOwner(speaker, folder, port)
    return (ApiClient if api else PipeClient)(speaker, folder, port)


def await_registered(wallet: Wallet, seconds: float) -> bool:
    """Whether the name is registered in time."""
    until = time.monotonic() + seconds
    while not wallet.read().registered:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
