"""Look-alikes: which names would be taken for one another."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.lookalikes import COMMON, one_writing_system, scripts_of, skeletons
from chatroom.names import name_key


def alike(one: str, other: str) -> bool:
    return not set(skeletons(one, name_key(one))).isdisjoint(skeletons(other, name_key(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paypal", "paypaI"),
        ("paypal", "PaypaI"),
        ("paypal", "paypa1"),
        ("bob", "b0b".upper()),
        ("bern", "bem"),
        ("сор", "cop"),  # Cyrillic and Latin
        ("СОР", "cop"),
        ("ѕсоре", "scope"),
        ("αα", "aa"),  # Greek alpha
        ("ɑnn", "ann"),  # Latin alpha
        ("İbo", "ibo"),  # Turkish: capital I with dot
        ("i̇bo", "ibo"),  # a dot above an i is not seen
        ("ı", "i"),
        ("IŞIK", "ışık"),
        ("ị̇bo", "ịbo"),
        ("е\u0301", "é"),
    ],
    ids=ascii,
)
def test_look_alikes(one: str, other: str) -> None:
    """These look like each other, in both directions."""
    assert alike(one, other) and alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ian", "lan"),
        ("neil", "nell"),
        ("ann", "anne"),
        ("ann", "ạnn"),
        ("ann", "änn"),
        ("李", "季"),
        ("a1", "a2"),
    ],
    ids=ascii,
)
def test_other_names(one: str, other: str) -> None:
    """These can be told apart."""
    assert not alike(one, other)


@given(st.text(max_size=20))
def test_a_name_is_its_own_look_alike(text: str) -> None:
    """A name has a skeleton or two, and shares one with each way of writing it."""
    assert 1 <= len(skeletons(text, name_key(text))) <= 2
    assert alike(text, unicodedata.normalize("NFD", text))
    assert alike(text, unicodedata.normalize("NFKC", text))
    assert alike(text, name_key(text))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("ann-1", True),
        ("été", True),
        ("漢字ひらがなカタカナLatin", True),
        ("漢字ㄅㄆLatin", True),
        ("漢字한국Latin", True),
        ("ひらがな한국", False),
        ("ㄅㄆひ", False),
        ("Latinкириллица", False),
        ("Latinελληνικά", False),
        ("кириллица漢字", False),
        ("ー", True),
        ("aー", True),  # the lengthening sign belongs to kana
        ("яー", False),
    ],
)
def test_writing_systems(text: str, is_one: bool) -> None:
    """One script, or Latin with Han and kana, with Han and Bopomofo, or with Han and Hangul."""
    assert one_writing_system(text) is is_one


SCRIPTS_BY_NAME = {
    "LATIN": "Latn",
    "GREEK": "Grek",
    "CYRILLIC": "Cyrl",
    "ARMENIAN": "Armn",
    "HEBREW": "Hebr",
    "ARABIC": "Arab",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TAMIL": "Taml",
    "THAI": "Thai",
    "GEORGIAN": "Geor",
    "HANGUL": "Hang",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "CJK": "Hani",
    "CHEROKEE": "Cher",
    "ETHIOPIC": "Ethi",
}


def test_scripts_agree_with_the_names_of_characters() -> None:
    """The standard library knows the name of each letter, and the name begins with its script."""
    checked = 0
    for character in map(chr, range(0x30000)):
        script = SCRIPTS_BY_NAME.get(unicodedata.name(character, "").partition(" ")[0])
        if script and unicodedata.category(character)[0] == "L" and scripts_of(character):
            assert script in scripts_of(character) or COMMON in scripts_of(character), ascii(character)
            checked += 1
    assert checked > 50_000


def test_what_has_no_script() -> None:
    """Signs have none; a character that is not assigned has none either."""
    assert scripts_of("5") == {COMMON}
    assert scripts_of("\u0378") <= {"Grek"}  # in a gap of a range
    assert scripts_of("\U000effff") == scripts_of("\x00") == frozenset()
