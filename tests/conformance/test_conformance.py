"""The conformance run: its rules are those of the page, our programs pass, others get a report."""

from __future__ import annotations

import ast
import re
import sys
import time
from pathlib import Path

import pytest

from tests.conformance import rules
from tests.conformance.__main__ import main
from tests.conformance.catalogue import checks_for
from tests.conformance.check import CHECKS, Level, Role
from tests.conformance.watches import WATCHED

HERE = Path(__file__).parent
PYTHON = sys.executable
SERVER = f"{PYTHON} -m server --port {{port}} --data {{data}} --dead-after {{dead_after}}"
CLIENT = f"{PYTHON} -m client {{address}} --name {{name}} --dead-after {{dead_after}}"
PATIENT = ("--timeout", "20")
"""Beside other load passwords take seconds to hash: the run is about what a program does, not how fast."""
NAMED = {rule for check in CHECKS for rule in check.rules} | WATCHED


def test_every_rule_has_a_check_or_a_reason() -> None:
    """Every rule of notes/protocol.md is named by a check, or notes/conformance.md says why not."""
    reasons = rules.not_checked()
    assert NAMED | reasons.keys() == rules.rules().keys()
    assert not NAMED & reasons.keys()
    assert len(NAMED) > 200


def test_rules_are_read_from_the_page() -> None:
    """A rule has the text before its number, and the heading above it."""
    rule = rules.rules()["P39"]
    assert rule.section == "0x0C PING, 0x0D PONG"
    assert rule.text == "Message id: any; PONG repeats the id of its PING. No payload"
    assert all(rule.text for rule in rules.rules().values())
    page = (rules.NOTES / "protocol.md").read_text()
    assert set(re.findall(r"\[([A-Z]\d+)\]", page)) == set(rules.rules())


def test_ids_are_numbered_without_a_gap() -> None:
    """The numbers of each letter begin with 1; so a rule that was lost is noticed."""
    letters = sorted({id[0] for id in rules.rules()})
    for letter in letters:
        numbers = sorted(int(id[1:]) for id in rules.rules() if id[0] == letter)
        assert numbers == list(range(1, len(numbers) + 1))


def test_both_roles_have_checks_of_every_level() -> None:
    """Each level of each role has checks, and one gate; names are not used twice."""
    for role in Role:
        for level in Level:
            assert any(check.level is level for check in checks_for(role, level))
        assert sum(check.gate for check in checks_for(role, Level.BASIC)) == 1
        names = [(check.name, check.rules) for check in checks_for(role, max(Level))]
        assert len(set(names)) == len(names)


def test_the_run_knows_only_the_wire() -> None:
    """The run imports nothing of server/ or client/; only the faulty copies do."""
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = {name.split(".")[0] for name in names} & {"server", "client", "views"}
            assert not ours or path.name == "faulty.py", f"{path.name} imports {ours}"


@pytest.mark.parametrize(
    "arguments",
    [[], ["--server", "x {port}", "--client", "x"], ["--server", "no-port"], ["--client", "x {name}"],
     ["--server", "x {port}", "--only", "no such check"], ["--server", "x {port}", "--level", "most"],
     ["--server", "/no/such/program {port}"], ["--server", "'x {port}"],
     ["--server", "x {port}", "--timeout", "0"]],
)  # fmt: skip
def test_wrong_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong options, and a command that cannot be started, end the run with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


# --- programs that are none -----------------------------------------------------------------------------

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); "
BAD_SERVERS = {
    "ends at once": ("raise SystemExit('no configuration')", "no configuration"),
    "is silent": (LISTEN + "time.sleep(60)", "nothing in time"),
    "closes at once": (LISTEN + "\nwhile True: s.accept()[0].close()", "the end of the connection"),
    "sends rubbish": (
        LISTEN + "\nwhile True:\n c = s.accept()[0]\n try: c.sendall(b'220 mail.example ESMTP'); c.recv(9)\n"
        " except OSError: pass",
        "the byte 0x32",
    ),
    "sends rubbish for ever": (
        LISTEN
        + "\nwhile True:\n c = s.accept()[0]\n try:\n  while True: c.sendall(bytes([199, 2, 3]) * 99999)\n"
        " except OSError: pass",
        "flags 199",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD_SERVERS)
def test_a_program_that_is_no_server(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that is no server gets a report within seconds: a rule, what was expected, what came."""
    code, came = BAD_SERVERS[kind]
    program = tmp_path / "program.py"
    program.write_text(code)
    began = time.monotonic()
    assert main(["--server", f"{PYTHON} {program} {{port}}", "--timeout", "1", "-v"]) == 1
    assert time.monotonic() - began < 15
    out = capsys.readouterr().out
    assert came in out
    assert "FAILED  the handshake leads to WELCOME" in out
    assert "  rule " in out


CONNECT = (
    "import socket, sys, time; host, port = sys.argv[1].split(':');"
    "s = socket.create_connection((host, int(port)));"
)
BAD_CLIENTS = {
    "ends at once": ("raise SystemExit('no configuration')", "no configuration"),
    "is silent": (CONNECT + "time.sleep(60)", "nothing in time"),
    "closes at once": (CONNECT + "s.close(); time.sleep(60)", "the end of the connection"),
    "sends rubbish": (CONNECT + "s.sendall(b'NICK ann'); time.sleep(60)", "the byte 0x4e"),
    "floods stdout": (CONNECT + "\nwhile True: print('x' * 9999)", "nothing in time"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD_CLIENTS)
def test_a_program_that_is_no_client(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that is no client gets a report within seconds."""
    code, came = BAD_CLIENTS[kind]
    program = tmp_path / "program.py"
    program.write_text(code)
    began = time.monotonic()
    assert main(["--client", f"{PYTHON} {program} {{address}} {{name}}", "--timeout", "1"]) == 1
    assert time.monotonic() - began < 15
    out = capsys.readouterr().out
    assert came in out
    assert "FAILED  the client comes in" in out


# --- our programs ---------------------------------------------------------------------------------------


def test_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of few checks takes less than a second, and prints how many passed."""
    assert main(["--server", SERVER, "--level", "basic", "--only", "P39", "-v"]) == 0, capsys.readouterr().out
    out = capsys.readouterr().out
    assert "PING is answered  [P39 D2]" in out
    assert "basic   2 passed" in out


@pytest.mark.slow
def test_our_server_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Our server keeps every rule."""
    assert main([*PATIENT, "--server", SERVER, "--level", "moderation"]) == 0, capsys.readouterr().out
    assert "not checked" not in capsys.readouterr().out


@pytest.mark.slow
def test_our_server_passes_on_one_connection(capsys: pytest.CaptureFixture[str]) -> None:
    """So it does when newcomers go on with the lobby connection."""
    assert main(["--server", f"{SERVER} --ports same", "--level", "resume"]) == 0, capsys.readouterr().out


@pytest.mark.slow
def test_our_client_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Our client keeps every rule."""
    assert main([*PATIENT, "--client", CLIENT, "--level", "moderation"]) == 0, capsys.readouterr().out
    assert "not checked" not in capsys.readouterr().out
