"""Compiles the C++ programs of the benchmark on demand, and keeps them until their source changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


class NoCompiler(Exception):
    """There is no C++ compiler here; str() says what to install."""


def compiler() -> str:
    """The path of g++ or another C++ compiler. Raises NoCompiler."""
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        found = name and shutil.which(name)
        if found:
            return found
    raise NoCompiler("no C++ compiler found (g++, clang++ or $CXX); on Debian: apt-get install g++")


def build(source: Path, *flags: str) -> Path:
    """The program compiled from `source` with -O2 and `flags`. Raises NoCompiler, CalledProcessError."""
    command = [compiler(), "-O2", *flags]
    key = hashlib.sha256("\0".join(command).encode() + source.read_bytes()).hexdigest()[:16]
    program = _cache() / f"{source.stem}-{key}"
    if not program.exists():
        unfinished = program.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, "-o", str(unfinished), str(source)], check=True)
        unfinished.rename(program)
    return program


def load_program() -> Path:
    """The load program, load.cpp."""
    return build(HERE / "load.cpp", "-std=c++17")


def blast_program() -> Path:
    """The program that only sends premade bytes, blast.cpp."""
    return build(HERE / "blast.cpp", "-std=c++17")


def _cache() -> Path:
    """A folder that only this user can write to: no other user can put a program into it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chatroom-bench"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        cache = Path(tempfile.mkdtemp(prefix="chatroom-bench-"))
    return cache
