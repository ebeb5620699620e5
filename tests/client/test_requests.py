"""client/requests.py"""

from __future__ import annotations

import pytest

from chatroom.errors import Closed, Refused
from chatroom.outcomes import Code
from chatroom.packets import Answer
from client.requests import Answered, Request, numbers, only_row, rows_of, texts
from tests.support.events import said


def test_an_answer_and_what_came_before_it() -> None:
    """Whoever waits gets the code, the words, the rows and the events."""
    request = Request()
    request.answer(Answer(1, Code.OK, "ok", "[1]"), [said(1)])
    assert request.result() == Answered(Code.OK, "ok", (1,), (said(1),))


def test_no_answer() -> None:
    """The time or the end of the client is raised."""
    request = Request()
    with pytest.raises(TimeoutError, match="has not answered"):
        request.result(0.001)
    request.lose(Closed("closed"))
    with pytest.raises(Closed):
        request.result()


@pytest.mark.parametrize(("code", "words"), [(Code.NEED_ROLE, "no"), (999, "")])
def test_a_refusal_is_raised_when_asked_for(code: int, words: str) -> None:
    """Also one whose code is not known; it always has words."""
    with pytest.raises(Refused) as raised:
        Answered(code, words).check()
    assert raised.value.code == code and str(raised.value)
    for good in (Code.OK, Code.ALREADY):
        assert Answered(good, "").check().code == good


@pytest.mark.parametrize("rows", ["", "{}", "5", "[", "[" * 100_000, "[NaN]", "[-Infinity]", "[[1e999]]"])
def test_what_is_no_array(rows: str) -> None:
    """A server may send anything as rows; what no reader of JSON takes must not be printed again."""
    assert rows_of(rows) == ()


def test_the_row_of_one_thing() -> None:
    """Its values may stand alone, or be a row."""
    assert only_row((5, "eve")) == only_row(([5, "eve"],)) == [5, "eve"]
    assert only_row(()) == []


def test_reading_a_row() -> None:
    """A row that has something else at one of the places is none."""
    row = ["#tea", 3, "hot"]
    assert texts(row, 0, 2) == ("#tea", "hot") and numbers(row, 1) == (3,)
    for wrong in (
        texts(row, 1),
        texts(row, 3),
        texts(5, 0),
        numbers(row, 0),
        numbers(row, 3),
        numbers("x", 0),
    ):
        assert wrong is None
