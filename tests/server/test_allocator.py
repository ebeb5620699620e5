"""The memory of many logins goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from server.allocator import keep_little
from tests.end_to_end.programs import ROOT

_HASHES = 12
_PROGRAM = f"""
import sys, threading
from server.allocator import keep_little

if "kept" not in sys.argv:
    assert keep_little()
ended, begun = threading.Event(), threading.Semaphore(2)

def log_in():
    with begun:
        bytearray(16 * 1024 * 1024 - 64)  # as large as what a hash needs, and without its time
    ended.wait()

threads = [threading.Thread(target=log_in) for _ in range({_HASHES})]
for thread in threads:
    thread.start()
ended.set()
for thread in threads:
    thread.join()
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of a process")
def test_the_memory_of_many_hashes_goes_back() -> None:
    """Threads that have hashed one after the other have not kept the memory of one hash."""
    run = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 40_000, f"{run.stdout} KiB"


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_a_system_without_it(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """Windows has no library without a name (TypeError): the server runs there without this, too."""

    def no_library(name: None) -> None:
        raise error

    monkeypatch.setattr("ctypes.CDLL", no_library)
    assert not keep_little()


def test_a_python_without_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that was built without libffi has none: the server starts all the same."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert not keep_little()
