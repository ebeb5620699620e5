"""/help at a terminal, and lines that call the user: against a server of packets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from chatroom.commands import COMMANDS as SERVERS
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.help_page import GROUP_OF, GROUPS, NARROW_COLUMNS, Entry
from chatroom.outcomes import Code
from chatroom.synonyms import SYNONYMS
from client.help import _group, _whole, entries_of, merged
from client.local_commands import COMMANDS
from client.secret_commands import SHAPES
from tests.client.fake_server import FakeServer
from tests.client.script import Absent
from tests.client.test_conversation import User, tea
from tests.support.events import BOB, GENERAL, NOON, said
from views import Depth
from views.formatting import Theme, answer_columns, format_item, page_columns
from views.item import Item

WHO = Entry("/who [#CHANNEL]", "list the members", "people", "/who #general", "/names /w")
JOIN = Entry("/join #CHANNEL [KEY]", "be in a channel, too", "channels", "/join #tea")
KICK = Entry("/kick NAME [REASON]", "put somebody out", "moderation", "/kick bob", "", "operators")


def rows(*entries: Entry) -> str:
    return json.dumps(entries)


@pytest.fixture
def user() -> Iterator[User]:
    with FakeServer() as server:
        user = User(server)
        yield user
        server.dismiss(user.client)


# --- help --------------------------------------------------------------------------------------------------


def test_one_page_for_both(user: User) -> None:
    """The client's commands and those of the server stand in the same groups; Tab knows the server's, too."""
    user.play(
        b"/help\r",
        user.answers("/help", rows(WHO, JOIN), words="as the server says it"),
        "talking /msg",
        "people /ignore /unignore /who",
        "/help join explains a command",
        Absent("as the server says it"),
        Absent("moderation"),
        b"/wh\t",
        "ann> /who",
    )


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_the_page_fits_the_screen(columns: int) -> None:
    """Groups begin in one column and commands in another; no row is so long that the screen would part it."""
    room = answer_columns(columns)
    entries = [command.entry for command in COMMANDS]
    head, *page = _whole(entries, room).split("\n")
    assert head == "all commands, by group:" and max(map(len, page)) <= room
    begins = {row.index("/") for row in page if row.startswith("  ")}
    assert begins == {len("  looking back  ") if room >= NARROW_COLUMNS else len("  ")}
    assert all(len(row) <= room for row in _group("talking", entries, room).split("\n"))


def test_the_page_in_words() -> None:
    """For whoever listens each group is one row."""
    page = _whole([command.entry for command in COMMANDS], None).split("\n")
    assert len(page) == 2 + len({command.group for command in COMMANDS})


def test_a_server_that_tells_less(user: User) -> None:
    """An older server has other rows: its words are shown below the client's own commands."""
    user.play(
        b"/help\r",
        user.answers(
            "/help", '[["/who [#CHANNEL]", "list"]]', words="/who [#CHANNEL]  list\n/stats  numbers"
        ),
        "talking /msg",
        "/who [#CHANNEL] list",
        b"/st\t",
        "ann> /stats",
    )


def test_a_server_without_help(user: User) -> None:
    """The client's own commands are shown even if the server knows no help."""
    words = "/help is no command"
    user.play(b"/help\r", user.answers("/help", "", Code.NO_SUCH_COMMAND, words), "talking /msg", words)


def test_help_about_one(user: User) -> None:
    """A command of the client's is explained at once, one of the server's by the server's row."""
    user.play(
        b"/help q\r",
        "/quit",
        "also: /q, /exit",
        b"/help /join\r",
        "for example: /join #lunch",
        b"/help kick\r",
        user.answers("/help kick", rows(KICK)),
        "for example: /kick bob",
        "only for operators",
        b"/help jion\r",
        user.answers("/help jion", '["/jion","/join"]', Code.NO_SUCH_COMMAND, "did you mean /join?"),
        "did you mean /join?",
    )


def test_help_about_a_group(user: User) -> None:
    """A group has the commands of both, with what they do."""
    user.play(
        b"/help people\r",
        user.answers("/help people", rows(WHO)),
        "/ignore NAME",
        "/who [#CHANNEL]",
        Absent("/quit"),
    )


def test_a_command_that_is_a_word_of_a_group(user: User) -> None:
    """/back is explained, not the group `looking back`."""
    back = Entry("/back", "tell that you are back", "people", "/back")
    user.play(
        b"/help back\r", user.answers("/help back", rows(back)), "tell that you are back", Absent("/grep")
    )


def test_help_about_the_keys(user: User) -> None:
    """The keys are explained without the server."""
    user.play(b"/help keys\r", "Alt-Enter makes a line end")


def test_the_clients_commands_have_a_place() -> None:
    """Each has a group of the page and an example that begins with it, and no name twice."""
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(set(names)) == len(names)
    for command in COMMANDS:
        assert command.group in GROUPS and command.entry.example.startswith(command.name)


