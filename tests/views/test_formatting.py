"""The rows of an item."""

from __future__ import annotations

import pytest

from chatroom.events import Event, Extra, extra_row
from tests.views.screen import readable
from tests.views.test_item import PLAIN, said, utc
from views.formatting import Lead, Theme, format_item, format_pending
from views.item import Item, item_of
from views.limits import NAME_COLUMNS, STYLED_PARTS
from views.text import WRAPPED
from views.transcript import Transcript

QUIET, BOLD, RESET = Theme().palette.quiet, Theme().palette.own, "\x1b[0m"


def rows_of(text: str, author: str = "bob", columns: int = 80, lead: Lead = Lead()) -> list[str]:  # noqa: B008
    """The rows of a line, for ann, without styles."""
    rows = format_item(item_of(said(text, author), "ann", utc), columns, PLAIN, lead)
    return [readable(row) for row in rows]


def test_text_stands_at_one_edge() -> None:
    """Time, mark, name, text: whoever speaks, the text begins in the same column."""
    assert rows_of("hi") == ["00:00 bob             hi"]
    assert rows_of("hi", "李雷") == ["00:00 李雷            hi"]
    assert rows_of("Ann, hi") == ["00:00>bob             Ann, hi"]
    assert rows_of("hi", columns=40) == ["00:00 bob: hi"]
    assert rows_of("ann: hi", columns=40) == ["00:00>bob: ann: hi"]
    assert rows_of("hi", columns=20) == ["bob: hi"] and rows_of("ann", columns=20) == [">bob: ann"]


def test_a_long_name_is_written_whole() -> None:
    """Its first row begins later, the others at the edge."""
    name = "n" * (NAME_COLUMNS + 5)
    first, second = rows_of("word " * 14, name)
    assert first.startswith(f"00:00 {name}  word") and second.startswith(" " * 22 + "word")


def test_later_rows_begin_at_the_edge() -> None:
    """So none of them looks like a row of somebody else."""
    assert rows_of("one\n12:00 eve: two")[1] == " " * 22 + "12:00 eve: two"
    assert rows_of("one\n12:00 eve: two", columns=40)[1] == " " * 6 + "12:00 eve: two"
    assert max(map(len, rows_of("word " * 99, columns=200))) <= 22 + 96


def test_a_table_of_the_program_has_the_whole_width() -> None:
    """The list of commands: its long lines begin further left, but in no column where a name begins; and so
    do the parts of such a text, which /show prints. What people say never does."""
    table = "commands:\n/ban NAME                 put somebody out for good: NAME, or +NAME\n/x  y"
    rows = [readable(row) for row in format_item(Item(utc(0), "", table), 80, PLAIN)]
    first, *lines = table.split("\n")
    assert rows == [f"00:00 --{' ' * 14}{first}", *(" " * 8 + line for line in lines)]
    assert [*format_item(Item(None, "", lines[0], part=True), 80, PLAIN)] == [" " * 8 + lines[0]]
    assert format_item(Item(None, "", "a\nb"), 80, PLAIN)[1] == " " * 22 + "b"
    assert format_item(Item(None, "", lines[0], part=True, person=2), 80, PLAIN)[0].startswith(
        " " * 22 + "/ban"
    )
    assert all(row.startswith(" " * 22) for row in rows_of(table)[1:])


BLOCK = "def f(x):\n    return x"


@pytest.mark.parametrize(("columns", "edge"), [(80, 22), (40, 6)])
@pytest.mark.parametrize("author", ["bob", "n" * (NAME_COLUMNS + 2)])
def test_code_is_a_block(columns: int, edge: int, author: str) -> None:
    """Its lines keep their indents: where the name is in the way of the first one, it begins below."""
    rows = rows_of(BLOCK, author, columns)
    first, last = " " * edge + "def f(x):", " " * edge + "    return x"
    if columns == 80 and author == "bob":
        assert rows == [f"00:00 bob{first[9:]}", last]
    else:
        assert rows == [f"00:00 {author}{':' if columns < 60 else ''}", first, last]
    assert rows_of(BLOCK, author, columns, Lead(False, False)) == [first, last]
    assert rows_of("one\ntwo", author, columns)[0].endswith("one")


