"""A name is given again when its holder has left: what was said under it before is not the newcomer's."""

from __future__ import annotations

import pytest

from chatroom.packets import Say
from client import Client
from tests.client.fake_server import ME, FakeServer, live, own
from tests.support.events import said
from tests.support.patience import PATIENCE

HIGHEST_ID = (1 << 63) - 1


@pytest.mark.parametrize("person", [ME, ME - 1])
@pytest.mark.parametrize("id", [1, HIGHEST_ID])
def test_lines_of_an_earlier_holder_of_the_name_confirm_nothing(id: int, person: int) -> None:
    """A line that waits to be sent is sent, whatever ids the replay shows under our name or number."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann").start()
        try:
            line = client.say("hello")
            peer, _ = server.admit(said(1, "long ago", "ann", id, person=person), live(1))
            say = peer.expect(Say)
            assert say.text == "hello" and not line.stored
            peer.send(own(2, say))
            assert line.wait(PATIENCE)
        finally:
            server.dismiss(client)
