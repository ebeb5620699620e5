"""Random walks of the state, and what they find when one rule is missing."""

from __future__ import annotations

import inspect
import sys
import textwrap

import pytest

from chatroom import (
    amendments,
    batch,
    channels,
    classroom,
    lines,
    moderation,
    sessions,
    speaking,
)
from chatroom.acts import ACTS
from chatroom.outcomes import Code
from tests.chatroom.walk import Walk


def walked(seed: int, steps: int, codes: dict[str, set[Code]] | None = None) -> Walk:
    walk = Walk(seed, codes)
    for _ in range(steps):
        walk.step()
    return walk


@pytest.mark.parametrize("seed", range(6))
def test_a_walk(seed: int) -> None:
    """People with several programs come, talk, register, log in, vanish: what `Walk` judges holds always."""
    walked(seed, 25)


@pytest.mark.slow
def test_long_walks() -> None:
    """The same for long, until each act was carried out as well as refused."""
    codes: dict[str, set[Code]] = {}
    for seed in range(100, 140):  # some fifteen are enough, as a rule
        walked(seed, 150, codes)
        wanting = [name for name in ACTS if Code.OK not in codes.get(name, ()) or len(codes[name]) < 2]
        if seed >= 110 and not wanting:
            break
    assert not wanting


FAULTS = {
    "a burst of one of several programs does not store its session": (
        lines.Lines,
        "confirm",
        "if len(self._sessions.members[session.person].sessions) > 1:",
        "if False:",
    ),
    "who leaves is not noted": (
        sessions.Sessions,
        "_note_before_leaving",
        "if person in self.talked and",
        "if False and",
    ),
    "nobody is noted when another program comes": (
        sessions.Sessions,
        "come",
        "if session.person in self.talked:",
        "if False:",
    ),
    "blocks go on behind what is noted": (
        batch.Batch,
        "blocks",
        "_groups(pieces, noted)",
        "_groups(pieces, 0)",
    ),
    "a start gives a line to every program": (sessions.Sessions, "hear", "if len(here) == 1:", "if here:"),
    "what was amended meanwhile is not known": (
        amendments.Amendments,
        "_known",
        "if found is not None and",
        "if False and",
    ),
    "an earlier edit keeps its text": (
        amendments.Amendments,
        "_change",
        "if known.edit is not None:",
        "if False:",
    ),
    "an expelled session is not forgotten": (sessions.Sessions, "expel", "self.rest(session)", "pass"),
    "a session that rests keeps the name": (
        sessions.Sessions,
        "rest",
        "self._holders.give_back(session)",
        "pass",
    ),
    "a channel of guests does not end": (channels.Channels, "end_if_over", "self._end(channel)", "pass"),
    "a channel that has ended leaves its lists": (
        channels.Channels,
        "_end",
        "self._rights.end(channel.place)",
        "pass",
    ),
    "a channel that has ended is stored": (
        channels.Channels,
        "_end",
        'self._ledger.change("channel", str(channel.place), None)',
        "pass",
    ),
    "who comes back is still out": (
        channels.Channels,
        "rejoin",
        "del channel.absent[member.person]",
        "pass",
    ),
    "members know a channel by its old name": (
        channels.Channels,
        "move",
        "places[name] = places.pop(channel.name)",
        "pass",
    ),
    "who goes keeps hand and turn": (
        classroom.Classroom,
        "go",
        "self.lower_hand(place, person)",
        "return",
    ),
    "the vote of one who comes back does not count": (
        classroom.Classroom,
        "come",
        "found.out.pop(person, None)",
        "pass",
    ),
    "the end of a turn is not stored": (
        classroom.Classroom,
        "call",
        "self._keep(self._all.setdefault(place, Class(place)))",
        "pass",
    ),
    "a channel that has ended leaves its class": (
        channels.Channels,
        "_end",
        "self.classroom.end(channel.place)",
        "pass",
    ),
    "the end of a stay is not stored": (
        channels.Channels,
        "_end_stay",
        "self._keep(of_person[place])",
        "pass",
    ),
    "who is muted speaks": (speaking.Speaking, "muted", "if found is None:", "if True:"),
    "who was kicked is in": (
        moderation.Moderation,
        "kick",
        "self._channels.put_out(person, channel, self._sessions.members.get(person), signal)",
        "pass",
    ),
    "who is banned joins": (channels.Channels, "refusal", "if banned is not None:", "if False:"),
    "who leaves keeps the hand": (
        classroom.Classroom,
        "go",
        "self.lower_hand(place, person)",
        "pass",
    ),
    "a hand that is down is stored": (
        classroom.Classroom,
        "lower_hand",
        'self._ledger.change("classroom", f"{place} hand {person}", None)',
        "pass",
    ),
    "who leaves keeps the turn": (classroom.Classroom, "go", "if self.turn(place) == person:", "if False:"),
    "a vote outlives its poll": (classroom.Classroom, "reveal", "self._drop_vote(found, person)", "pass"),
}
"""Each a class, a method, a piece of its source, and what the fault makes of that."""


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one of the rules, some walk goes wrong: so the walks would find that it is missing."""
    owner, method, text, other = FAULTS[fault]
    source = textwrap.dedent(inspect.getsource(vars(owner)[method]))
    assert text in source
    names = dict(vars(sys.modules[owner.__module__]))
    exec(source.replace(text, other), names)
    monkeypatch.setattr(owner, method, names[method])
    with pytest.raises((AssertionError, KeyError, AttributeError, IndexError)):
        for seed in range(10):
            walked(seed, 150)
