"""Names: one normal form, unique without regard to case, no invisible characters."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.errors import NameRefused
from chatroom.limits import CHANNEL_BYTES, CHANNEL_COLUMNS, DEFAULT_CHANNEL, NAME_BYTES, NAME_COLUMNS
from chatroom.names import RESERVED, check_channel, check_name, columns, name_key
from views.sanitize import sanitize
from views.text import text_width

LARGE = ("CJK", "HANGUL SYLLABLE", "TANGUT", "CUNEIFORM", "EGYPTIAN", "ANATOLIAN", "KHITAN", "YI ", "BAMUM")
"""Scripts with many letters, which are all alike."""

anything = st.one_of(st.text(max_size=30), st.text(st.characters(categories=("L", "M", "N")), max_size=26))


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        "Ann-Marie",
        "r2.d2",
        "x",
        "0",
        "Åsa",
        "Ωμέγα",
        "Иван",
        "王力宏Tom",
        "ひろしカHiro",
        "김철수kim",
        "ㄅㄆ漢",
        "سارة",
        "שָׂרָה",
        "Nguyễn",
        "Ạnh",
        "İbo",
        "ışık",
        "ㅋㅋ",
        "١٢",
        "Łukasz",
        "李雷",
        "ひろし",
        "नरेश",
        "عمر",
        "ไก่",
        "김철수",
        "a_b",
    ],
)
def test_good_names(name: str) -> None:
    """Letters and digits of any script and `_ - .` make a name."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "needed"),
        (" ann", "begins"),
        ("an n", "cannot be"),
        ("_ann", "begins"),
        ("#ann", "begins"),
        ("\u0301a", "begins"),
        ("an\nn", "cannot be"),
        ("an\x1b[2Jn", "cannot be"),
        ("an\u009bn", "cannot be"),
        ("an\u200bn", "cannot be"),
        ("an\u202en", "cannot be"),
        ("an\u3164n", "cannot be"),
        ("an\ufe0fn", "cannot be"),
        ("an\U00016fe4n", "cannot be"),
        ("ann\u2800", "cannot be"),
        ("ann🙂", "cannot be"),
        ("ann\ud800", "cannot be"),
        ("ann\ue000", "cannot be"),
        ("a\u0323\u0324\u0325\u0326", "cannot be"),
        ("x" * (NAME_COLUMNS + 1), "longer"),
        ("漢" * (NAME_COLUMNS // 2 + 1), "longer"),
        ("x\u0323\u0324" * (NAME_COLUMNS - 1), "longer"),
        ("कि" * (NAME_COLUMNS // 2 + 1), "longer"),
        ("ann\u20e3", "cannot be"),  # enclosing keycap: the view removes it
        ("ann\u20dd", "cannot be"),  # enclosing circle
        ("я\u0488", "cannot be"),
        ("ann\u1161", "cannot be"),  # a vowel of Hangul, without a width
        ("ann\ud7b0", "cannot be"),
        ("ann\u02d0", "cannot be"),  # looks like a colon
        ("ann\u02bc", "cannot be"),  # looks like an apostrophe
        ("\U0001d44e\U0001d45b\U0001d45b", "cannot be"),  # a mathematical italic ann
        ("\U0001d360", "cannot be"),  # a counting rod
        ("عـمر", "cannot be"),  # with a tatweel
        ("a\u0301\u0301\u0323", "cannot be"),
        ("n\u0332\u0332", "cannot be"),  # the same mark twice
        ("аnn", "scripts"),  # with a Cyrillic a
        ("Ωmega", "scripts"),
        ("annर", "scripts"),
        ("漢字가ひ", "scripts"),
        ("1١", "digits"),
        ("server", "reserved"),
        ("Ｓystem", "reserved"),
        ("ADM1N", "reserved"),
        ("Adm1n", "reserved"),
        ("server-", "reserved"),
    ],
    ids=ascii,
)
def test_bad_names(name: str, reason: str) -> None:
    """Blank, invisible, control, decorated and overlong names are refused with a printable reason."""
    with pytest.raises(NameRefused, match=reason) as refused:
        check_name(name)
    assert refused.value.reason.isascii()
    assert refused.value.reason.isprintable()


@given(anything)
@example("e\u0301")
def test_a_name_has_one_written_form(text: str) -> None:
    """check_name() returns NFC within the limits, and returns its own result unchanged."""
    try:
        name = check_name(text)
    except NameRefused:
        return
    assert check_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert columns(name) <= NAME_COLUMNS
    assert len(name.encode()) <= NAME_BYTES
    assert name_key(name) == name_key(text)


@given(anything)
def test_case_never_makes_another_person(text: str) -> None:
    """The key of a name is the key of its own upper-case, lower-case, folded and keyed forms."""
    key = name_key(text)
    assert name_key(key) == key
    assert name_key(text.lower()) == key or text.lower().casefold() != text.casefold()
    assert name_key(text.casefold()) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "ANN"),
        ("Ann", "Ａｎｎ"),
        ("straße", "STRASSE"),
        ("é", "e\u0301"),
        ("ΣΑΣ", "σας"),
        ("ﬁ", "fi"),
        ("Å", "Å"),
    ],
)
def test_same_name(one: str, other: str) -> None:
    """Case, width, ligatures and the way an accent is coded do not make two names."""
    assert name_key(one) == name_key(other)


