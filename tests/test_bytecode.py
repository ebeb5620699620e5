"""Processes of the tests share what they have compiled."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import bytecode


def test_programs_keep_what_they_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Python must not write beside the sources, the programs of the tests write into another folder."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")
    (tmp_path / "module.py").write_text("")
    bytecode.pytest_configure(SimpleNamespace(rootpath=tmp_path))  # type: ignore[arg-type]
    subprocess.run([sys.executable, "-c", "import module"], cwd=tmp_path, check=True)
    assert list((tmp_path / bytecode.FOLDER).rglob("module.*.pyc"))
    assert not (tmp_path / "__pycache__").exists()


def test_otherwise_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Python may write beside the sources, it does."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = sys.pycache_prefix
    bytecode.pytest_configure(SimpleNamespace(rootpath=tmp_path))  # type: ignore[arg-type]
    assert sys.pycache_prefix == before


def test_each_process_begins_with_other_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of several processes compiles its part of the files; one that cannot be imported stops nothing."""
    (tmp_path / "tests" / "part").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "tests" / "part" / f"test_{number}.py").touch()
    imported: list[str] = []

    def import_module(name: str) -> None:
        imported.append(name)
        raise SyntaxError(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    for worker in range(2):
        config = SimpleNamespace(
            rootpath=tmp_path,
            workerinput={"workerid": f"gw{worker}", "workercount": 2},
            args_source=pytest.Config.ArgsSource.TESTPATHS,
        )
        bytecode.pytest_sessionstart(SimpleNamespace(config=config))  # type: ignore[arg-type]
    assert imported == [f"tests.part.test_{number}" for number in (0, 2, 4, 1, 3)]


def test_some_files_are_compiled_when_they_are_collected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run of a few files imports no others."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").touch()
    monkeypatch.setattr(importlib, "import_module", lambda name: pytest.fail(name))
    for worker, source in (({}, "TESTPATHS"), ({"workerid": "gw0", "workercount": 1}, "ARGS")):
        config = SimpleNamespace(
            rootpath=tmp_path, workerinput=worker, args_source=pytest.Config.ArgsSource[source]
        )
        bytecode.pytest_sessionstart(SimpleNamespace(config=config))  # type: ignore[arg-type]
