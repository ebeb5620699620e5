"""Tests of the completion of names and commands."""

from __future__ import annotations

import pytest

from tests.views.test_editor import shown
from views.command_order import MOST_USED
from views.completer import Completer
from views.editor import LineEditor
from views.keys import Key
from views.limits import COMPLETED_CHANNELS, COMPLETED_NAMES


def completing(*names: str) -> LineEditor:
    completer = Completer(["/help", "/history", "/who"])
    for name in names:
        completer.saw(name, 1)
    return LineEditor(completer)


def test_tab_goes_through_the_names_that_fit() -> None:
    """Tab goes through the matching names, latest speaker first, then the typed word; Shift-Tab goes back."""
    line = completing("anna", "bob", "Andy")
    line.insert("an")
    for key, text in [
        (Key.TAB, "Andy: |"),
        (Key.TAB, "anna: |"),
        (Key.TAB, "an|"),
        (Key.TAB, "Andy: |"),
        (Key.BACK_TAB, "an|"),
        (Key.BACK_TAB, "anna: |"),
    ]:
        line.apply(key)
        assert shown(line) == text


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("hi bo", "hi bob |"),
        ("hi @B", "hi @bob |"),
        ("/kick bo", "/kick bob |"),
        ("/mute #tea bo", "/mute #tea bob |"),
        ("/ban * +b", "/ban * +bob |"),
        ("+b", "+b|"),
        ("/he", "/help |"),
        ("/HE", "/help |"),
        ("say /he", "say /he|"),
        ("", "|"),
        ("zzz", "zzz|"),
    ],
)
def test_tab_completes_a_word(typed: str, completed: str) -> None:
    """Names are completed anywhere, commands only at the start of the line, an empty word never."""
    line = completing("bob")
    line.insert(typed)
    line.apply(Key.TAB)
    assert shown(line) == completed


def test_departed_members_are_not_completed() -> None:
    """A member who has left is not completed, whatever the case of the name."""
    completer = Completer([])
    completer.saw("bob", 1)
    completer.forget("BOB")
    assert completer("b", True) == []


def test_who_leaves_one_place_is_completed_while_in_another() -> None:
    """A member is completed until it has left the last place where it was seen or listed."""
    completer = Completer([])
    completer.saw("bob", 1)
    completer.listed(2, ["bob"])
    completer.renamed("BOB", "rob")
    completer.left("rob", 1)
    completer.left("eve", 1)  # unknown
    assert completer("r", True) == ["rob: "]
    completer.left("Rob", 2)
    assert completer("r", True) == [] and completer("b", True) == []


def test_a_list_of_members() -> None:
    """Who is listed and silent comes last; who is not listed is gone, unless it is in another place."""
    completer = Completer([])
    for name, place in [("an1", 1), ("an2", 1), ("an3", 2)]:
        completer.saw(name, place)
    completer.listed(1, ["an1", "an4", "an5"])
    assert completer("an", False) == ["an3 ", "an1 ", "an5 ", "an4 "]
    completer.forget_all()
    assert completer("an", False) == []


def test_commands_are_learned() -> None:
    """Commands that the completer learns are completed from then on, each once."""
    completer = Completer(["/quit"])
    completer.learn(["/topic", "/quit"])
    assert completer("/", True) == ["/topic ", "/quit "]


def test_names_are_bounded() -> None:
    """Only the latest COMPLETED_NAMES names are kept."""
    completer = Completer([])
    for number in range(COMPLETED_NAMES + 1):
        completer.saw(f"n{number}", 1)
    completer.listed(2, [f"m{number}" for number in range(2 * COMPLETED_NAMES)])
    for number in range(COMPLETED_NAMES):
        completer.renamed(f"unknown{number}", f"n{number + 1}")
    assert len(completer("n", True)) == COMPLETED_NAMES
    assert completer("m", True) == []
    assert completer("n0", True) == []
    assert completer("n1000", True) == ["n1000: "]


def test_commands_that_are_used_most_come_first() -> None:
    """Commands of everyday use have an order of their own; all others follow by the alphabet."""
    completer = Completer(["/zebra", "/hush", "/help", "/hand", "/apple", "/history"])
    assert completer("/h", True) == ["/help ", "/history ", "/hand ", "/hush "]
    assert completer("/", True)[-2:] == ["/apple ", "/zebra "]
    assert len(set(MOST_USED)) == len(MOST_USED)


def channels() -> LineEditor:
    completer = Completer([])
    completer.places = lambda: ["#general", "#tea", "@bob"]
    completer.learn_channels(["#lunch", "#tee", "#Tea", "#tea", "#no\x1bgo"])
    completer.saw("bea", 1)
    return LineEditor(completer)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("/go ", ["#general", "#tea", "@bob"]),
        ("/go te", ["#tea"]),
        ("/go @", ["@bob"]),
        ("/go @be", ["@bea"]),
        ("/go b", ["@bob"]),
        ("/leave ", ["#general", "#tea"]),
        ("/LEAVE G", ["#general"]),
        ("/join te", ["#tee", "#tea"]),
        ("/join lu", ["#lunch"]),
        ("/join #lunch k", []),
        ("/topic #te", ["#tea", "#tee"]),
        ("see you in #l", ["#lunch"]),
        ("#g", ["#general"]),
        ("/go zz", []),
    ],
)
def test_channels_are_completed(typed: str, found: list[str]) -> None:
    """Behind /go, /join and /leave, where `#` need not be typed, and wherever `#` is typed."""
    line = channels()
    line.insert(typed)
    start = "".join(typed.rpartition(" ")[:2])
    words = []
    for _ in found:
        line.apply(Key.TAB)
        words.append(line.text.removeprefix(start).removesuffix(" "))
    assert words == found
    if not found:
        line.apply(Key.TAB)
        assert line.text == typed


def test_channels_are_bounded() -> None:
    """The latest COMPLETED_CHANNELS channels are kept, those of the latest list first."""
    completer = Completer([])
    completer.learn_channels([f"#c{number}" for number in range(2 * COMPLETED_CHANNELS)])
    completer.learn_channels(["#c9", "#new"])
    found = completer("#", False, "x ")
    assert found[:3] == ["#c9 ", "#new ", "#c0 "] and len(found) == COMPLETED_CHANNELS


def test_a_name_is_all_that_can_follow() -> None:
    """Behind /msg Tab goes through all names before a letter is typed, the latest speaker first."""
    line = completing("anna", "bob")
    line.insert("/msg ")
    line.apply(Key.TAB)
    assert shown(line) == "/msg bob |"
    line = completing("anna", "bob")
    line.insert("hello ")
    line.apply(Key.TAB)
    assert shown(line) == "hello |"
