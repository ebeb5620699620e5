"""A person at a terminal: keys in, screen out, from outside the process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest

from client.interactive import ask_name, can_paint
from tests.client.pseudo_terminal import ROOT, PseudoTerminal, in_words, python
from tests.support.patience import PROGRAM_PATIENCE, eventually


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where the stage writes what was said."""
    return tmp_path / "said"


def staged(record: Path, *options: str, **environment: str) -> PseudoTerminal:
    terminal = PseudoTerminal(python("tests.client.stage", record, *options), **environment)
    terminal.see("ann>")
    return terminal


def bottom(rows: list[str]) -> str:
    """The input line."""
    return next(row for row in reversed(rows) if row)


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_a_half_typed_line_survives_what_others_say(record: Path, repaint: str) -> None:
    """Lines of others come above; the half-typed line and its cursor stay, and it can still be sent."""
    with staged(record, repaint) as terminal:
        terminal.type("news 1\rhalf-typed\x1b[D\x1b[D")
        rows = terminal.see(lambda rows: bottom(rows) == "ann> half-typed" and "bob news 0" in in_words(rows))
        assert rows[terminal.screen.cursor.y] == "ann> half-typed"
        assert terminal.screen.cursor.x == len("ann> half-typ")
        terminal.type("XX\r")
        terminal.see("ann half-typXXed")
        terminal.type("\x03\x03")
        assert terminal.wait() == 0
        assert record.read_text() == "news 1\nhalf-typXXed\n"


@pytest.mark.parametrize(
    "leaving", ["\x04", "\x03\x03", "half\x03\x03\x03", "/quit\r", "lose\r\x04"], ids=ascii
)
def test_the_terminal_is_given_back(record: Path, leaving: str) -> None:
    """After leaving, the terminal has the modes that it had, and pastes are not marked any more."""
    with staged(record) as terminal:
        assert terminal.modes() != terminal.modes_before
        assert "\x1b[?2004h" in terminal.output
        terminal.type(leaving)
        assert terminal.wait() == 0
        assert terminal.modes() == terminal.modes_before
        assert terminal.output.rindex("\x1b[?2004l") > terminal.output.rindex("\x1b[?2004h")
        assert terminal.output.endswith("\x1b[?2004l")


def test_the_terminal_is_given_back_after_a_crash(record: Path) -> None:
    """After an exception the terminal has its modes back."""
    with staged(record) as terminal:
        terminal.type("crash\r")
        assert terminal.wait() == 1
        assert terminal.modes() == terminal.modes_before
        assert "RuntimeError: this client is broken" in terminal.output
        assert terminal.output.rindex("\x1b[?2004l") > terminal.output.rindex("\x1b[?2004h")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_terminal_is_given_back_after_a_signal(record: Path, number: signal.Signals) -> None:
    """After SIGTERM, SIGHUP or SIGINT the terminal has its modes back; the exit code is 128 + signal."""
    with staged(record) as terminal:
        terminal.type("half")
        terminal.see("ann> half")
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        assert terminal.modes() == terminal.modes_before
        assert terminal.output.endswith("\x1b[?2004l")


def test_a_closed_window_ends_the_program(record: Path) -> None:
    """The client ends when its terminal is closed."""
    with staged(record) as terminal:
        terminal.hang_up()
        # 120: it left in order, and Python could not flush what it still had to say to nobody.
        assert terminal.process.wait(PROGRAM_PATIENCE) in (0, 1, 120, 129)


IGNORING_HANGUP = ("sh", "-c", 'trap "" HUP; exec "$@" 2>"$ERRORS"', "sh")


@pytest.mark.parametrize(("term", "news"), [("xterm", "news 4"), ("dumb", "bob: news")])
def test_a_closed_window_is_no_traceback(record: Path, term: str, news: str) -> None:
    """A client ends without a word when its terminal is gone, also one that was started with nohup."""
    command = [*IGNORING_HANGUP, *python("tests.client.stage", record)]
    errors = record.with_name("errors")
    with PseudoTerminal(command, TERM=term, ERRORS=str(errors)) as terminal:
        terminal.see("you are ann")
        terminal.type("flood\r")
        terminal.see(news)
        os.close(terminal.slave)
        terminal.slave = -1
        terminal.hang_up()
        assert terminal.process.wait(PROGRAM_PATIENCE) in (0, 128 + signal.SIGHUP)
    assert errors.read_text() == ""


