"""Scenes on a large screen: 120 columns, 40 lines."""

from __future__ import annotations

from typing import Final

from tests.client.pseudo_terminal import PseudoTerminal
from tests.pictures.morning import MORNING
from tests.pictures.paper import GREY, WHITE
from tests.pictures.scene import Scene
from tests.pictures.stage import ENTER, Stage, frozen, give, say, settle
from tests.pictures.usual import END_OF_PASTE, LINK, PASTE

_SIZE: Final = (120, 40)
_FLOOD: Final = 6_000
_CODE: Final = (
    "def merge(left, right):",
    "    out = []",
    "    while left and right:",
    "        # stable: take from the left when equal",
    "        out.append((left if left[0] <= right[0] else right).pop(0))",
    "    return out + left + right",
)


def _flood(stage: Stage) -> PseudoTerminal:
    bob, ann = stage.friend("bob"), stage.ann()
    say(bob, "I start the build robot now", ann)
    ann.type("I can still ty")
    settle(ann, "ann> I can still ty")
    with frozen(ann):
        stage.robot("robot", "\n".join(f"[{number}/{_FLOOD}] compiled" for number in range(1, _FLOOD + 1)))
    ann.type("pe")
    settle(ann, "robot left", f"[{_FLOOD}/{_FLOOD}] compiled", "ann> I can still type")
    return ann


def _help(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    ann = stage.ann()
    give(ann, "/help", "/quit")
    return ann


def _class(stage: Stage) -> PseudoTerminal:
    okafor = stage.friend("dr_okafor", "--channel", "class")
    give(okafor, "/topic Week 7: threads and locks, lab sheet due Friday 18:00", "Week 7")
    bob, jo = stage.friend("bob", "--channel", "class"), stage.friend("jo", "--channel", "class")
    lei = stage.friend("李雷", "--channel", "class")
    max_, chris = (
        stage.friend(name, "--channel", "class") for name in ("maximilian-schmidt", "christopher_w")
    )
    ann = stage.ann("--channel", "class")
    say(okafor, "Good morning! Today we look at what a lock really guards.", ann)
    say(bob, "morning", ann)
    say(
        max_,
        "Is the lab sheet from last week still open? I could not upload mine on Sunday evening because the "
        "form said that the deadline had passed already.",
        ann,
    )
    say(okafor, "Yes, until tonight.", ann)
    say(okafor, "Please write your group number into the file name.", ann)
    say(lei, "大家好！我们组已经完成了第一部分 👍", ann)
    say(bob, "nice 🎉", ann)
    say(
        chris,
        'my threads die with "dictionary changed size during iteration", but only on the lab machines',
        ann,
    )
    say(bob, "ann: did you see that one too?", ann)
    chris.type("/me goes and gets a coffee" + ENTER)
    settle(ann, "christopher_w goes and gets a coffee")
    jo.type(f"{PASTE}{ENTER.join(_CODE)}{END_OF_PASTE}" + ENTER)
    settle(ann, "return out + left + right")
    stage.next_minute()
    say(max_, "pop(0) is O(n) for a list, a deque would be better here", ann)
    say(lei, "同意, deque 更快。", ann)
    say(jo, f"thanks, both of you; the example that I read is here: {LINK}", ann)
    bob.type("/msg ann do you have the slides of last week?" + ENTER)
    settle(ann, "@bob 1")
    say(okafor, "Ann, can you show your lock diagram after the break?", ann)
    say(chris, "ok, a copy of the keys it is: for key in list(table): …", ann)
    say(okafor, "Then let us go on. Who can say why this prints 0 or 1, and never 2?", ann)
    say(jo, "because the second thread sees the old value?", ann)
    say(lei, "对: 读, 加, 写 are three steps, and the other thread comes between them", ann)
    bob.type("/react 👏" + ENTER)
    settle(ann, "👏")
    say(ann, "yes, gladly")
    ann.type("sure, I will show the one with the two queues and the")
    settle(ann, "unread: @bob 1", "two queues and the")
    return ann


SCENES: Final = (
    Scene(
        "flood",
        "A robot has said six thousand lines while Ann's computer slept; her half-typed line goes on",
        _SIZE, GREY, _flood,
        (f"[{_FLOOD}/{_FLOOD}] compiled", "ann> I can still type"),
    ),
    Scene(
        "help",
        "`/help`: all commands in groups",
        _SIZE, WHITE, _help,
        ("/join", "/quit"),
    ),
    Scene(
        "class",
        "A lesson: a topic, long names, code, calls, and a private line that waits",
        _SIZE, GREY, _class,
        ("Week 7: threads and locks", "return out + left + right", "unread: @bob 1", "同意"),
        (9, 23, 25),
    ),
)  # fmt: skip
