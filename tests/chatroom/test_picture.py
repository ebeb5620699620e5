"""Pictures of the inside: on the wire and back, and what has happened between two of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import SIZE_STEPS
from chatroom.picture import UNKNOWN, Backlog, Group, Numbers, Picture, lately, picture_of

SIZES = (5, 3, *([0] * (len(SIZE_STEPS) - 1)))
PICTURE = Picture(
    Numbers(up=12.5, members=3, waiting=2, lines=40, rounds=8, events=44, stored=0.016, reaped=UNKNOWN),
    (Group("forwarder", "condition", "work in the queue", 1, 0.25), Group("handler", "recv", "x", 3)),
    (Backlog("ann", "recv", "x", 1.5, 4096),),
    SIZES,
)


def test_there_and_back() -> None:
    """A picture comes over the wire as it was."""
    assert picture_of(json.loads(json.dumps(PICTURE.row()))) == PICTURE
    assert PICTURE.threads == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)


@given(JSON, st.dictionaries(st.sampled_from([*PICTURE.row(), *Numbers._fields]), JSON))
def test_whatever_comes(row: object, more: dict[str, object]) -> None:
    """What a server sends that is no picture is none, or one without what is wrong in it."""
    picture_of(row)
    for numbers in (more, PICTURE.row()["numbers"]):
        found = picture_of({**more, "numbers": numbers})
        assert found is not None
        assert all(type(value) in (int, float) for value in found.numbers)
        assert json.dumps(found.row(), allow_nan=False)


def test_rows_of_another_server() -> None:
    """Numbers that are too large for a float are none; of longer rows the beginning counts."""
    huge = 10**400
    found = picture_of(
        {
            "numbers": {"up": 2.5, "lines": huge, "members": -huge, "waiting": 2**63},
            "threads": [["handler", "recv", "", 3, huge, "new"]],
            "members": [["ann", "recv", "", 0.5, huge, "new"]],
            "sizes": [[1, 4, "new"], [4, huge]],
        }
    )
    assert found == Picture(
        Numbers(up=2.5), (Group("handler", "recv", "", 3),), (Backlog("ann", "recv", "", 0.5),), (4, 0)
    )


@pytest.mark.parametrize("row", [None, 7, "x", [], {}, {"numbers": 1}])
def test_what_is_no_picture(row: object) -> None:
    assert picture_of(row) is None


def test_longer_rows() -> None:
    """What a newer server may add at the end of a row is left out."""
    row = PICTURE.row()
    longer = {name: [[*one, 7] for one in rows] for name, rows in row.items() if isinstance(rows, list)}
    assert picture_of(row | longer) == PICTURE


def test_what_has_happened() -> None:
    """Rates are by the second, times by the batch."""
    later = PICTURE._replace(
        numbers=PICTURE.numbers._replace(up=14.5, lines=60, rounds=12, events=64, stored=0.024, waited=0.04),
        sizes=(6, 6, *SIZES[2:]),
    )
    found = lately(PICTURE, later)
    assert found is not None
    assert found[:7] == (2.0, 10.0, 0.0, 0.0, 2.0, 0.0, 5.0)
    assert found[7:10] == pytest.approx((0.01, 0.002, 0.0)) and found.sizes == (1, 3, *SIZES[2:])
    quiet = lately(PICTURE, PICTURE._replace(numbers=PICTURE.numbers._replace(up=13.5)))
    assert quiet is not None and quiet.rounds == quiet.events == quiet.stored == 0


def test_another_life_of_the_server() -> None:
    """Between two lives of a server nothing can be compared."""
    assert lately(PICTURE, PICTURE) is None
    assert lately(PICTURE, Picture(Numbers(up=1.0))) is None
    assert lately(PICTURE, Picture(Numbers(up=99.0))) is None
