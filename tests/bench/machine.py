"""The machine, the interpreter and the versions of a measurement: without them its figures mean nothing."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.bench.build import HERE
from tests.bench.peers import Peer, Unavailable


class NoInterpreter(Exception):
    """The chosen interpreter does not run; str() says why."""


def describe(peers: Iterable[Peer]) -> dict[str, object]:
    """Processor, cores, kernel, and the version of each peer."""
    versions = {}
    for peer in peers:
        try:
            versions[peer.name] = peer.version()
        except Unavailable as missing:
            versions[peer.name] = str(missing)
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "versions": versions,
    }


def interpreter(python: str) -> dict[str, Any]:
    """What calibrate.py says of this interpreter. Raises NoInterpreter."""
    try:
        run = subprocess.run(
            [python, str(HERE / "calibrate.py")], capture_output=True, text=True, check=True, timeout=60
        )
        facts: dict[str, Any] = json.loads(run.stdout)
    except subprocess.CalledProcessError as error:
        raise NoInterpreter(f"{python}: {error.stderr.strip()}") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NoInterpreter(f"{python}: {error}") from None
    return facts


def in_words(facts: dict[str, Any]) -> str:
    """The facts of an interpreter in two lines."""
    return (
        f"our server runs on Python {facts['python']} ({facts['path']}), SQLite {facts['sqlite']}\n"
        f"calibration: {facts['compute_us']:.0f} µs for 1000 steps of pure Python,"
        f" {facts['copy_us']:.0f} µs for 1000 packets packed and copied"
    )


def _field(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
