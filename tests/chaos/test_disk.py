"""The disk can be made full or failing for the process under test, and repaired again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.disk import Disk, allow_writes, fail_writes

WRITER = """
import sys
for path in sys.stdin:
    try:
        with open(path.strip(), "ab") as file:
            file.write(bytes(8192))
        print("written", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
"""


def test_full_and_free(tmp_path: Path) -> None:
    """A filled disk takes no more and a freed one does."""
    disk = Disk(tmp_path / "disk")
    try:
        if not disk.can_be_full:
            pytest.skip("may not mount")
        disk.fill()
        with pytest.raises(OSError, match="space"):
            (disk.folder / "file").write_bytes(bytes(8192))
        disk.free()
        (disk.folder / "file").write_bytes(bytes(8192))
    finally:
        disk.close()


def test_failing_writes(tmp_path: Path) -> None:
    """Writes of the process fail while they are made to, and it survives that."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        stdin, stdout = writer.stdin, writer.stdout
        assert stdin is not None and stdout is not None

        def write() -> str:
            print(tmp_path / "file", file=stdin, flush=True)
            return stdout.readline().strip()

        assert write() == "written"
        fail_writes(writer.pid)
        assert write() == "File too large"
        allow_writes(writer.pid)
        assert write() == "written"
        stdin.close()