def test_other_names() -> None:
    """Names that differ in an accent or a dot are two names."""
    assert len({name_key(name) for name in ("ann", "änn", "a.nn", "ann1")}) == 4


def test_no_character_of_a_name_is_invisible() -> None:
    """No character that the name rules allow is a control, format or space character."""
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp"):
            with pytest.raises(NameRefused):
                check_name("a" + character)


@given(st.one_of(anything, anything.map("#".__add__)))
@example("#\ufdfa")
@example("#½")
@example("#①")
@example("#000000000000000ᄀᄀ㊀㊀㐀")
def test_a_channel_has_one_written_form(text: str) -> None:
    """check_channel() returns a folded channel that fits the wire, and returns its own result unchanged."""
    try:
        channel = check_channel(text)
    except NameRefused:
        return
    assert channel.startswith("#")
    assert check_channel(channel) == channel
    assert name_key(channel) == channel
    assert len(channel.encode()) <= CHANNEL_BYTES


def test_channels() -> None:
    """A channel is a '#' and a name; case makes no difference; the default is in its normal form."""
    assert check_channel("#General") == check_channel("#GENERAL") == DEFAULT_CHANNEL
    for bad in ("general", "", "#", "##a", "# a", "#\ufdfa", "#ㅠㅠ", "#gеneral"):
        with pytest.raises(NameRefused):
            check_channel(bad)


@pytest.mark.parametrize(
    "channel",
    ["#" + "x" * (CHANNEL_COLUMNS - 1), "#" + "漢" * ((CHANNEL_COLUMNS - 1) // 2), "#" + "é" * 47],
    ids=len,
)
def test_the_longest_channels(channel: str) -> None:
    """A channel has at most CHANNEL_COLUMNS columns and CHANNEL_BYTES bytes, both with its '#'."""
    assert check_channel(channel) == channel
    with pytest.raises(NameRefused, match="channel: the name is longer"):
        check_channel(channel + channel[-1])


@pytest.mark.parametrize("word", RESERVED)
def test_reserved_words_may_be_channels_and_parts_of_names(word: str) -> None:
    """What is reserved is the word as a name: a channel, or a longer name, may have it."""
    assert check_channel(f"#{word}") == f"#{word}"
    assert check_name(f"{word}fan") == f"{word}fan"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("İbo", "ibo"),
        ("ışık", "işik"),
        ("Ibo", "ıbo"),
        ("ạnn", "ann"),
        ("é", "e"),
    ],
)
def test_a_dot_makes_another_key(one: str, other: str) -> None:
    """Turkish letters and letters with a dot below are not folded onto others; NFD is, see above."""
    assert name_key(one) != name_key(other)


def test_columns() -> None:
    """A mark on its letter takes no column, a spacing vowel sign one, an East Asian wide letter two."""
    assert [columns(text) for text in ("abc", "漢字", "e\u0301", "Ａ", "की", "")] == [3, 4, 1, 2, 2, 0]


@pytest.mark.slow
def test_a_name_is_what_the_screen_shows_of_it() -> None:
    """The view changes no character that the name rules allow, and each that is no mark has the columns that
    the rules count."""
    for character in map(chr, range(0x20000)):
        category = unicodedata.category(character)[0]
        if category not in "LMN" or (
            ord(character) % 50 and unicodedata.name(character, "").startswith(LARGE)
        ):
            continue
        try:
            name = check_name(character if category != "M" else "9" + character)
        except NameRefused:
            continue
        assert sanitize(name) == name, ascii(name)
        if category != "M":
            assert columns(name) == text_width(name), ascii(name)


@given(anything)
def test_any_name_is_shown_as_it_is(text: str) -> None:
    """The view changes nothing in an allowed name or channel."""
    for check, wanted in ((check_name, text), (check_channel, "#" + text)):
        try:
            checked = check(wanted)
        except NameRefused:
            continue
        assert sanitize(checked) == checked
