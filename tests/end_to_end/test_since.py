"""A program that goes on after its own restart: `Client(since=…)`, on a real server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from client import CaughtUp, Client, ConfigError, Event, EventKind, Interrupted, Resumed, Since, Update
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import PATIENCE


def greeting(bot: Client) -> list[Update]:
    """All updates up to CaughtUp."""
    found = []
    for update in bot.updates(PATIENCE):
        found.append(update)
        if isinstance(update, CaughtUp):
            return found
    raise AssertionError(f"no CaughtUp: {found}")


def said(updates: list[Update]) -> list[str]:
    return [each.text for each in updates if isinstance(each, Event) and each.kind is EventKind.SAID]


def last(client: Client, text: str) -> Since:
    """What a program keeps when it is done with this line."""
    return client.after(next(event for event in client if event.text == text))


def test_a_program_gets_what_it_missed_while_it_was_not_there() -> None:
    """Everything after what it has kept, joins too, and nothing twice; it may keep it as JSON."""
    with running() as app, Client(port=port_of(app), name="ann") as ann:
        with Client(port=port_of(app), name="bot") as bot:
            ann.say("one")
            kept = json.dumps(last(bot, "one"))
            assert bot.history_id == Since(*json.loads(kept)).history != ""
        ann.say("two")
        ann.say("three")
        assert ann.flush(PATIENCE)
        with Client(port=port_of(app), name="carl"):
            pass
        with Client(port=port_of(app), name="bot", since=Since(*json.loads(kept))) as bot:
            updates = greeting(bot)
            assert said(updates) == ["two", "three"]
            assert not any(isinstance(update, Interrupted) for update in updates)
            assert [each.author for each in updates if isinstance(each, Event) and each.author == "carl"]


@pytest.mark.slow
def test_a_program_learns_at_its_start_that_the_history_is_another(tmp_path: Path) -> None:
    """A restored copy, and a new file: Interrupted tells them apart, and the latest lines come."""
    data, copy = tmp_path / "history.db", tmp_path / "copy.db"
    with running(data=str(data)) as app, Client(port=port_of(app), name="ann") as ann:
        ann.say("one")
        assert ann.flush(PATIENCE)
    shutil.copy(data, copy)
    with running(data=str(data)) as app, Client(port=port_of(app), name="ann") as ann:
        ann.say("two")
        kept = last(ann, "two")
    for path, how in ((copy, Resumed.RESTORED), (tmp_path / "new.db", Resumed.OTHER_HISTORY)):
        with running(data=str(path)) as app, Client(port=port_of(app), name="bot", since=kept) as bot:
            told = [update.how for update in greeting(bot) if isinstance(update, Interrupted)]
            assert told == [how]
            assert (bot.history_id == kept.history) == (how is Resumed.RESTORED)


@pytest.mark.parametrize(
    "wrong", [("", 1, 1), ("xx", 1, 1), ("00" * 16, -1, 1), (None, 1, 1), ("00" * 16, 1, "x")]
)
def test_what_is_no_position_is_refused(wrong: tuple[str, int, int]) -> None:
    """In one line, before anything is sent."""
    with pytest.raises(ConfigError, match="no position"):
        Client(name="bot", since=Since(*wrong))
