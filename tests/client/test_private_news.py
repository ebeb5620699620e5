"""client/private_news.py"""

from __future__ import annotations

from client.limits import PRIVATE_NEWS
from client.private_news import PrivateNews
from views import Waiting


def test_each_conversation_is_told_once() -> None:
    """Until the reader has been there; a channel is in the status only."""
    news, eve, bob = PrivateNews(), Waiting("@eve", 1), Waiting("@bob", 1)
    told = "eve wrote to you alone: Alt-A or /go @eve"
    assert news.rows((eve, Waiting("#tea", 3, 1))) == [told]
    assert news.rows((Waiting("@eve", 2), bob)) == ["bob wrote to you alone: Alt-A or /go @bob"]
    assert news.rows((bob,)) == []
    assert news.rows((bob, eve)) == [told]


def test_what_was_told_already() -> None:
    """It is not told again while it waits, and then as every other."""
    news, eve = PrivateNews(), Waiting("@eve", 1)
    news.told("@eve")
    assert news.rows((eve,)) == [] == news.rows((Waiting("@eve", 2),))
    assert news.rows(()) == [] and len(news.rows((eve,))) == 1


def test_many_are_one_row() -> None:
    """Who comes back after a week has no wall of them."""
    many = tuple(Waiting(f"@n{number}", 1) for number in range(PRIVATE_NEWS + 1))
    assert len(PrivateNews().rows(many[:-1])) == PRIVATE_NEWS
    assert PrivateNews().rows(many) == [f"{len(many)} wrote to you alone: Alt-A, or /unread"]