def test_a_block_on_a_very_narrow_screen() -> None:
    """There is no row without a word."""
    assert rows_of(BLOCK, columns=20) == ["bob:", " def f(x):", "     return x"]
    assert rows_of(BLOCK, columns=20, lead=Lead(False, False)) == [" def f(x):", "     return x"]


def test_a_block_of_another_channel() -> None:
    """The channel stands on the row of the name, too."""
    item = item_of(said(BLOCK), "ann", utc)._replace(under="#tea")
    rows = [readable(row) for row in format_item(item, 80, PLAIN)]
    assert rows == ["00:00 bob             #tea", " " * 22 + "def f(x):", " " * 22 + "    return x"]


def test_code_is_told_apart() -> None:
    """Between backticks it is bold and the backticks are quiet; a called word in it stands out as ever."""
    theme = Theme()
    called, code = theme.palette.called, theme.palette.code
    [row] = format_item(item_of(said("try `ls -l` Ann"), "ann", utc), 80, theme)
    assert row.endswith(f"try {QUIET}`{RESET}{code}ls -l{RESET}{QUIET}`{RESET} {called}Ann{RESET}")
    [row] = format_item(item_of(said("`ann`"), "ann", utc), 80, theme)
    assert row.endswith(f"{QUIET}`{RESET}{called}ann{RESET}{QUIET}`{RESET}")
    [_, fence, inside, _] = format_item(item_of(said("see\n```py\nx = `1`\n```"), "ann", utc), 80, theme)
    assert fence.strip() == f"{QUIET}```py{RESET}" and inside.strip() == "x = `1`"
    [row] = format_item(Item(utc(0), "", "try `ls`"), 80, theme)
    assert code not in row


@pytest.mark.parametrize("unit", ["`a` ", "ann ", "`ann` "])
def test_few_parts_of_a_text_have_styles(unit: str) -> None:
    """A text that is made of nothing but code or calls costs little more than another one, and is whole."""
    item = item_of(said(unit * 400), "ann", utc)
    rows = format_item(item, 80, Theme())
    styles = sum(row.count("m") for row in map(str, rows)) - "".join(map(readable, rows)).count("m")
    assert STYLED_PARTS < styles < 2 * (2 * STYLED_PARTS + len(rows))
    assert "".join("".join(map(readable, rows)).split()).endswith("".join((unit * 400).split()))


def test_keywords_stand_out() -> None:
    """As the name does, as words of their own, in any case; one that lies in another one, too."""
    theme = Theme()
    called, mark = theme.palette.called, theme.palette.mark
    words = ("exam", "exam room", "\u4e2d\u6587")
    item = item_of(said("Exam room, example, \u4e2d\u6587! ann"), "ann", utc, keywords=words)
    [row] = format_item(item, 80, theme)
    assert f"{mark}>{RESET}" in row
    assert row.endswith(f"{called}Exam room{RESET}, example, {called}\u4e2d\u6587{RESET}! {called}ann{RESET}")
    own = item_of(said("my exam", "ann"), "ann", utc, keywords=words)
    assert not own.mention and called not in format_item(own, 80, theme)[0]


def test_who_goes_on_is_not_named_again() -> None:
    """Only the time, if it is another minute."""
    assert rows_of("hi", lead=Lead(True, False)) == ["00:00                 hi"]
    assert rows_of("hi", lead=Lead(False, False)) == [" " * 22 + "hi"]
    assert rows_of("hi", columns=40, lead=Lead(False, False)) == ["      hi"]


def test_styles() -> None:
    """Times are quiet, names have their colour, one's own is bold; only the called word stands out."""
    theme = Theme()
    bob, called, mark = theme.name("bob"), theme.palette.called, theme.palette.mark
    [row] = format_item(item_of(said("so Ann does"), "ann", utc), 80, theme)
    assert row == (f"{QUIET}00:00{RESET}{mark}>{RESET}{bob}bob{RESET}{' ' * 13}so {called}Ann{RESET} does")
    [own] = format_item(item_of(said("ann", "ann"), "ann", utc), 80, theme)
    assert f"{BOLD}ann{RESET}" in own and called not in own
    act = said("sings")._replace(extra=extra_row(Extra.FORM, 1, 1))
    [row] = format_item(item_of(act, "ann", utc), 80, PLAIN)
    assert row == "00:00 *               bob sings"


