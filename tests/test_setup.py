"""setup.sh on a bare system: it installs what is missing, and nothing else."""

from __future__ import annotations

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
    """A checkout with setup.sh, and a system that only pretends."""
    (tmp_path / "bin").mkdir()
    for name, text in {"python3": PYTHON, "pip": PIP, "apt-get": APT, "id": ID}.items():
        program = tmp_path / "bin" / name
        program.write_text(text)
        program.chmod(0o755)
    shutil.copy(ROOT / "setup.sh", tmp_path)
    return tmp_path


def set_up(bare: Path, *arguments: str) -> list[str]:
    """Run setup.sh; the programs that it called."""
    log = bare / "log"
    log.unlink(missing_ok=True)
    environment = {"PATH": f"{bare / 'bin'}:/usr/bin:/bin", "HOME": str(bare), "LOG": str(log)}
    subprocess.run([bare / "setup.sh", *arguments], env=environment, check=True, cwd="/")
    return log.read_text().splitlines()


def test_a_system_without_venv(bare: Path) -> None:
    """Where Python has no ensurepip, python3-venv is installed first; then everything into .venv."""
    calls = [call.split(" -", 1)[0] if call.startswith("python -c") else call for call in set_up(bare)]
    assert [call.split()[0] for call in calls] == ["python", "python", "apt-get", "apt-get", "python", "pip"]
    assert "install -y -qq python3-venv" in calls[3]
    assert calls[-1].endswith("--editable .")


def test_a_system_with_venv(bare: Path) -> None:
    """Where nothing is missing, the system is left alone; the tests' extra is asked for by name."""
    (bare / "venv-is-there").touch()
    calls = set_up(bare, "test")
    assert not [call for call in calls if call.startswith("apt-get")]
    assert calls[-1].endswith("--editable .[test]")


def test_again(bare: Path) -> None:
    """A second time, the environment that is there is used."""
    (bare / "venv-is-there").touch()
    set_up(bare)
    assert not [call for call in set_up(bare) if "-m venv" in call]
