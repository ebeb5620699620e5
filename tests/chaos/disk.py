"""A disk that can be full or failing.

Full: the folder is a small tmpfs of its own, which a file fills up (needs the right to mount). Failing: the
server may not write beyond the first page of a file, and gets EFBIG, which SQLite tells as an I/O error.
"""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path
from typing import Final

_SIZE: Final = "64m"
_PAGE: Final = 4096


class Disk:
    """The folder of the server's history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self._filler = folder / "filler"
        self.can_be_full = os.geteuid() == 0 and self._mount()

    def _mount(self) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "chaos", str(self.folder)]
        try:
            return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
        except FileNotFoundError:
            return False

    def fill(self) -> None:
        """Leave no space."""
        block = bytes(256 * _PAGE)
        with self._filler.open("ab", buffering=0) as file:
            try:
                while file.write(block):
                    pass
            except OSError:
                pass  # full, as wanted

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        if self.can_be_full:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


def fail_writes(pid: int) -> None:
    """From now on the process cannot write beyond the first page of any file."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (_PAGE, hard))


def allow_writes(pid: int) -> None:
    """Undo `fail_writes`."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
