"""Scenes on small screens: 20 columns and 6 lines, 40 columns and 12 lines."""

from __future__ import annotations

from typing import Final

from tests.client.pseudo_terminal import PseudoTerminal
from tests.pictures.paper import BLACK, CREAM, GREY, WHITE
from tests.pictures.scene import Scene
from tests.pictures.stage import ENTER, Stage, give, has_sent, say, settle

_TINY: Final = (20, 6)
_SMALL: Final = (40, 12)


def _half_typed(stage: Stage) -> PseudoTerminal:
    bob, ann = stage.friend("bob"), stage.ann()
    ann.type("你好, 我")
    settle(ann, "ann> 你好, 我")
    bob.type("地铁 🚇 晚点了" + ENTER)
    settle(ann, "地铁 🚇 晚点了", "ann> 你好, 我")
    return ann


def _gone(stage: Stage) -> PseudoTerminal:
    bob, ann = stage.friend("bob"), stage.ann()
    say(bob, "back in a minute")
    settle(ann, "back in a minute")
    stage.cut()
    settle(ann, "reconnecting")
    ann.type("see you")
    settle(ann, "reconnecting", "ann> see you")
    return ann


def _mention(stage: Stage) -> PseudoTerminal:
    bob, ann = stage.friend("bob"), stage.ann()
    lei = stage.friend("李雷")
    say(lei, "大家好! Who has the key of room 12?", ann)
    say(bob, "Ann had it yesterday.", ann)
    say(bob, "I have the one of room 14.", ann)
    say(ann, "it is on my desk")
    say(lei, "thanks, ann", ann)
    return ann


def _error(stage: Stage) -> PseudoTerminal:
    ann = stage.ann()
    for line, answer in (
        ("/hlep", "mean /help?"),
        ("/go #nowhere", "#nowhere"),
        ("/msg nobody hello", "nobody"),
        ("/kick bob", "operator"),
    ):
        give(ann, line, answer)
    return ann


def _tab(stage: Stage) -> PseudoTerminal:
    stage.friend("bob"), stage.friend("bea")
    ben, ann = stage.friend("ben"), stage.ann()
    say(ben, "does anybody have the slides?", ann)
    ann.type("b\t\t")
    settle(ann, "ann> bea: ")
    return ann


def _direct(stage: Stage) -> PseudoTerminal:
    bob, ann = stage.friend("bob"), stage.ann()
    say(bob, "morning", ann)
    give(ann, "/query bob", "@bob")
    say(ann, "do you have the slides of last week?")
    settle(bob, "@ann 1")
    bob.type("/go @ann" + ENTER)
    settle(bob, "slides of last week")
    say(bob, "yes: slides/06.pdf", ann)
    say(ann, "thank you!", bob)
    return ann


def _muted(stage: Stage) -> PseudoTerminal:
    dora = stage.friend("dora", "--channel", "class")
    ann = stage.ann("--channel", "class")
    say(dora, "Quiet, please: bob speaks.", ann)
    dora.type("/mute ann 10m bob speaks" + ENTER)
    settle(ann, "muted you")
    ann.type("just one question" + ENTER)
    settle(ann, "not said", "just one question", done=has_sent)
    return ann


SCENES: Final = (
    Scene(
        "half-typed-small",
        "A line comes while Ann types one; both have wide characters, and the screen is tiny",
        _TINY, BLACK, _half_typed,
        ("地铁 🚇 晚点了", "ann> 你好, 我"),
    ),
    Scene(
        "gone-small",
        "The server is gone; the status says so, also without colours and on a tiny screen",
        _TINY, WHITE.plain(), _gone,
        ("reconnecting", "ann> see you"),
    ),
    Scene(
        "mention-small",
        "Without colours, too, `>` marks the lines that call Ann",
        _SMALL, GREY.plain(), _mention,
        (">李雷: thanks, ann",),
    ),
    Scene(
        "error",
        "A mistyped command, a channel and a person that are not there, and a role that Ann lacks",
        _SMALL, WHITE, _error,
        ("mean /help?", "#nowhere", "nobody", "operator"),
    ),
    Scene(
        "tab",
        "Tab completes a name; the row above the input shows which others begin like that",
        _SMALL, GREY, _tab,
        ("ann> bea:",),
    ),
    Scene(
        "direct",
        "A conversation of two people takes the place of the channel",
        _SMALL, CREAM, _direct,
        ("@bob", "thank you!"),
    ),
    Scene(
        "muted",
        "Dora has muted Ann; the refusal says why, and how the line comes back",
        _SMALL, BLACK, _muted,
        ("muted you", "not said", "just one question"),
    ),
)  # fmt: skip
