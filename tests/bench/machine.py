"""The machine and the versions of a measurement: without them its figures mean nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from tests.bench.peers import PEERS, Unavailable


def describe() -> dict[str, object]:
    """Processor, cores, kernel, and the version of each peer."""
    versions = {}
    for peer in PEERS:
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


def _field(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
