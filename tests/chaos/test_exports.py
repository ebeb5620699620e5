"""The judge of exports on what could be exported: each wrong is named."""

from __future__ import annotations

import pytest

from tests.chaos.exports import judge_export
from tests.chaos.records import Entry
from tests.chaos.wrongs import Wrong

HISTORY = [
    Entry(1, "said", "#general", "ann", "a", 1, 10, 5, 1),
    Entry(2, "said", "@bob", "ann", "psst", 1, 20, 6, 2, receiver=2),
    Entry(3, "deleted", "@bob", "ann", "", 1, 30, 7, 2, message=2, receiver=2),
]


@pytest.mark.parametrize(
    ("exported", "direct", "wrong"),
    [
        (HISTORY[:1], False, None),
        (HISTORY, True, None),
        (HISTORY, False, Wrong.FOREIGN),
        ([HISTORY[0], HISTORY[2]], False, Wrong.FOREIGN),
        (HISTORY[:2], True, Wrong.GAP),
        ([], False, Wrong.GAP),
        ([HISTORY[0]._replace(text="b")], False, Wrong.UNSTORED),
        ([HISTORY[0], Entry(4, "said", "#general", "ann", "c")], False, Wrong.UNSTORED),
        ([HISTORY[0], HISTORY[0]], False, Wrong.BACKWARDS),
    ],
)
def test_an_export(exported: list[Entry], direct: bool, wrong: Wrong | None) -> None:
    found = {violation.wrong for violation in judge_export("an export", HISTORY, exported, direct)}
    assert found == ({wrong} if wrong else set())
