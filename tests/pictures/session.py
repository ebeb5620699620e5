"""The README's pictures: three people, two channels, a mention, a poll, CJK, and a half-typed line."""

from __future__ import annotations

from typing import Final

from tests.client.pseudo_terminal import PseudoTerminal
from tests.pictures.paper import GREY, WHITE
from tests.pictures.scene import Scene
from tests.pictures.stage import ENTER, Stage, give, say, settle

WORDS: Final = "Ann types while Bob and 李雷 go on talking"
SHOWS: Final = (
    *("太好了", "🚆", "ann: can you show your lock diagram", "67 %", "食堂"),
    *("unread: #lunch 1", "#lab, 3 here", "ann> it has two queues and one l"),
)
_EVENING: Final = ("The long run starts at seven tonight.",)


def play(stage: Stage) -> PseudoTerminal:
    """A morning in #lab, which Bob has founded."""
    bob = stage.friend("bob", "--channel", "lab")
    give(bob, "/topic Week 7: threads and locks", "Week 7")
    lei = stage.friend("李雷", "--channel", "lab", "--channel", "lunch")
    stage.past([("dr_okafor", line) for line in _EVENING], "#lab")
    ann = stage.ann("--channel", "lab", "--channel", "lunch")
    say(bob, "Morning! The long run ended at four: no deadlock.", ann, lei)
    say(lei, "太好了! The tunnel cut me off twice, and I missed no line 🚆", ann, bob)
    say(bob, "ann: can you show your lock diagram at ten?", ann)
    say(ann, "yes, gladly", bob)
    stage.next_minute()
    bob.type("/poll And where? | Room 12 | 食堂 | here" + ENTER)
    settle(ann, "And where?")
    for voter, vote in ((bob, 1), (lei, 2), (ann, 2)):
        give(voter, f"/vote {vote}", "our vote")
    bob.type("/reveal" + ENTER)
    settle(ann, "result", "67 %")
    lei.type("/go #lunch" + ENTER)
    settle(lei, done=lambda rows: any(row.startswith("#lunch,") for row in rows))
    say(lei, "noodles today 🍜")
    ann.type("it has two queues and one l")
    settle(ann, "ann> it has two queues and one l")
    say(bob, "then 食堂 it is, at ten", ann)
    settle(ann, *SHOWS)
    return ann


DARK: Final = Scene("session-dark", WORDS, (84, 22), GREY, play, SHOWS, (9, 24, 35))
LIGHT: Final = DARK._replace(name="session-light", paper=WHITE)
