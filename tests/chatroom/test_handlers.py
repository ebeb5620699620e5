"""Which thread is the handler of which connection."""

from __future__ import annotations

import threading

import pytest

from chatroom.handlers import Handler, Handlers
from tests.chatroom.fakes import FakeConnection


def test_a_handler_is_noted_while_it_lives() -> None:
    """The calling thread counts until the end of the block, whatever ends it. Whoever reads gets a copy."""
    handlers, connection = Handlers(), FakeConnection()
    with pytest.raises(RuntimeError), handlers.noted("ann", connection):
        found = handlers.all()
        raise RuntimeError
    assert found == {threading.get_ident(): Handler("ann", connection)}
    assert handlers.all() == {}