def test_a_row_that_is_pending() -> None:
    """It stands where it will stand, quiet and without a time."""
    assert format_pending("hi", 80, PLAIN) == ["--:--                 hi"]
    assert format_pending("hi", 40, PLAIN) == ["--:-- hi"]
    assert all(QUIET in row for row in format_pending("word " * 20, 40, Theme()))


def test_rules_and_notices() -> None:
    """Dashes lead to the text."""
    rule = Item(None, "", "new", rule=True, notice=True)
    assert format_item(rule, 80, PLAIN) == ["-" * 21 + " new"]
    assert format_item(rule, 40, PLAIN) == ["----- new"]
    assert format_item(Item(None, "", "x"), 80, PLAIN) == ["      --              x"]


LINK = "https://example.org/" + "a" * 70


@pytest.mark.parametrize("columns", [40, 80])
def test_a_long_link_is_whole(columns: int) -> None:
    """It begins in the first column, and the terminal wraps it: the program puts nothing between."""
    rows = format_item(item_of(said(f"see {LINK} there"), "ann", utc), columns, PLAIN)
    assert "".join(row.removeprefix(WRAPPED) for row in rows[1:-1]) == LINK
    assert all(row.startswith(WRAPPED) for row in rows[1:-2]) and not rows[-2].startswith(WRAPPED)
    assert rows[0].endswith("see") and rows[-1].strip() == "there"


def test_links_that_fit() -> None:
    """They stay in the text; one that just fits the screen needs no wrapping."""
    assert rows_of("see https://example.org/ there") == [
        "00:00 bob             see https://example.org/ there"
    ]
    link = "https://example.org/" + "a" * 50
    assert rows_of(link) == ["00:00 bob", link]
    rows = format_item(item_of(said("漢字 " * 20 + LINK), "ann", utc), 80, PLAIN)
    assert rows[-2:] == [WRAPPED + LINK[:80], LINK[80:]]


def private(text: str, author: str = "bob", channel: str = "@bob", person: int = 2) -> Event:
    return said(text, author)._replace(channel=channel, person=person)


@pytest.mark.parametrize(
    ("event", "columns", "row"),
    [
        (private("psst"), 80, "00:00>bob to you      psst"),
        (private("psst", channel="@ann"), 80, "00:00>bob to you      psst"),
        (private("no", "ann", person=1), 80, "00:00 ann to bob      no"),
        (private("no", "an_old_name", person=1), 80, "00:00 an_old_name to bob  no"),
        (private("psst"), 40, "00:00>bob to you: psst"),
        (private("psst"), 20, ">bob to you: psst"),
    ],
)
def test_private_lines_look_private(event: Event, columns: int, row: str) -> None:
    """The name column says who reads it, on each screen, and whatever its two persons were called then."""
    [shown] = format_item(item_of(event, "ann", utc, me=1), columns, PLAIN)
    assert readable(shown) == row


def test_a_private_line_of_who_goes_on() -> None:
    """It is neither named nor marked again; one for another reader is."""
    transcript = Transcript(80, PLAIN, utc(0).date())
    lines = [private("a"), private("b"), said("c")]
    rows = [readable(row) for line in lines for row in transcript.append(item_of(line, "ann", utc, me=1))]
    assert rows == ["00:00>bob to you      a", " " * 22 + "b", "00:00 bob             c"]


def test_a_private_line_of_who_goes_on_later() -> None:
    """Where no column of names is empty, a new minute names the speaker again: a time alone looks broken."""
    for columns, rows in [(80, "00:01                 b"), (40, "00:01>bob to you: b")]:
        item = item_of(private("b"), "ann", utc)
        late = item._replace(moment=item.moment and item.moment.replace(minute=1))
        assert [readable(row) for row in format_item(late, columns, PLAIN, Lead(True, False))] == [rows]
    assert readable(format_item(item, 40, PLAIN, Lead(False, False))[0]) == "      b"


def test_what_somebody_does_in_private() -> None:
    """The words say that only the reader sees it."""
    item = item_of(private("waves"), "ann", utc, me=1)._replace(act=True)
    [row] = format_item(item, 80, PLAIN)
    assert readable(row) == "00:00>*               bob (to you) waves"
