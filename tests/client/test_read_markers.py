"""client/read_markers.py"""

from __future__ import annotations

from client.limits import READ_SECONDS
from client.read_markers import ReadMarkers

Told = list[tuple[int, int]]


def made() -> tuple[ReadMarkers, Told]:
    told: Told = []
    return ReadMarkers(lambda place, seq: told.append((place, seq))), told


def test_the_first_at_once_the_next_later() -> None:
    """Between two of a place that the user stays in there is some time; the latest is told then."""
    markers, told = made()
    assert markers.wait(100.0) is None
    markers.looked(1, 10, 100.0)
    assert told == [(1, 10)]
    for seq in (11, 13, 12, 10):
        markers.looked(1, seq, 101.0)
    assert told == [(1, 10)] and markers.wait(101.0) == READ_SECONDS - 1
    markers.tick(100.0 + READ_SECONDS)
    assert told == [(1, 10), (1, 13)] and markers.wait(200.0) is None
    markers.looked(1, 13, 300.0)
    assert len(told) == 2


def test_leaving_a_place_tells_at_once() -> None:
    """Also when another one was told just before; nothing is told twice."""
    markers, told = made()
    markers.looked(1, 10, 100.0)
    markers.looked(2, 11, 100.5)
    markers.looked(3, 12, 100.5)
    markers.leave(2)
    markers.leave(2)
    assert told == [(1, 10), (2, 11)]
    markers.end()
    assert told == [(1, 10), (2, 11), (3, 12)]


def test_no_place_has_no_marker() -> None:
    """Before the place is known nothing is told; in another history all begins anew."""
    markers, told = made()
    markers.looked(0, 10, 100.0)
    assert told == []
    markers.looked(1, 10, 100.0)
    markers.looked(1, 11, 101.0)
    markers.forget()
    markers.end()
    assert told == [(1, 10)]
    markers.looked(1, 5, 200.0)
    assert told == [(1, 10), (1, 5)]
