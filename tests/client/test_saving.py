"""/save: what goes into the file, and what is never done to files that are there."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind, Extra, extra_row
from client.saving import text_number, write_new
from tests.client.fake_server import FakeServer
from tests.client.script import Step
from tests.client.test_conversation import EVE, User
from tests.support.events import BOB, NOON, said
from views.limits import ITEM_LINES

CODE = "def f(x):\n\treturn x  # \u4e2d\u6587\n\n"
LONG = "\n".join(f"line {number}" for number in range(ITEM_LINES + 10))


@pytest.fixture
def user() -> Iterator[User]:
    with FakeServer() as server:
        user = User(server)
        yield user
        server.dismiss(user.client)


def types(text: str) -> Step:
    return f"{text}\r".encode()


def test_the_latest_block(user: User, tmp_path: Path) -> None:
    """The file has the text as it was said: tabs, blanks and line ends."""
    file = tmp_path / "a file.py"
    user.play(
        types(f"/save {file}"),
        "nobody has said a text of several lines yet",
        user.happens(said(101, CODE), said(102, "one line")),
        "one line",
        types(f"/save {file}"),
        f"-- /save saved the latest text of bob, 3 lines ({len(CODE.encode())} bytes), to",
    )
    assert file.read_bytes() == CODE.encode()


def test_a_text_by_its_number(user: User, tmp_path: Path) -> None:
    """The number that stands below it, as for /show; a number that is not there, and what is no number."""
    file = tmp_path / "long"
    user.play(
        user.happens(said(101, LONG), said(102, CODE, "eve", person=EVE)),
        "10 more lines: /show 1",
        "return x",
        types(f"/save 1 {file}"),
        f"saved text 1 of bob, {ITEM_LINES + 10} lines",
        types(f"/save 2 {file}"),
        "no text that was cut has the number 2; /save FILE takes the latest",
        types("/save"),
        "FILE takes the latest text of several lines",
        b"/clear\r",
        types("/save 1"),
        "usage: /save FILE takes the latest text of several lines",
    )
    assert file.read_text() == LONG + "\n"


def test_no_file_is_overwritten(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even an empty one, a folder, or what a link leads to; each is one clear line."""
    there, link = tmp_path / "there", tmp_path / "link"
    monkeypatch.chdir(tmp_path)
    there.write_text("mine")
    link.symlink_to(tmp_path / "target")
    user.play(
        user.happens(said(101, CODE)),
        "return x",
        types("/save there"),
        "is there already; choose another name",
        b"/clear\r",
        types("/save link"),
        "is there already",
        b"/clear\r",
        types("/save ."),
        "is there already",
    )
    assert there.read_text() == "mine" and not (tmp_path / "target").exists()


def test_errors_are_one_line(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not there, a name that is too long: the reason, and no file."""
    monkeypatch.chdir(tmp_path)
    user.play(
        user.happens(said(101, CODE)),
        "return x",
        types("/save none/x"),
        "-- /save not saved, No such file or directory: none/x",
        types(f"/save {'x' * 300}"),
        "-- /save not saved, File name too long:",
    )
    assert [*tmp_path.iterdir()] == []


def test_home(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    user.play(user.happens(said(101, CODE)), "return x", types("/save ~/x.py"), "of bob, 3 lines")
    assert (tmp_path / "x.py").read_text() == CODE


def test_control_characters_are_kept_and_told(user: User, tmp_path: Path) -> None:
    """A file is no terminal: the text is exact. Who might print it raw is warned."""
    file, text = tmp_path / "x", "one\r\n\x1b[2Jtwo"
    user.play(
        user.happens(said(101, text)),
        "two",
        types(f"/save {file}"),
        "control characters, so look at it in an editor",
    )
    assert file.read_bytes() == text.encode() + b"\n"


def test_the_latest_block_of_a_person(user: User, tmp_path: Path) -> None:
    """Somebody else's later one is not in the way; who has said none is told of."""
    file = tmp_path / "x"
    user.play(
        user.happens(said(101, CODE), said(102, "one\ntwo", "eve", person=EVE)),
        "two",
        types(f"/save bob {file}"),
        "saved the latest text of bob, 3 lines",
        types(f"/save @bob {file}2"),
        f"{file}2",
        types(f"/save ann {file}"),
        "-- /save ann has said no text of several lines",
    )
    assert {path.name for path in tmp_path.iterdir()} == {"x", "x2"} and file.read_bytes() == CODE.encode()


def test_what_the_program_told_is_not_what_somebody_said(user: User, tmp_path: Path) -> None:
    """A page that was cut on the screen has a number; /save without one takes what somebody has said."""
    file, entry = tmp_path / "x", ["/x", "x\n" * ITEM_LINES, "", "", "", ""]
    user.play(
        user.happens(said(101, CODE)),
        "return x",
        b"/help x\r",
        user.answers("/help x", json.dumps([entry])),
        "more lines: /show 1",
        types(f"/save {file}"),
        "saved the latest text of bob, 3 lines",
    )
    assert file.read_bytes() == CODE.encode()


@pytest.mark.parametrize("typed", ["#club", "#club x"])
def test_a_channel_is_not_saved(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """It is told how else to get one into a file, and no file of that name is made."""
    monkeypatch.chdir(tmp_path)
    user.play(
        user.happens(said(101, CODE)),
        "return x",
        types(f"/save {typed}"),
        "-- /save takes a text, not a channel",
        "chatroom-client HOST --name log --channel club --history 1000 </dev/null",
    )
    assert [*tmp_path.iterdir()] == []


def test_a_name_alone_is_no_file(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names somebody means a text of that person, so the file is missing."""
    monkeypatch.chdir(tmp_path)
    user.play(user.happens(said(101, CODE)), "return x", types("/save bob"), "/save NAME FILE")
    assert [*tmp_path.iterdir()] == []


def test_the_latest_text_of_a_person_is_shown(user: User) -> None:
    """/show takes a name, too; of who has said none it says so, and what tells more."""
    user.play(
        user.happens(said(101, CODE), said(102, "one line", "eve", person=EVE)),
        "one line",
        b"/clear\r/show @bob\r",
        "return x",
        b"/show eve\r",
        "eve has said no text of several lines; /whois eve tells who that is",
        b"/show #general\r",
        "-- /show N prints all",
    )


def test_nothing_of_an_erased_person(user: User, tmp_path: Path) -> None:
    """Neither by number nor as the latest block."""
    erased = Event(103, NOON, EventKind.ERASED, "", "", "", extra=extra_row(Extra.TARGET, BOB, 4))
    user.play(
        user.happens(said(101, LONG), said(102, CODE), erased),
        "is erased",
        types(f"/save 1 {tmp_path}/x"),
        "there is no such text any more",
        types(f"/save {tmp_path}/x"),
        "nobody has said a text of several lines yet",
    )
    assert [*tmp_path.iterdir()] == []


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of a text is nothing that somebody wants to find later."""
    file = tmp_path / "x"

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(path: Path, mode: str) -> Full:
        path.touch(exist_ok=False)
        return Full()

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OSError, match="No space"):
        write_new(file, b"text")
    assert not file.exists()


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("3", 3),
        ("0", 0),
        ("999999999", 999_999_999),
        ("1000000000", None),
        ("-1", None),
        ("\u0663", None),
        ("", None),
    ],
)
def test_numbers(word: str, number: int | None) -> None:
    """Only short runs of digits are numbers."""
    assert text_number(word) == number
