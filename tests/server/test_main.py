"""The server's command line."""

from __future__ import annotations

import itertools
import logging
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from chatroom.bounds import SETTABLE, Limits
from chatroom.limits import DEAD_AFTER
from chatroom.reaper import Reaper
from server import app
from server.__main__ import main, parser
from server.config import Config
from server.ports import Ports
from server.quotas import Quotas
from server.retention import Retention
from server.tls_files import TlsFiles
from tests.end_to_end.programs import ROOT
from tests.server.histories import opened


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undoes main()'s configuration of logging, which is for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The configurations that main() runs a server with; none is started."""
    found: list[Config] = []

    def serve(config: Config) -> int:
        found.append(config)
        return 0

    monkeypatch.setattr(app, "serve", serve)
    return found


def test_without_options(configs: list[Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without options the server is on this machine only, and the user's own history is retained for ever."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main([]) == 0
    (config,) = configs
    assert (config.host, config.port, config.ports) == ("127.0.0.1", 5050, Ports())
    assert Path(config.data).is_relative_to(tmp_path)
    assert (config.dead_after, config.durability, config.keep) == (
        DEAD_AFTER,
        "normal",
        Retention.parse("all"),
    )


def test_every_option(configs: list[Config]) -> None:
    """Each option ends up in the configuration."""
    options = (
        "--host ::1 --port 0 --ports 5100-5199 --data :memory: --durability full --keep 90d --dead-after 2.5"
        " --metrics 9150 --rate 7 --max-members 5 --address-members 4 --address-guests 3 --address-rate 2"
        " --owner Dora"
    )
    assert main(options.split()) == 0
    keep, quotas = Retention.parse("90d"), Quotas(5, 4, 3, 2)
    place = ("::1", 0, Ports(5100, 5199), ":memory:")
    (config,) = configs
    limits = config.limits
    assert config == Config(*place, 2.5, "full", keep, 7.0, quotas, owner="Dora", metrics=9150, limits=limits)
    assert limits == {name: getattr(Limits(), name) for name in SETTABLE}


def test_metrics_without_their_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without prometheus-client, --metrics is one line that says what to install; the history is closed."""
    for module in [name for name in sys.modules if name.split(".")[0] == "prometheus_client"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "server.metrics", raising=False)
    for _ in range(2):
        assert main(["--port", "0", "--data", str(tmp_path / "history.db"), "--metrics", "0"]) == 1
        told = "chatroom-server: --metrics needs a library: pip install prometheus-client\n"
        assert capsys.readouterr() == ("", told)


def test_a_metrics_port_that_is_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that somebody else has is one line; the history is closed again."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for _ in range(2):
            assert main(["--port", "0", "--data", str(tmp_path / "history.db"), "--metrics", port]) == 1
            err = capsys.readouterr().err
            assert err.startswith(f"chatroom-server: cannot listen on 127.0.0.1:{port} for metrics: ")
            assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "tls"),
    [
        ("", None),
        ("--tls-self", "self"),
        ("--tls-cert both.pem", TlsFiles(Path("both.pem"), Path("both.pem"))),
        ("--tls-cert c.pem --tls-key k.pem", TlsFiles(Path("c.pem"), Path("k.pem"))),
    ],
)
def test_encryption(options: str, tls: object, configs: list[Config]) -> None:
    """The files of the certificate and the key may be one; --tls-self names none."""
    assert main(["--data", ":memory:", *options.split()]) == 0
    assert configs[0].tls == tls


def test_a_certificate_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A certificate that cannot be used is one line on stderr, exit code 1; the history is closed again."""
    data = str(tmp_path / "history.db")
    for _ in range(2):
        assert main(["--port", "0", "--data", data, "--tls-cert", str(tmp_path / "missing.pem")]) == 1
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.count("\n") == 1
        assert captured.err.startswith("chatroom-server: cannot read the certificate ")


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-key", "key.pem"],
        ["--tls-self", "--tls-cert", "x.pem"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "x"],
        ["--dead-after", "0"],
        ["--dead-after", "nan"],
        ["--dead-after", "x"],
        ["--durability", "some"],
        ["--max-members", "0"],
        ["--address-rate", "²"],
        ["--owner", "two words"],
        ["--owner", ""],
        ["--check", "x", "--export", "y"],
        ["--backup", "x", "--check", "y"],
        ["--readable"],
        ["--export", "x", "--sqlite", "y", "--readable"],
        ["--metrics", "65536"],
        ["--nonsense"],
        ["surplus"],
    ],
    ids=" ".join,
)
def test_bad_options(options: list[str], configs: list[Config], capsys: pytest.CaptureFixture[str]) -> None:
    """A bad option is named on stderr, the exit code is 2, and no server is started."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2 and configs == []
    assert options[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--ports", "all"], ["--keep", "never"], ["--keep", "90"]],
    ids=" ".join,
)
def test_invalid_values(
    options: list[str], configs: list[Config], capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid value is one line on stderr and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(["--data", ":memory:", *options])
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.err.startswith("chatroom-server: ") and captured.err.count("\n") == 1
    assert options[1] in captured.err and captured.out == "" and configs == []


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken is one line on stderr and exit code 1, and stdout is empty."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port, "--data", ":memory:"]) == 1
    captured = capsys.readouterr()
    assert captured.err == f"chatroom-server: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert captured.out == ""


def test_no_home_folder(
    configs: list[Config], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user without a home folder is told to use --data; with it, the folder does not matter."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert main([]) == 1
    captured = capsys.readouterr()
    assert "--data" in captured.err and captured.err.count("\n") == 1
    assert main(["--data", "x.db"]) == 0
    assert configs[0].data == "x.db"


def test_a_thread_that_dies(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """When a thread dies that the server needs, the server ends with one line and exit code 1."""
    monkeypatch.setattr("chatroom.reaper.REAP_SECONDS", 0.01)
    monkeypatch.setattr(Reaper, "reap", mock.Mock(side_effect=[KeyError("a bug"), 0]))
    assert main(["--port", "0", "--data", ":memory:"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("chatroom-server: a bug ended the thread server-reaper: KeyError at ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("started", range(6))
def test_no_thread_left(
    started: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the system has no thread left, at whatever step of the start, that is one line and exit code 1."""
    start, count = threading.Thread.start, itertools.count()

    def limited(thread: threading.Thread) -> None:
        if next(count) >= started:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr("chatroom.limits.CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(app, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(threading.Thread, "start", limited)
    assert main(["--port", "0", "--data", ":memory:"]) == 1
    captured = capsys.readouterr()
    assert "no thread left" in captured.err and captured.err.count("\n") == 1


def test_too_few_descriptors(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With too few descriptors the server says so in one line."""
    monkeypatch.setattr(app, "descriptors", lambda: 10)
    assert main(["--port", "0", "--data", ":memory:"]) == 1
    captured = capsys.readouterr()
    assert "only 10 descriptors" in captured.err and captured.err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("limit", [5, 8, 10, 40])
def test_really_few_descriptors(limit: int) -> None:
    """With so few descriptors the real program prints one line, no traceback."""
    command = f"ulimit -n {limit}; exec {sys.executable} -m server --port 0 --data :memory:"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("chatroom-server: ") and done.stderr.count("\n") == 1, done.stderr


def test_data_that_is_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no history is one line on stderr and exit code 1, and is not changed."""
    path = tmp_path / "letter.txt"
    path.write_text("dear all, this is not a history of anything" * 100)
    assert main(["--port", "0", "--data", str(path)]) == 1
    captured = capsys.readouterr()
    assert str(path) in captured.err and captured.err.count("\n") == 1
    assert path.read_text().startswith("dear all")


def test_check_and_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check and --export inspect an existing file; a missing one is one line on stderr."""
    for option in ("--check", "--export"):
        assert main([option, str(tmp_path / "none.db")]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    with opened(tmp_path / "h.db") as history:
        history.append([], [])
    assert main(["--check", str(tmp_path / "h.db")]) == 0
    assert capsys.readouterr().out
    assert main(["--export", str(tmp_path / "h.db")]) == 0
    assert capsys.readouterr().out == ""


def test_help_names_every_option(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--help-all describes each option."""
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main(["--help-all"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    options = [action.option_strings[-1] for action in parser()._actions]
    assert len(options) > 10, options
    for option in options:
        # the description follows on the same line, or indented on the next
        assert re.search(rf"^  .*{option}\b.*(  |\n {{20,}})\w", text, re.MULTILINE), option


@pytest.mark.parametrize("rate", ["0", "-1", "many", "nan", "1e9"])
def test_a_rate_is_a_number_of_lines(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--rate takes a sensible number; anything else is a wrong command line."""
    assert parser().parse_args(["--rate", "2.5"]).rate == 2.5
    assert parser().parse_args([]).rate is None
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([f"--rate={rate}"])
    assert ended.value.code == 2 and "lines a second" in capsys.readouterr().err


def test_the_help_fits_a_screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--help has what most people need, in 23 rows of 79 columns; --help-all has each option."""
    monkeypatch.setenv("COLUMNS", "200")
    told = []
    for option in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as left:
            parser().parse_args([option])
        assert left.value.code == 0
        told.append(capsys.readouterr().out)
    short, whole = told
    assert len(short.splitlines()) <= 23
    assert max(map(len, whole.splitlines())) <= 79
    for action in parser()._actions:
        assert all(option in whole for option in action.option_strings)
