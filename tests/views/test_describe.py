"""views/describe.py"""

from __future__ import annotations

import pytest

from chatroom.events import INVITED_LIST, SET_COUNTED, Event, EventKind, Extra, Setting, extra_row
from chatroom.packets import Form, Role
from tests.support.events import BOB, GENERAL, NOON, said
from views import plain_line
from views.describe import ACT, describe, note_of
from views.item import item_of

LINE = said(1, "the " + "long " * 30 + "line", "ann")


def event(kind: EventKind, text: str = "", *rows: bytes) -> Event:
    return Event(5, NOON, kind, "#general", "bob", text, 0, BOB, GENERAL, b"".join(rows))


def listed(role: int, *more: bytes) -> Event:
    name = extra_row(Extra.TARGET_NAME, "eve")
    return event(EventKind.LISTED, "", extra_row(Extra.LIST, role, 1), name, *more)


GONE = extra_row(Extra.REMOVED, 1, 1)


_QUIET = "bob made #general quiet: only operators and who has the word may speak; /hand asks for it"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (event(EventKind.TOPIC, "tea"), "bob set the topic: tea"),
        (event(EventKind.TOPIC), "bob removed the topic"),
        (event(EventKind.RENAMED, "Robert"), "bob is now Robert"),
        (event(EventKind.AWAY, "lunch"), "bob is away: lunch"),
        (event(EventKind.AWAY, "away"), "bob is away"),
        (event(EventKind.AWAY), "bob is back"),
        (event(EventKind.INVITED, "#tea"), "bob invites to #tea: /join #tea"),
        (event(EventKind.CLOSED), "bob closed #general"),
        (event(EventKind.CLOSED, "done"), "bob closed #general: done"),
        (event(EventKind.MOVED, "#tea"), "bob renamed #general to #tea"),
        (event(EventKind.SET, "", bytes((Setting.MODERATED, 1, 1))), _QUIET),
        (
            event(EventKind.SET, "", bytes((Setting.MODERATED, 1, 0))),
            "bob lets everybody speak again in #general",
        ),
        (
            event(EventKind.SET, "", bytes((Setting.KEYED, 1, 0, Setting.KEPT, 1, 1))),
            "bob set #general: key off, kept on",
        ),
        (event(EventKind.SET, "", bytes((0x81, 1, 1))), "the settings of #general have changed"),
        (
            event(EventKind.SET, "", SET_COUNTED),
            "#general is large: from now on its members are only counted; see /who",
        ),
        (listed(Role.OPERATOR), "bob made eve operator"),
        (listed(Role.VOICE, GONE), "eve is no longer voice"),
        (listed(INVITED_LIST), "bob invited eve"),
        (listed(INVITED_LIST, GONE), "bob took the invitation back from eve"),
        (listed(9), "bob made eve role 9"),
        (event(EventKind.EDITED), "bob edited a line"),
        (event(EventKind.DELETED), "bob deleted a line"),
        (event(EventKind.REACTED, "+1"), "bob reacted +1 to an earlier line"),
        (said(1, "")._replace(extra=extra_row(Extra.DELETED, 5)), "a line of bob was deleted"),
    ],
)
def test_events_in_words(event: Event, words: str) -> None:
    """Each kind is a short sentence, also in a pipe."""
    assert describe(event) == words
    assert plain_line(event).endswith(f" -- {words}")


def test_who_is_invited_reads_it() -> None:
    """The other one who reads it is whoever invites."""
    invited = event(EventKind.INVITED, "#tea")
    assert describe(invited, me="ann") == "bob invites you to #tea: /join #tea"
    assert describe(invited, me="bob") == "bob invites to #tea: /join #tea"


def test_what_it_is_about() -> None:
    """With the line at hand, whose it is and how it begins; the own one needs no name."""
    reacted = describe(event(EventKind.REACTED, "+1"), LINE)
    assert reacted.startswith("bob reacted +1 to ann: the long") and reacted.endswith("\u2026")
    assert describe(event(EventKind.DELETED), LINE) == "bob deleted a line of ann"
    assert describe(event(EventKind.DELETED), said(1)) == "bob deleted a line"


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (event(EventKind.EDITED, "new"), "bob (edited): new"),
        (said(1, "new")._replace(extra=extra_row(Extra.EDITED, 5)), "bob (edited): new"),
        (said(1, "yes")._replace(extra=extra_row(Extra.REPLY_TO, 5)), "bob (a reply): yes"),
        (said(1, "waves")._replace(extra=extra_row(Extra.FORM, Form.ACT, 1)), "* bob waves"),
        (said(1, "beep")._replace(extra=extra_row(Extra.FORM, Form.BOT, 1)), "bob: beep"),
    ],
)
def test_lines(event: Event, shown: str) -> None:
    """What is said about a line stands behind its author."""
    assert plain_line(event).endswith(f" {shown}")
    assert plain_line(event, under=True).endswith(f" #general {shown}")


def test_whom_a_line_answers() -> None:
    """The author of the line that it answers, if that is known."""
    both = said(2)._replace(extra=extra_row(Extra.REPLY_TO, 1) + extra_row(Extra.EDITED, 9))
    assert note_of(both, LINE) == " (edited, to ann)"
    assert note_of(said(2), LINE) == ""
    assert item_of(both, "eve", about=LINE).note == " (edited, to ann)"


def test_the_number_of_the_form() -> None:
    """Views know it by number: it is that of the protocol."""
    assert ACT == Form.ACT
