"""Compiled modules, shared by the processes of the tests: else each of them compiles everything again.

A run on a fresh checkout spends most of its start on that, four times: pytest rewrites the asserts of each
test file. And each program that a test starts compiles its modules again where Python must not write them.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

FOLDER = Path(".pytest_cache", "bytecode")
"""Below the top folder; only where PYTHONDONTWRITEBYTECODE keeps Python from writing beside the sources."""


def pytest_configure(config: pytest.Config) -> None:
    """Lets this process, and the programs that its tests start, keep what they have compiled."""
    if sys.dont_write_bytecode:
        folder = str(config.rootpath / FOLDER)
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder


def pytest_sessionstart(session: pytest.Session) -> None:
    """In one of several processes that will all import all tests: begin with files that no other begins with.

    So each file is compiled once, and not by all of them at the same moment.
    """
    config = session.config
    worker: dict[str, object] = getattr(config, "workerinput", {})
    if not worker or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    files = sorted((config.rootpath / "tests").rglob("test_*.py"))
    for path in files[number::count]:
        name = ".".join(path.relative_to(config.rootpath).with_suffix("").parts)
        with suppress(Exception, pytest.skip.Exception):  # it comes again when pytest collects the file
            importlib.import_module(name)
