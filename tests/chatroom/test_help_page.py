"""The pages of /help."""

from __future__ import annotations

import pytest

from chatroom.commands import COMMANDS
from chatroom.help_page import (
    DETAILS,
    EXAMPLES,
    GROUP_OF,
    HOW_TO_ASK,
    PAGE_COLUMNS,
    Entry,
    about,
    group_named,
    group_page,
    page,
)

ALL = [Entry(one.usage, one.help, GROUP_OF[name], EXAMPLES[name]) for name, one in COMMANDS.items()]


@pytest.mark.parametrize(("columns", "rows"), [(PAGE_COLUMNS, 18), (57, 18), (36, 30)])
def test_the_page_fits_a_screen(columns: int, rows: int) -> None:
    """All commands, also those of an owner, leave room for input and status on a screen of 24 lines."""
    lines = page(ALL, columns).splitlines()
    assert len(lines) <= rows
    assert max(map(len, lines)) <= columns
    assert all((name in " ".join(lines)) == (" " not in name) for name in COMMANDS if GROUP_OF[name])


def test_groups_in_their_order() -> None:
    """Groups come in the order of use, whatever the order of the commands; a name stands once."""
    entries = [Entry("/stats", "", "server"), Entry("/me TEXT", "", "talking"), Entry("/me", "", "talking")]
    assert page(entries) == "talking       /me\nserver        /stats"


def test_a_command_of_a_group_that_is_not_known() -> None:
    """A newer server may have more groups: they stand last."""
    entries = [Entry("/fly", "", "travelling"), Entry("/stats", "", "server"), Entry("/read SEQ", "")]
    assert page(entries) == "server        /stats\ntravelling    /fly"


def test_a_name_of_two_words_is_in_the_page_of_its_group() -> None:
    """Among the names `/sessions /sessions end` would look like a slip."""
    entries = [Entry("/sessions", "", "your account"), Entry("/sessions end N", "end it", "your account")]
    assert page(entries).split() == ["your", "account", "/sessions"]
    assert "/sessions end N" in group_page(entries)


@pytest.mark.parametrize(
    ("usage", "name"),
    [
        ("/who [#CHANNEL]", "/who"),
        ("/sessions end N", "/sessions end"),
        ("/merge [on|off]", "/merge"),
        ("/q", "/q"),
    ],
)
def test_the_name_of_an_entry(usage: str, name: str) -> None:
    """A command's name is what stands before its arguments."""
    assert Entry(usage, "").name == name


def test_a_narrow_page() -> None:
    """A group has no column there: the commands would have no room."""
    entries = [Entry(f"/command-{number}", "", "looking back") for number in range(4)]
    assert page(entries, 34) == "looking back: /command-0\n  /command-1 /command-2 /command-3"


def test_details() -> None:
    """The arguments of a command are explained, each in a row; those of commands that there are."""
    entry = Entry("/set [NAME VALUE]", "settings", "channels", "/set kept on")
    rows = about(entry).splitlines()
    assert rows[:2] == ["/set [NAME VALUE]", "  settings"] and rows[-1] == "  for example: /set kept on"
    for name in ("key WORD", "invite-only on", "moderated on", "kept on", "history joined"):
        assert any(row.startswith(f"  {name}: ") for row in rows)
    assert DETAILS.keys() <= COMMANDS.keys()
    assert all("before:SEQ" in "".join(DETAILS[name]) for name in ("/grep", "/history"))


def test_a_group_page() -> None:
    """Each command has its usage and a line; a long usage has a row of its own."""
    long = "/set [#CHANNEL|*] [NAME VALUE]"
    said = group_page([Entry("/close", "end it", "channels"), Entry(long, "settings", "channels")])
    assert said == f"/close  end it\n{long}\n        settings"
    assert group_page([]) == ""


def test_all_about_one() -> None:
    """Usage, purpose, an example, other names, and who may."""
    said = about(Entry("/kick NAME", "put out", "moderation", "/kick bob", "/k /out", "operators"))
    assert said.splitlines() == [
        *("/kick NAME", "  put out", "  for example: /kick bob", "  also: /k, /out", "  only for operators")
    ]


@pytest.mark.parametrize(
    ("word", "group"),
    [
        ("people", "people"),
        ("Looking Back", "looking back"),
        ("account", "your account"),
        ("", ""),
        ("who", ""),
    ],
)
def test_groups_by_a_word(word: str, group: str) -> None:
    """A group is known by its name, or by a word of it."""
    assert group_named(word) == group


def test_the_hint_is_true() -> None:
    """The words below the page name a command and a group."""
    assert "/help join" in HOW_TO_ASK and "/join" in COMMANDS
    assert "/help channels" in HOW_TO_ASK and group_named("channels")
