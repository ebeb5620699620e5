"""The README matches the programs: its commands run, its options exist, its bot answers."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import client
from client import Client, EventKind
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import eventually

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def block(mark: str) -> str:
    """The code block below `<!-- mark -->`."""
    found = re.search(rf"^<!-- {mark} -->\n```\w+\n(.*?)^```", README, re.M | re.S)
    assert found, f"no block {mark}"
    return found[1]


def help_of(program: str) -> str:
    """What `--help` of a program prints."""
    command = [sys.executable, "-m", program, "--help-all"]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


@pytest.mark.parametrize(
    ("program", "title"), [("server", "option of the server"), ("client", "option of the client")]
)
def test_options(program: str, title: str) -> None:
    """The README's table has every option of the program, and no other."""
    table = README.split(f"| {title} |")[1].split("\n\n")[0]
    there = options_in(help_of(program)) - {"-h", "--help", "--help-all"}
    named = options_in(table)
    assert named <= there, f"not there: {named - there}"
    assert there - named <= {"--version"}, f"not in the README: {there - named}"


def test_example_lines() -> None:
    """Every option in the README's examples exists in the program that the line calls."""
    helps = {name: options_in(help_of(name)) for name in ("server", "client")}
    lines = [line.split("#  ")[0] for line in README.splitlines() if "chatroom-" in line and line[:1] != "|"]
    assert len(lines) > 6
    for line in lines:
        for name, words in re.findall(r"chatroom-(server|client)((?: +[^|`#][^ |`]*)*)", line):
            assert options_in(words) <= helps[name], line


def test_commands_are_short() -> None:
    """Each of the two commands is one line to copy and paste."""
    assert [block(mark).count("\n") for mark in ("run", "tests")] == [1, 1]


def test_ci_runs_just_that() -> None:
    """.ci/run takes both commands from the README, by their marks, and has no copy of its own."""
    script = (ROOT / ".ci" / "run").read_text()
    assert "readme tests" in script
    assert "readme run" in script
    for mark in ("run", "tests"):
        assert block(mark).strip() not in script
    reading = script[script.index("readme() {") : script.index("step()")]
    for mark in ("run", "tests"):
        output = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{reading}\nreadme {mark}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert output.stdout == block(mark)
    missing = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{reading}\nreadme nothing"], cwd=ROOT, capture_output=True
    )
    assert missing.returncode != 0


def test_files_that_are_named_exist() -> None:
    """Every file and module that the README names exists."""
    for name in re.findall(r"`((?:notes|chatroom|server|client|views|tests|\.ci)/[\w./-]*)`", README):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\((?!https?://)([^)]+)\)", README):
        assert (ROOT / name).exists(), name


def functions_on_the_path() -> list[tuple[str, str]]:
    """File and name of each function in the table below `<!-- path -->`."""
    table = README.split("<!-- path -->\n")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `([\w/]+\.py)`: ([^|]+) \|", table, re.M)
    assert len(rows) == table.count("\n") - 1, "a row names no function"
    return [(path, name) for path, names in rows for name in re.findall(r"`(\w+)`", names)]


def lines_of(path: str, name: str) -> int:
    """How many lines a function has, without its docstring."""
    assert (ROOT / path).exists(), f"the README names {path}"
    nodes = ast.walk(ast.parse((ROOT / path).read_text()))
    found = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    assert len(found) == 1, f"the README names {name} in {path}, which has {len(found)} of that name"
    (function,) = found
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    lines = len(range(function.lineno, (function.end_lineno or 0) + 1))
    return lines - (len(range(docstring.lineno, (docstring.end_lineno or 0) + 1)) if docstring else 0)


def test_the_path_through_the_code_is_short() -> None:
    """Every function of the ten-minute path exists, and together they are short enough for ten minutes."""
    lines = sum(lines_of(path, name) for path, name in functions_on_the_path())
    print(f"the path through the code has {lines} lines")
    assert 100 < lines <= 215


def test_slash_commands() -> None:
    """The README names exactly the slash commands of server and client."""
    from chatroom.commands import COMMANDS as of_server
    from client.local_commands import WORDS

    line = next(line for line in README.splitlines() if line.startswith("In the chat:"))
    named = set(re.findall(r"`(/[a-z]+)`", line)) - {"/x"}
    rows = re.findall(r"^\| (`/.*?) \|", README.partition("## Several channels")[2], re.M)
    named |= set(re.findall(r"`(/[a-z]+(?: [a-z]+)?)", " ".join(rows)))
    assert named - {"/part"} == {*of_server, *WORDS} - {"/part"}


def test_bot() -> None:
    """The README's bot, unchanged but for the port, answers on a real server."""
    code = block("bot")
    assert len(code.splitlines()) <= 10
    with running() as app:
        port = port_of(app)
        bots: list[Client] = []

        class Bot(Client):
            """A client that the test can find, to close it."""

            def __enter__(self) -> Client:
                bots.append(self)
                return super().__enter__()

        given, _, code = code.replace("5050", str(port)).partition("\n")
        wanted = given.removeprefix("from client import ").split(", ")
        names = {name: getattr(client, name) for name in wanted}
        bot = threading.Thread(target=lambda: exec(code, {**names, "Client": Bot}), name="bot")
        with Client(port=port, name="ann") as ann:
            bot.start()
            eventually(lambda: bots and bots[0].connected, "the bot did not come in")
            ann.say("hello")
            for event in ann:
                if event.author == "echo" and event.kind is EventKind.SAID:
                    assert event.text == "ann said: hello"
                    break
            bots[0].close()
            bot.join(5)


@pytest.mark.slow
def test_names_that_a_bot_cannot_have(tmp_path: Path) -> None:
    """The names that the README forbids a bot's file are just those with which it cannot run."""
    told = re.search(r"[^.]*file[^.]*neither ([^:]*):", README.partition("## A bot")[2])
    assert told
    forbidden = set(re.findall(r"`(\w+)\.py`", told[1]))
    packages = {"client", "chatroom", "server", "views"}
    assert forbidden and forbidden <= packages
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    for name in sorted(packages | {"bot"}):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(block("bot").replace("5050", str(port)))
        errors = subprocess.run(
            [sys.executable, f"{name}.py"], cwd=folder, capture_output=True, text=True
        ).stderr.splitlines()
        if name in forbidden:
            assert errors[-1].startswith("ImportError: cannot import name 'Client' from "), errors
        else:  # it has found its modules, and misses nothing but a server
            assert len(errors) == 1 and errors[0].startswith(f"{name}.py: "), errors


@pytest.mark.slow
def test_types_reach_a_bot(tmp_path: Path) -> None:
    """In the environment that the README makes, mypy knows the types of `client` in a file anywhere."""
    (tmp_path / "bot.py").write_text(block("bot"))
    (tmp_path / "wrong.py").write_text(block("bot").replace('"echo"', "7"))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "bot.py", "wrong.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    errors = [line for line in checked.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, checked.stdout + checked.stderr
    assert errors[0].startswith("wrong.py:") and '"name"' in errors[0]
