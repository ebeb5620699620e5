"""Compiles the C++ programs of the benchmark on demand, and keeps them until their source changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unicodedata import unidata_version

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TWIN = ROOT / "notes" / "cpp"
TWIN_TABLES = ("lookalikes", "shown", "unicode_tables")
"""The modules of `chatroom` from which make_tables.py writes the tables of the twin."""


class NoCompiler(Exception):
    """There is no C++ compiler or no make here; str() says what to install."""


class BuildFailed(Exception):
    """The compiler refuses a program; str() has the end of its message."""


def compiler() -> str:
    """The path of g++ or another C++ compiler. Raises NoCompiler."""
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        found = name and shutil.which(name)
        if found:
            return found
    raise NoCompiler("no C++ compiler found (g++, clang++ or $CXX); on Debian: apt-get install g++")


def build(source: Path, *flags: str, libraries: Sequence[str] = ()) -> Path:
    """The program compiled from `source` with -O2 and `flags`. Raises NoCompiler, CalledProcessError."""
    command = [compiler(), "-O2", *flags]
    key = hashlib.sha256("\0".join([*command, *libraries]).encode() + source.read_bytes()).hexdigest()[:16]
    program = _cache() / f"{source.stem}-{key}"
    if not program.exists():
        unfinished = program.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, "-o", str(unfinished), str(source), *libraries], check=True)
        unfinished.rename(program)
    return program


def load_program(tls: bool = False) -> Path:
    """The load program, load.cpp. tls: with OpenSSL. Raises NoCompiler, also when its headers are missing."""
    if not tls:
        return build(HERE / "load.cpp", "-std=c++17")
    look = [compiler(), "-x", "c++", "-E", "-include", "openssl/ssl.h", os.devnull]
    if subprocess.run(look, capture_output=True, check=False).returncode:
        raise NoCompiler("OpenSSL's headers are missing; on Debian: apt-get install libssl-dev")
    return build(HERE / "load.cpp", "-std=c++17", "-DLOAD_TLS", libraries=("-lssl", "-lcrypto"))


def blast_program() -> Path:
    """The program that only sends premade bytes, blast.cpp."""
    return build(HERE / "blast.cpp", "-std=c++17")


def twin_server() -> Path:
    """The server of the C++ twin, made by its own Makefile. Raises NoCompiler, BuildFailed."""
    make = shutil.which("make")
    if make is None:
        raise NoCompiler("no make found; on Debian: apt-get install make")
    settings = [f"CXX={compiler()}", f"PYTHON={sys.executable}", "CXXFLAGS=-O2"]
    sources = [*sorted(TWIN.glob("*.?pp")), TWIN / "make_tables.py", TWIN / "Makefile"]
    sources += [ROOT / "chatroom" / f"{name}.py" for name in TWIN_TABLES]
    key = hashlib.sha256("\0".join([*settings, unidata_version]).encode())
    for source in sources:
        key.update(source.read_bytes())
    program = _cache() / f"twin-{key.hexdigest()[:16]}"
    if not program.exists():
        # The objects are not kept: make decides by times, which say nothing about other copies of the source.
        with tempfile.TemporaryDirectory(dir=program.parent, prefix="twin-build-") as folder:
            made = Path(folder) / "chat-server"
            command = [make, "-s", "-C", str(TWIN), f"BUILD={folder}", *settings, str(made)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                raise BuildFailed(run.stderr.strip()[-1000:])
            made.rename(program)
    return program


def _cache() -> Path:
    """A folder that only this user can write to: no other user can put a program into it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chatroom-bench"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        cache = Path(tempfile.mkdtemp(prefix="chatroom-bench-"))
    return cache