@pytest.mark.parametrize(
    "odd", [["x"], [], "x", None, ["/x", "y"], ["/x", 1, "", "", "", ""], ["x", "y", "", "", "", ""]]
)
def test_odd_rows(odd: object) -> None:
    """A row that is no entry is left out; one of a newer server may have more."""
    good = list(KICK)
    assert entries_of((odd, good, [*good, "more"])) == [KICK, KICK]


def test_each_group_fits_a_screen() -> None:
    """Of 80x24, with a row above it and status and input below it, for who may give all commands."""
    columns = page_columns(80)
    servers = [Entry(one.usage, one.help, GROUP_OF[name]) for name, one in SERVERS.items()]
    mine = [command.entry for command in COMMANDS]
    for group in GROUPS:
        page = _group(group, [each for each in merged(mine, servers) if each.group == group], columns)
        rows = format_item(Item(None, "", page, command="/help"), 80, Theme(depth=Depth.NONE))
        assert len(rows) <= 21, group


def test_what_other_chats_call_a_command() -> None:
    """Each such word means a command that there is, and is none itself."""
    names = {name[1:] for one in COMMANDS for name in (one.name, *one.aliases)} | {
        name[1:] for name in SHAPES
    }
    servers = {name[1:] for one in SERVERS.values() for name in (one.name, *one.aliases)}
    assert {meant[1:] for meant in SYNONYMS.values()} <= names | servers
    assert not SYNONYMS.keys() & servers
    for word, meant in (("remove", "/kick"), ("timeout", "/mute"), ("create", "/join"), ("lock", "/hush")):
        assert SYNONYMS[word] == meant


def test_other_names_of_msg(user: User) -> None:
    """Words that elsewhere say something to one person only do so here."""
    steps = [
        (f"{word} bob psst\r".encode(), user.says("psst", channel="@bob"))
        for word in ("/dm", "/pm", "/tell", "/whisper")
    ]
    user.play(*(step for pair in steps for step in pair))


def test_merging() -> None:
    """The order is that of the groups; of a command that both have, the client tells."""
    own = Entry("/join #x", "and go there", "channels")
    assert merged([own], [KICK, WHO, JOIN]) == [own, WHO, KICK]


def test_a_channel_without_its_sign(user: User) -> None:
    """`/join lunch` means #lunch."""
    user.play(
        b"/join lunch\r", user.answers("/join #lunch", "", Code.INVITE_ONLY, "not for you"), "not for you"
    )


# --- calls -------------------------------------------------------------------------------------------------


def test_mentions(user: User) -> None:
    """Lines that called are listed with time and place, as they are now; from there one can go on."""
    edited = extra_row(Extra.MESSAGE, 101)
    user.play(
        b"/mentions\r",
        "/grep ann",
        user.happens(
            said(101, "ann: wait"),
            tea(102, "hello"),
            tea(103, "so says ann"),
            Event(104, NOON, EventKind.EDITED, "#general", "bob", "ann: come", 0, BOB, GENERAL, edited),
        ),
        "ann: come",
        b"/unread\r",
        "2 #tea 2 unread (1 calls you)",
        b"/clear\r/mentions\r",
        "#general bob: ann: come",
        "#tea bob: so says ann",
        "/go #tea goes there, /context 1 shows",
        Absent("hello"),
        b"/mentions 1\r/mentions x\r",
        "/mentions [N]",
        b"/go #tea\r/unread\r",
        "2 #tea here",
    )


def test_lines_that_are_gone_call_nobody(user: User) -> None:
    """A deleted line is not listed, nor what somebody says whom the user ignores."""
    deleted = extra_row(Extra.MESSAGE, 101)
    user.play(
        user.happens(
            said(101, "ann: secret"),
            Event(102, NOON, EventKind.DELETED, "#general", "bob", "", 0, BOB, GENERAL, deleted),
        ),
        "deleted",
        b"/clear\r/mentions\r",
        "nobody has called you",
    )


def test_keywords(user: User) -> None:
    """A word of one's own calls as the name does, until it is removed."""
    user.play(
        b"/keyword list\r",
        "your name only",
        b"/keyword add exam\r",
        "exam calls you now",
        b"/keyword add Exam\r",
        "Exam calls you already",
        user.happens(tea(101, "the EXAM!"), said(102, "an exam goes on")),
        ">bob an exam goes on",
        b"/mentions\r",
        "#tea bob: the EXAM!",
        b"/keyword\r",
        "your name, and by: exam",
        b"/keyword remove exam\r",
        "exam calls you no more",
        user.happens(said(103, "the exam is over")),
        "the exam is over",
        Absent(">bob the exam is over"),
        b"/keyword remove exam\r/keyword what\r/keyword add " + b"x" * 65 + b"\r",
        "is no keyword of yours",
        "/keyword add WORD",
        "1 to 64 characters",
    )


def test_the_bell_can_be_set(user: User) -> None:
    """/bell tells and sets when the terminal rings."""
    user.play(
        b"/bell\r",
        "rings when a line calls you",
        b"/bell off\r",
        "the terminal does not ring",
        b"/bell ALL\r",
        "rings at every line",
        b"/bell loud\r",
        "/bell off, /bell mention, or /bell all",
    )
