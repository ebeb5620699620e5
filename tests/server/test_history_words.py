"""Words for the commands of the history."""

from __future__ import annotations

import pytest

from chatroom.outcomes import Code, Outcome
from server import words

ROW = {"place": 1, "more": True, "before": 42}


@pytest.mark.parametrize(
    ("command", "outcome", "text"),
    [
        ("/history", Outcome(Code.OK, (ROW,)), "more: the same with before:42"),
        ("/grep", Outcome(Code.OK, ({**ROW, "more": False},)), "that is all"),
        ("/context", Outcome(Code.OK, (ROW,)), ""),
        ("/history", Outcome(Code.NOT_IN, ("#tea",)), "you are not in #tea"),
        (
            "/history",
            Outcome(Code.BAD_ARGUMENTS),
            "usage: /history [N] [before:SEQ]; /grep WORDS finds lines",
        ),
        ("/grep", Outcome(Code.BAD_NAME, ("a!b",)), "a!b cannot be a name"),
        ("/context", Outcome(Code.NO_SUCH_MESSAGE, (9,)), "you see no message 9"),
        ("/read", Outcome(Code.OK, (1, 9)), "read up to 9"),
        ("/read", Outcome(Code.ALREADY, (1, 9)), "read already, up to 9"),
        ("/read", Outcome(Code.NO_SUCH_MESSAGE, (9,)), "there is no message 9 yet"),
        ("/grep", Outcome(Code.UNAVAILABLE), "unavailable"),
    ],
)
def test_words(command: str, outcome: Outcome, text: str) -> None:
    """Each outcome has words; after a page they say how to go on."""
    assert words.answer(command, outcome)[0] == text


def test_usage() -> None:
    """Whoever writes a command wrongly is told how it is written."""
    told, _ = words.answer("/grep", Outcome(Code.BAD_ARGUMENTS))
    assert told.startswith("usage: /grep WORDS [from:NAME]")
