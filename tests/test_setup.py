"""setup.sh on a bare system: it installs only the missing parts, and reports each step."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PYTHON = """#!/bin/sh
echo "python $*" >>"$LOG"
case "$*" in
*ensurepip*) [ -e "$HOME/venv-is-there" ] ;;
"-m venv"*) mkdir -p "$3/bin" && cp "$HOME/bin/pip" "$3/bin/pip" ;;
esac
"""
PIP = '#!/bin/sh\necho "pip $*" >>"$LOG"\n'
APT = '#!/bin/sh\necho "apt-get $*" >>"$LOG"\ncase "$*" in *python3-venv*) : >"$HOME/venv-is-there" ;; esac\n'
ID = "#!/bin/sh\necho 0\n"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout with setup.sh, and fake system programs that log their calls."""
    (tmp_path / "bin").mkdir()
    for name, text in {"python3": PYTHON, "pip": PIP, "apt-get": APT, "id": ID}.items():
        program = tmp_path / "bin" / name
        program.write_text(text)
        program.chmod(0o755)
    shutil.copy(ROOT / "setup.sh", tmp_path)
    return tmp_path


def set_up(bare: Path, *arguments: str) -> list[str]:
    """Runs setup.sh; returns its calls of system programs."""
    log = bare / "log"
    log.unlink(missing_ok=True)
    environment = {"PATH": f"{bare / 'bin'}:/usr/bin:/bin", "HOME": str(bare), "LOG": str(log)}
    environment["PYTHON"] = os.environ.get("PYTHON", "python3")
    subprocess.run([bare / "setup.sh", *arguments], env=environment, check=True, cwd="/")
    return log.read_text().splitlines()


def test_a_system_without_venv(bare: Path) -> None:
    """Without ensurepip, python3-venv is installed first; then everything into .venv."""
    calls = [call.split(" -", 1)[0] if call.startswith("python -c") else call for call in set_up(bare)]
    assert [call.split()[0] for call in calls] == ["python", "python", "apt-get", "apt-get", "python", "pip"]
    assert "install -y -qq python3-venv" in calls[3]
    assert calls[-1].endswith("--editable .")


def test_a_system_without_python(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small Debian has no Python at all: python3-venv brings it."""
    python, apt = bare / "bin" / "python3", bare / "bin" / "apt-get"
    python.rename(bare / "debians-python")
    apt.write_text(
        APT + 'case "$*" in *python3-venv*) cp "$HOME/debians-python" "$HOME/bin/debian" ;; esac\n'
    )
    monkeypatch.setenv("PYTHON", "debian")  # the tests' own system has a python3
    calls = [call.split(" -", 1)[0] if call.startswith("python -c") else call for call in set_up(bare)]
    assert [call.split()[0] for call in calls] == ["apt-get", "apt-get", "python", "python", "pip"]


def test_a_system_with_venv(bare: Path) -> None:
    """With ensurepip nothing is installed on the system; `test` installs the tests' libraries, too."""
    (bare / "venv-is-there").touch()
    calls = set_up(bare, "test")
    assert not [call for call in calls if call.startswith("apt-get")]
    assert calls[-1].endswith("--editable .[test]")


def test_again(bare: Path) -> None:
    """A second run uses the existing environment."""
    (bare / "venv-is-there").touch()
    set_up(bare)
    assert not [call for call in set_up(bare) if "-m venv" in call]


def test_it_says_what_it_does(bare: Path) -> None:
    """Each step prints one line; apt's output is shown only when apt fails, with apt's exit code."""
    environment = {"PATH": f"{bare / 'bin'}:/usr/bin:/bin", "HOME": str(bare), "LOG": str(bare / "log")}
    apt = bare / "bin" / "apt-get"
    working = apt.read_text() + "echo Unpacking\n"
    apt.write_text("#!/bin/sh\necho no network >&2\nexit 100\n")
    failed = subprocess.run([bare / "setup.sh"], env=environment, capture_output=True, text=True)
    assert (failed.returncode, failed.stderr) == (100, "no network\n")
    apt.write_text(working)
    output = subprocess.run(
        [bare / "setup.sh"], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert [line.split(" ")[:2] for line in output.splitlines()] == [
        ["setup:", word] for word in ("installing", "making", "installing", "done")
    ]
