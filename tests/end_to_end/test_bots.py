"""The bots of notes/bots, as they stand there, on a real server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

import pytest

from client import Client, Code, EventKind, Form
from tests.end_to_end.in_process import port_of, running
from tests.end_to_end.programs import ROOT
from tests.support.patience import PATIENCE, PROGRAM_PATIENCE, eventually

BOTS = ROOT / "notes" / "bots"


@contextmanager
def bot(name: str, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A running bot; it ends in order at SIGTERM."""
    command = [sys.executable, str(BOTS / name), "--server", f"127.0.0.1:{port}", *options]
    pipe, env = subprocess.PIPE, {**os.environ, "PYTHONPATH": str(ROOT)}  # else: what is installed
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env) as program:
        try:
            yield program
        finally:
            program.send_signal(signal.SIGTERM)
            _, complaint = program.communicate(timeout=PROGRAM_PATIENCE)
        assert "Traceback" not in complaint, complaint


def next_line(reader: Client) -> tuple[str, str, int]:
    """Author, text and form of the next line that is said."""
    return next((one.author, one.text, one.form) for one in reader if one.kind is EventKind.SAID)


@pytest.mark.parametrize("name", ["announcer.py", "transcript.py"])
def test_a_bot_is_short(name: str) -> None:
    """Each has less than sixty lines."""
    assert len((BOTS / name).read_text().splitlines()) < 60


@pytest.mark.slow
def test_lines_of_a_pipe_are_announced() -> None:
    """Each line of the input is said, but no blank one; at its end the bot ends."""
    with running() as app, Client(port=port_of(app), name="ann", channel="#build") as ann:
        with bot("announcer.py", port_of(app), "--channel", "build") as program:
            program.communicate("one\n\ntwo\n", timeout=PROGRAM_PATIENCE)
            assert program.returncode == 0
        assert [next_line(ann) for _ in range(2)] == [
            ("announcer", text, Form.BOT) for text in ("one", "two")
        ]


@pytest.mark.slow
def test_what_is_posted_is_announced() -> None:
    """A POST on loopback is said; what is empty, too long, of no length or from a web page is not."""
    with (
        running() as app,
        Client(port=port_of(app), name="ann", channel="#build") as ann,
        bot("announcer.py", port_of(app), "--channel", "build", "--port", "0") as program,
    ):
        assert program.stdout is not None
        port = int(program.stdout.readline().rsplit(":", 1)[1])

        def post(body: bytes, **headers: str) -> int:
            with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as hook:
                hook.request("POST", "/", body, headers)
                return hook.getresponse().status

        assert post(b"red", Origin="http://evil.example") == 403
        assert post(b"x" * 16385) == 400
        assert post(b"") == 400
        assert post(b"", **{"Content-Length": "-1"}) == 400
        assert post("grün\nfertig".encode()) == 204
        assert [next_line(ann)[1] for _ in range(2)] == ["grün", "fertig"]