@pytest.mark.parametrize(
    ("term", "news", "said"), [("xterm", "news 899", "ann said"), ("dumb", "bob: news 899", "said")]
)
def test_a_terminal_left_non_blocking(record: Path, term: str, news: str, said: str) -> None:
    """When another program has left the terminal non-blocking, all is read and printed as usual."""
    with PseudoTerminal(python("tests.client.stage", record), TERM=term) as terminal:
        os.set_blocking(terminal.slave, False)
        terminal.see("you are ann")
        os.set_blocking(terminal.slave, False)
        terminal.type("news 900\r")  # more than the terminal takes at once
        terminal.see(news)
        terminal.type("said\r")
        terminal.see(said)
        terminal.type("/quit\r")
        assert terminal.wait() == 0


def test_a_locale_that_lacks_a_character(record: Path) -> None:
    """On a dumb terminal a character that the locale lacks is a question mark, and the talk goes on."""
    command = python("tests.client.stage", record)
    with PseudoTerminal(command, TERM="dumb", PYTHONIOENCODING="ascii:strict") as terminal:
        terminal.see("you are ann")
        terminal.type("euro\r")
        terminal.see("bob: 5 ?")
        terminal.type("/quit\r")
        assert terminal.wait() == 0


def test_ctrl_z_and_back(record: Path) -> None:
    """The shell gets a sane terminal, and on return all is there again, the half-typed line too."""
    command = " ".join(python("tests.client.stage", record))
    script = f"set -m; {command}; echo stopped $?; stty -a | grep -o -- '-*icanon'; read x; fg"
    with PseudoTerminal(["bash", "-c", script]) as terminal:
        terminal.see("ann>")
        terminal.type("half\x1a")
        terminal.see(lambda rows: "icanon" in rows)
        assert "stopped 148" in terminal.screen.rows()
        assert "ann> half" not in terminal.screen.rows()
        terminal.type("\r")
        terminal.see("ann> half")
        terminal.type("-typed\r")
        terminal.see("ann half-typed")
        terminal.type("\x04")
        assert terminal.wait() == 0
        assert terminal.modes()[3] == terminal.modes_before[3]


def test_ctrl_z_without_a_shell_changes_nothing(record: Path) -> None:
    """Without a shell that could continue it, Ctrl-Z does not stop the program."""
    with staged(record) as terminal:
        terminal.type("half\x1a-typed\r")
        terminal.see("ann half-typed")


def test_continued_after_a_stop_from_outside(record: Path) -> None:
    """After SIGSTOP, changed modes and SIGCONT the client sets raw mode and paints the screen again."""
    import termios

    with staged(record) as terminal:
        terminal.type("half")
        terminal.see("ann> half")
        raw = terminal.modes()
        terminal.signal(signal.SIGSTOP)
        termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.modes_before)
        terminal.screen.feed("\x1b[2J\x1b[Hsomething else\r\n")
        terminal.signal(signal.SIGCONT)
        terminal.see("ann> half")
        assert terminal.modes() == raw


