"""Words about channels: every outcome of every command has some."""

from __future__ import annotations

import pytest

from chatroom.channel_commands import CHANNEL_COMMANDS
from chatroom.outcomes import Code, Outcome
from server import words
from server.channel_words import of_channel_command
from tests.support.events import NOON

NAMES = [command.name for command in CHANNEL_COMMANDS]
TOGETHER = ("/channels", "/topic", "/set")
"""Their rows of OK are of another kind."""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TOGETHER])
@pytest.mark.parametrize("code", [Code.OK, Code.ALREADY])
def test_what_became_of_it(name: str, code: Code) -> None:
    """Success, and what was so before, are said with the names that the rows have."""
    if (name, code) in {("/leave", Code.ALREADY), ("/close", Code.ALREADY)}:
        return  # there is no such outcome
    said = of_channel_command(name, Outcome(code, ("eve", "#tea")))
    assert said is not None and "eve" in said


@pytest.mark.parametrize(
    ("command", "outcome", "said"),
    [
        ("/join", Outcome(Code.BAD_KEY, ("#tea",)), "#tea has a key: /join #tea KEY"),
        ("/join", Outcome(Code.INVITE_ONLY, ("#tea",)), "#tea is for those who are invited"),
        ("/join", Outcome(Code.FULL, ("#tea",)), "there are too many channels already"),
        ("/join", Outcome(Code.BAD_NAME, ("a channel begins with '#'",)), "a channel begins with '#'"),
        (
            "/join",
            Outcome(Code.OK, ("#tea", 2, "poll", "Tea?")),
            "you are in #tea; a poll is open: Tea? (/vote shows it)",
        ),
        (
            "/join",
            Outcome(Code.OK, ("#tea", 2, "poll", "x" * 900)),
            f"you are in #tea; a poll is open: {'x' * 59}… (/vote shows it)",
        ),
        ("/leave", Outcome(Code.NOT_IN, ("#tea",)), "you are not in #tea"),
        ("/leave", Outcome(Code.BAD_ARGUMENTS), "usage: /leave [#CHANNEL] [REASON]"),
        ("/topic", Outcome(Code.NO_SUCH_CHANNEL, ("#tea",)), "there is no channel #tea"),
        ("/topic", Outcome(Code.OK, ("Earl Grey",)), "the topic is: Earl Grey"),
        ("/topic", Outcome(Code.OK, ("",)), "the topic is removed"),
        ("/topic", Outcome(Code.OK, ("", "", 0)), "there is no topic"),
        ("/topic", Outcome(Code.OK, ("tea", "eve", NOON)), "tea (by eve, 2023-11-14 22:13 UTC)"),
        ("/topic", Outcome(Code.TOO_LONG, (512,)), "too long: 512 bytes at most"),
        ("/set", Outcome(Code.OK, ("moderated", "on")), "moderated on"),
        ("/set", Outcome(Code.OK, (("key", "off"), ("history", "all"))), "key off, history all"),
        ("/set", Outcome(Code.ALREADY, ("moderated", "on")), "moderated is on already"),
        ("/set", Outcome(Code.NEED_ROLE, ("/set", "operator")), "/set needs the role operator"),
        ("/invite", Outcome(Code.NO_SUCH_NAME, ("eve",)), "nobody is known here as eve"),
        ("/transfer", Outcome(Code.NO_SUCH_NAME, ("eve",)), "nobody in this channel is known as eve"),
        ("/move", Outcome(Code.NAME_TAKEN, ("#tea",)), "there is a channel #tea already"),
        (
            "/voice",
            Outcome(Code.TOO_MANY, ("eve", "#tea")),
            "there are too many on the lists of this channel",
        ),
        ("/voice", Outcome(Code.BAD_NAME), "bad name"),
    ],
)
def test_words(command: str, outcome: Outcome, said: str) -> None:
    """A person is told what it is about."""
    assert words.answer(command, outcome)[0] == said


def test_other_commands() -> None:
    """What is not about channels is somebody else's business."""
    assert of_channel_command("/op", Outcome(Code.NO_SUCH_NAME, ("eve",))) is None