@pytest.mark.slow
def test_a_transcript_follows_the_channel(tmp_path: Path) -> None:
    """The page has what was said before and since, as it is now; no other channel, no markup of others."""
    page = tmp_path / "class.html"
    with running() as app, Client(port=port_of(app), name="ann", channels=("#class", "#tea")) as ann:
        ann.say("before")
        ann.say("secret", "#tea")
        ann.say("wrogn")
        ann.say("gone")
        ann.say("never seen")
        own = (event for event in ann if event.kind is EventKind.SAID)
        seqs = {event.text: event.seq for event in islice(own, 5)}
        ann.delete(seqs["never seen"])
        assert ann.flush(PATIENCE)
        with bot("transcript.py", port_of(app), str(page), "--channel", "class"):
            missing = "the history is not there"
            eventually(lambda: page.exists() and "gone" in page.read_text(), missing, PROGRAM_PATIENCE)
            ann.edit(seqs["wrogn"], "right <b>\nnow")
            ann.delete(seqs["gone"])
            ann.say("after")
            missing = "what was said since is not there"
            eventually(lambda: "after" in page.read_text(), missing, PROGRAM_PATIENCE)
    text = page.read_text()
    assert [line.partition("<b>ann</b> ")[2] for line in text.splitlines()[1:]] == [
        "before",
        "right &lt;b&gt;<br>now",
        "after",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("old", ["1 of another program\n2 of it\n", ""])
def test_a_page_with_lines_that_the_server_has_not_is_kept(tmp_path: Path, old: str) -> None:
    """A channel that has ended, or a mistyped one: the page is there under another name."""
    page = tmp_path / "class.html"
    with running() as app:
        with Client(port=port_of(app), name="ann", channel="#class") as ann:
            if old:
                page.write_text(old)
            else:
                ann.say("a year of lessons")
                assert ann.flush(PATIENCE)
                with bot("transcript.py", port_of(app), str(page), "--channel", "class"):
                    missing = "the history is not there"
                    eventually(
                        lambda: page.exists() and "lessons" in page.read_text(), missing, PROGRAM_PATIENCE
                    )
            before = page.read_text()
        aside = page.with_name("class.html.1")
        for _ in range(2):  # the second start finds its own page, and leaves it
            with bot("transcript.py", port_of(app), str(page), "--channel", "class"):
                eventually(lambda: aside.exists() and page.exists(), "nothing was kept", PROGRAM_PATIENCE)
        assert aside.read_text() == before
        assert not page.with_name("class.html.2").exists()


@pytest.mark.slow
def test_a_transcript_begins_anew_when_a_backup_was_put_back(tmp_path: Path) -> None:
    """While it runs: the page has what the server has now; the lines that are gone stand elsewhere."""
    data, page, copy = tmp_path / "history.db", tmp_path / "class.html", tmp_path / "copy.db"
    channel = "#general"
    with running(data=str(data)) as app, Client(port=port_of(app), name="ann", channel=channel) as ann:
        port = port_of(app)
        ann.say("before")
        assert ann.flush(PATIENCE)
    copy.write_bytes(data.read_bytes())
    with running(data=str(data), port=port) as app:
        with Client(port=port, name="ann", channel=channel) as ann:
            for number in range(5):
                ann.say(f"gone {number}")
            assert ann.flush(PATIENCE)
        program = bot("transcript.py", port, str(page))
        program.__enter__()
        try:
            eventually(lambda: page.exists() and "gone 4" in page.read_text(), "no page", PROGRAM_PATIENCE)
            app.close()
            with running(data=str(copy), port=port), Client(port=port, name="ann", channel=channel) as ann:
                ann.say("after")
                there = "the new history is not there"
                eventually(lambda: page.exists() and "after" in page.read_text(), there, PROGRAM_PATIENCE)
                texts = [line.partition("</b> ")[2] for line in page.read_text().splitlines()[1:]]
                assert texts == ["before", "after"]
                assert "gone 4" in page.with_name("class.html.1").read_text()
        finally:
            program.__exit__(None, None, None)


@pytest.mark.slow
def test_a_bot_goes_on_after_its_own_restart(tmp_path: Path) -> None:
    """The one in the notes, unchanged but for the port: each line once, also those said while it was away."""
    found = re.search(
        r"^<!-- goes-on -->\n```python\n(.*?)^```", (BOTS / "README.md").read_text(), re.M | re.S
    )
    assert found
    out = tmp_path / "out"

    @contextmanager
    def counter(port: int) -> Iterator[None]:
        (tmp_path / "counter.py").write_text(found[1].replace("5050", str(port)))
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "counter.py"]
        with (
            out.open("a") as file,
            subprocess.Popen(
                command, stdout=file, stderr=subprocess.DEVNULL, cwd=tmp_path, env=env
            ) as program,
        ):
            try:
                yield
            finally:
                program.terminate()  # it says goodbye: else a guest's name is held for a while

    def lines() -> list[str]:
        return out.read_text().splitlines()

    kept = tmp_path / "counter.json"
    with running() as app, Client(port=port_of(app), name="ann") as ann:
        with counter(port_of(app)):
            ann.say("one")
            eventually(lambda: lines() == ["ann one"], "it does not count", PROGRAM_PATIENCE)
            seq = next(event.seq for event in ann if event.text == "one")
            eventually(lambda: kept.exists() and json.loads(kept.read_text())[1] >= seq, "not kept")
        ann.say("two")
        assert ann.flush(PATIENCE)
        with counter(port_of(app)):
            ann.say("three")
            eventually(lambda: lines()[1:] == ["ann two", "ann three"], "not once each", PROGRAM_PATIENCE)
    with running() as app, counter(port_of(app)):
        eventually(lambda: "another history" in lines()[-1], "it is not told", PROGRAM_PATIENCE)


@pytest.mark.slow
def test_a_bot_has_the_options_of_the_client(tmp_path: Path) -> None:
    """Name, account and the rest; without a name, the next number makes room for a second one."""
    secret = tmp_path / "password"
    secret.write_text("long enough pw\n")
    secret.chmod(0o600)
    with running() as app, Client(port=port_of(app), name="ann", channel="#build") as ann:
        with Client(port=port_of(app), name="builder") as builder:
            assert builder.ask("/register long enough pw").check().code == Code.OK
        with Client(port=port_of(app), name="announcer"):
            for options in ((), ("--name", "builder", "--password-file", str(secret))):
                with bot("announcer.py", port_of(app), "--channel", "build", *options) as program:
                    program.communicate("one\n", timeout=PROGRAM_PATIENCE)
                    assert program.returncode == 0
        assert [next_line(ann)[0] for _ in range(2)] == ["announcer2", "builder"]