@pytest.mark.parametrize("end", ["crash\r", "\x04", signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_title_is_given_back(record: Path, end: str | signal.Signals) -> None:
    """With --title the window tells the place; however the client ends, it has its own title again."""
    with staged(record, "around", "title") as terminal:
        assert "title #stage" in terminal.screen.obeyed
        if isinstance(end, str):
            terminal.type(end)
        else:
            terminal.signal(end)
        terminal.wait()
        assert terminal.screen.obeyed == ["title #stage", "title "]
        assert terminal.output.count("\x1b[22;2t") == terminal.output.count("\x1b[23;2t") == 1
        assert terminal.output.rindex("\x1b[23;2t") > terminal.output.rindex("\x1b]2;")


def test_the_title_at_ctrl_z(record: Path) -> None:
    """The shell has its title while it has the terminal."""
    command = " ".join(python("tests.client.stage", record, "around", "title"))
    script = f"set -m; {command}; echo stopped; read x; fg"
    with PseudoTerminal(["bash", "-c", script]) as terminal:
        terminal.see("ann>")
        terminal.type("\x1a")
        terminal.see("stopped")
        assert terminal.screen.obeyed == ["title #stage", "title "]
        terminal.type("\r")
        terminal.see("ann>")
        terminal.type("said\r")
        terminal.see("ann said")
        assert terminal.screen.obeyed == ["title #stage", "title ", "title #stage"]
        terminal.type("\x04")
        assert terminal.wait() == 0
        assert terminal.screen.obeyed[-1] == "title "


def test_a_resize_is_followed(record: Path) -> None:
    """The window gets smaller and larger while something is typed: the line is whole, and there is one."""
    with staged(record) as terminal:
        terminal.type("news 30\r" + "x" * 50)
        terminal.see(lambda rows: bottom(rows).endswith("x" * 50))
        for columns, lines in ((20, 10), (90, 20)):
            terminal.resize(columns, lines)
            terminal.see(lambda rows: "".join(rows).count("x") == 50 and "news" in rows[0])
            assert sum("ann>" in row for row in terminal.screen.rows()) == 1


def test_no_key_is_lost_in_a_flood(record: Path) -> None:
    """Characters of all lengths, byte by byte, while somebody talks without end: all are sent."""
    lines = [f"line {n} äöü 漢字 👩 end" for n in range(20)]
    with staged(record) as terminal:
        terminal.type("flood\r")
        terminal.see("news 4")
        for line in lines:
            for byte in f"{line}x\x7f\r".encode():
                terminal.type(bytes([byte]))
        terminal.see(lambda rows: len(record.read_text().splitlines()) == 1 + len(lines))
        terminal.type("\x03\x03")
        assert terminal.wait() == 0
    assert record.read_text().splitlines() == ["flood", *lines]


def test_idle_is_silent(record: Path) -> None:
    """When nothing happens, nothing is written."""
    with staged(record) as terminal:
        terminal.drain(0.1)
        assert terminal.drain(0.4) == ""


def test_a_paste_is_not_sent(record: Path) -> None:
    """Only Enter sends; a pasted text of several lines becomes one message."""
    with staged(record) as terminal:
        terminal.type("\x1b[200~one\rtwo\r\x1b[201~")
        terminal.see("ann> one⏎two")
        assert not record.exists()
        terminal.type("\r")
        terminal.see("ann one")
    assert record.read_text() == "one\ntwo\n"


def test_a_long_text_is_shown_on_demand(record: Path) -> None:
    """/show prints all of a text that was cut; a wrong number is explained."""
    with staged(record) as terminal:
        terminal.type("\x1b[200~" + "\n".join(f"line {n}" for n in range(99)) + "\x1b[201~\r")
        terminal.see("49 more lines: /show 1")
        terminal.type("/show #x\r")
        terminal.see("/show N prints all of the text")
        terminal.type("/show\r")
        terminal.see(lambda rows: " " * 22 + "line 98" in rows)
        terminal.type("/show 2\r")
        terminal.see("there is no such text any more")


def test_only_known_sequences_are_written(record: Path) -> None:
    """The cursor, erasing, wrapping and marked pastes: no synchronized output, regions, queries, modes."""
    with staged(record) as terminal:
        terminal.type("news 20\rhalf 漢字 \u0915\u094d\u0937\x1b[D")
        terminal.see("news 19")
        terminal.resize(50, 10)
        terminal.type("\x15/who\r\x0c")
        terminal.see("asked: /who")
        terminal.type("\x03\x03")
        assert terminal.wait() == 0
        found = set(re.findall(r"\x1b(?:\[[0-9;]*[A-Za-ln-z]|\[\?[0-9]+[a-z]|[^\[])", terminal.output))
    moves = {re.sub("[0-9;]+", "N", sequence) for sequence in found if "?" not in sequence}
    assert moves <= {"\x1b[K", "\x1b[J", "\x1b[H", "\x1b[NA", "\x1b[NC", "\x1b[NB", "\x1b[ND"}
    assert {sequence for sequence in found if "?" in sequence} == {
        "\x1b[?7l",
        "\x1b[?7h",
        "\x1b[?2004h",
        "\x1b[?2004l",
    }


def test_slashes(record: Path) -> None:
    """/x is asked of the server, //x is said as /x, /clear and /quit are the terminal's own."""
    with staged(record) as terminal:
        terminal.type("/who me\r")
        terminal.see("-- /who asked: /who me")
        terminal.type("//who\r")
        terminal.see("ann /who")
        terminal.type("/help\r")
        terminal.see("/login")
        terminal.see("asked: /help")
        terminal.type("/wh\t")  # the answer to /help has taught it
        terminal.see("ann> /who")
        terminal.type("\x03/clear\r")
        terminal.see(lambda rows: [row for row in rows if row] == ["#stage, 2 here", "ann>"])
        terminal.type("/quit\r")
        assert terminal.wait() == 0
    assert record.read_text() == "/who\n"


def test_a_line_that_is_not_taken_is_given_back(record: Path) -> None:
    """When too many lines wait, nothing blocks and nothing is lost: the line is in the input again."""
    with staged(record) as terminal:
        terminal.type("full\rprecious\r")
        terminal.see("not sent: too many lines wait to be confirmed")
        terminal.see("ann> precious")


def test_a_refused_line_is_explained(record: Path) -> None:
    """The server's words come instead of the line, and name it."""
    with staged(record) as terminal:
        terminal.type("refuse\rnext\r")
        rows = terminal.see("ann next")
        told = [row.partition("-- ")[2].strip() for row in rows]
        assert told[3] == "you are muted: refuse (\u2191 brings it back)"


# --- passwords ---------------------------------------------------------------------------------------------

SECRET = "correct horse"


@pytest.mark.parametrize("typed", [SECRET, f"\x1b[200~{SECRET}\x1b[201~"], ids=["typed", "pasted"])
def test_a_password_is_asked_for_and_not_shown(record: Path, typed: str) -> None:
    """/register asks twice; nothing of it is written to the terminal, and no key brings it back."""
    with staged(record) as terminal:
        terminal.type("/register\r")
        terminal.see("a password for ann, at least 8 characters (not shown, Ctrl-C cancels):")
        terminal.type(f"{typed}\r")
        terminal.see("the same again (not shown, Ctrl-C cancels):")
        terminal.type(f"{typed}\r")
        terminal.see("-- /register asked: something secret")
        assert record.read_text() == "/register correct%20horse\n"
        for key in ("\x1b[A", "\x1f", "\x19"):
            terminal.type(key)
        terminal.type("\x15news 1\r")
        terminal.see("bob news 0")
        terminal.type("\x04")
        assert terminal.wait() == 0
        assert "horse" not in terminal.output


def test_typing_ahead_says_no_password(record: Path) -> None:
    """Who types command, old and new password without waiting for the questions says nothing to anybody."""
    with staged(record) as terminal:
        terminal.type("/passwd\rold\rnewhorse\rnewhorse\rhello\r")
        terminal.see("ann hello")
        assert record.read_text() == "/passwd old newhorse\nhello\n"
        assert "newhorse" not in "".join(terminal.screen.rows())


def test_two_passwords_that_differ(record: Path) -> None:
    """It is asked for again, and who types it once more than that does not say it to anybody."""
    with staged(record) as terminal:
        terminal.type("/register\rlonghorse\rlonghouse\r")
        terminal.see("the two are not the same: a password for ann")
        terminal.type("longhorse\rlonghouse\rlonghorse\rlonghouse\rlonghorse")
        terminal.see("not sent, and not asked again: press Enter")
        terminal.type("\r")
        terminal.see("-- not sent: the two are not the same")
        assert not record.exists() and "longhorse" not in terminal.output


@pytest.mark.parametrize("key", ["\x03", "\x04", "\r"])
def test_a_question_that_is_not_answered(record: Path, key: str) -> None:
    """Ctrl-C, Ctrl-D or empty lines: nothing is sent, and the chat goes on."""
    with staged(record) as terminal:
        terminal.type(f"/unregister\r{4 * key if key == chr(13) else key}")
        terminal.see("-- not sent: nothing was typed" if key == "\r" else "-- nothing was sent")
        terminal.type("hello\r")
        terminal.see("ann hello")


def test_events_come_during_a_question(record: Path) -> None:
    """Lines of others come above the question, and Ctrl-Z and resizes leave it as it is."""
    with staged(record) as terminal:
        terminal.type("flood\r/register\rsec")
        terminal.see("news 4")
        rows = terminal.see("a password for ann, at least 8 characters (not shown, Ctrl-C cancels):")
        terminal.resize(50, 10)
        terminal.type("\x1aretive\r")
        terminal.see("the same again (not shown, Ctrl-C cancels):")
        terminal.type("secretive\r")
        terminal.see(lambda rows: bottom(rows) == "ann>")
        assert "secret" in record.read_text()
        assert not any(
            "sec" in row.replace("something secret", "") for row in [*rows, *terminal.screen.rows()]
        )


def test_a_password_in_the_line_itself(record: Path) -> None:
    """It is sent, and Up does not bring it back; behind blanks it is a command, too."""
    with staged(record) as terminal:
        terminal.type("hello\r/register my secret\r")
        terminal.see("-- /register asked: something secret")
        assert record.read_text() == "hello\n/register my%20secret\n"
        terminal.type("\x1b[A")
        terminal.see("ann> hello")
        terminal.type("\x15 /register twice\r")
        eventually(lambda: "/register twice\n" in record.read_text(), "the command was not sent")
        terminal.type("\x15//register said\r")
        terminal.see("/register said")
        assert "said twice" not in record.read_text()


def test_a_password_that_must_not_be_sent(record: Path) -> None:
    """The reason is told; the line is not put back, because the secret is in it."""
    with staged(record) as terminal:
        terminal.type("/unregister secret\r")
        terminal.see("-- not sent: not encrypted")
        assert bottom(terminal.screen.rows()) == "ann>"


def test_logging_in(record: Path) -> None:
    """/login asks for the password; who the user is then stands in a line and in the prompt."""
    with staged(record) as terminal:
        terminal.type("/login dora\rwrong\r")
        terminal.see("-- not logged in: wrong")
        terminal.type("half")
        terminal.type("\x15/login dora\r")
        terminal.see("the password of dora (not shown, Ctrl-C cancels):")
        terminal.type("secret\r")
        terminal.see("-- you are dora, logged in")
        terminal.see(lambda rows: bottom(rows) == "dora>")
        terminal.type("/login\r\r")
        terminal.see(lambda rows: "None" in record.read_text())
    assert record.read_text() == "login dora wrong\nlogin dora secret\nlogin dora None\n"


def test_other_channels_are_a_number(record: Path) -> None:
    """How many lines came elsewhere stands in the status, and gives way to trouble with the connection."""
    with staged(record) as terminal:
        terminal.type("else\r")
        terminal.see("#stage, 2 here \u00b7 unread: #lunch 1,200, #tea 1")
        terminal.type("lose\r")
        terminal.see("reconnecting in 2 s")
        assert "unread" not in str(terminal.screen.rows())


def test_members_are_completed(record: Path) -> None:
    """Tab completes a member who has said nothing yet."""
    with staged(record) as terminal:
        terminal.type("ev\t")
        terminal.see("ann> eve:")


def test_another_history_is_one_line(record: Path) -> None:
    """What the server cannot give again, and lines of unknown fate, are told in one line each."""
    with staged(record) as terminal:
        terminal.type("slow\rchange\r")
        rows = terminal.see(lambda rows: "welcome" in str(rows) and "--:-- change" not in in_words(rows))
        told = [row.partition("-- ")[2].strip() for row in rows if "-- " in row]
        assert told[3:7] == ["back again", "another history", "not known: change", "welcome"]
        terminal.type("ev\t!")
        terminal.see("ann> ev!")  # her name is of the other history


def test_lines_on_their_way_are_shown(record: Path) -> None:
    """A line on its way stands above the input without a time; on leaving it is shown as not stored."""
    with staged(record) as terminal:
        terminal.type("slow\rnext\r")
        terminal.see("--:-- next")
        terminal.type("\x03\x03")
        assert terminal.wait() == 0
        assert "-- not stored: next" in in_words(terminal.screen.rows())


def test_the_half_typed_line_survives_a_reconnect(record: Path) -> None:
    """Lost, back again, missed lines below their rule; what was being typed is untouched."""
    with staged(record) as terminal:
        terminal.type("blip\rhalf")
        rows = terminal.see(lambda rows: bottom(rows) == "ann> half" and "back again" in str(rows))
        assert [row for row in rows if row][-2:] == ["#stage, 2 here", "ann> half"]
        assert [row[6:] for row in rows if row][4:-2] == [
            "--              connection lost: the cable was cut",
            "--              back again",
            "--------------- missed while you were away",
            "bob             news 0",
            "                news 1",
        ]


@pytest.mark.slow
def test_the_next_try_is_counted_down(record: Path) -> None:
    """Second by second, while a half-typed line stays as it is and the chat is not painted again."""
    with staged(record) as terminal:
        terminal.type("said\rlose\rhalf")
        terminal.see("reconnecting in 2 s: refused")
        terminal.see("ann> half")
        before = len(terminal.output)
        terminal.see("reconnecting in 1 s: refused")
        rows = terminal.see("reconnecting now: refused")
        assert "ann> half" in rows
        assert "said" not in terminal.output[before:]


@pytest.mark.parametrize("keys", ["\x03\x03", "\x04", "half\x03\x03\x03"])
def test_leaving_while_reconnecting(record: Path, keys: str) -> None:
    """Ctrl-C and Ctrl-D stop retrying at once."""
    with staged(record) as terminal:
        terminal.type("lose\r")
        terminal.see("reconnecting in 2 s")
        terminal.type(keys)
        assert terminal.wait() == 0


def test_the_end_is_explained(record: Path) -> None:
    """When the client ends by itself, the reason stands below the conversation and the exit code is not 0."""
    with staged(record) as terminal:
        terminal.type("end\r")
        assert terminal.wait() == 1
        assert "chatroom-client: bob removed you" in terminal.screen.rows()
        assert terminal.modes() == terminal.modes_before


def test_pipes_get_plain_lines(record: Path) -> None:
    """Without any terminal nothing but text is written, and the end of the input is the end."""
    result = subprocess.run(
        python("tests.client.stage", record),
        input=b"one\n\ntwo",
        capture_output=True,
        cwd=ROOT,
        timeout=PROGRAM_PATIENCE,
    )
    assert result.returncode == 0
    assert b"\x1b" not in result.stdout
    assert b"ann: one" in result.stdout
    assert record.read_text() == "one\ntwo\n"


def test_asking_for_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """ask_name offers the login name and shows the reason of a refusal with escape sequences visible."""
    with patch("builtins.input", return_value="") as asked:
        assert ask_name("login") == "login"
        asked.assert_called_once_with("Your name [login]: ")
    assert "Enter takes the one in brackets" in capsys.readouterr().out
    with patch("builtins.input", return_value=" bob "):
        assert ask_name("login", "the name is taken\x1b[2J") == "bob"
    assert capsys.readouterr().out == "-- the name is taken␛[2J\n"


def test_a_pipe_cannot_be_painted_on() -> None:
    """Both ends must be terminals."""
    assert not can_paint()
