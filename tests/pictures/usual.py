"""Scenes on the usual screen: 80 columns, 24 lines."""

from __future__ import annotations

from typing import Final

from tests.client.pseudo_terminal import PseudoTerminal
from tests.pictures.morning import MORNING
from tests.pictures.paper import BLACK, CREAM, GREY, WHITE
from tests.pictures.scene import Scene
from tests.pictures.stage import ENTER, Stage, frozen, give, has_sent, say, settle
from tests.support.patience import eventually

_SIZE: Final = (80, 24)
LINK: Final = (
    "https://docs.python.org/3/library/concurrent.futures.html"
    "?highlight=threadpoolexecutor&section=processpoolexecutor-example&from=course-notes-week-07"
)
_PEOPLE: Final = (
    *("amir", "bea", "carla", "dmitri", "elif", "farah", "gus", "hana", "ivan", "jun", "kofi", "lena"),
    *("mina", "noor", "otto", "pia", "quinn", "rosa", "sami", "tara", "uma", "vera", "wen", "xenia"),
    *("yusuf", "zara", "maximilian-schmidt", "christopher_w", "小明", "김철수"),
)
PASTE, END_OF_PASTE = "\x1b[200~", "\x1b[201~"


def _first_start(stage: Stage) -> PseudoTerminal:
    stage.friend("ann")
    new = stage.watch(*stage.paper.options)
    new.see("[ann]")
    new.type(ENTER)
    settle(new, "in use", "[ann2]")
    new.type("anna")
    settle(new, "]: anna")
    return new


def _half_typed(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    lei, bob, ann = stage.friend("李雷"), stage.friend("bob"), stage.ann()
    say(lei, "大家好！我们组已经完成了第一部分 👍", ann)
    say(bob, "nice 🎉 which part is the hard one?", ann)
    ann.type("我觉得第二部分更难 🤔, because the two queues have one lock and the other ")
    ann.type("thread 等不到 it 👩‍🔬" + "\x1b[D" * 12)
    settle(ann, "等不到")
    say(lei, "第二部分: 两个队列, 一个锁", ann)
    say(bob, "한국어도 되나요? ✅ ja, und Zürich auch", ann)
    settle(ann, "Zürich", "等不到")
    return ann


def _paste(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    say(bob, "my threads die with a traceback, but only on the lab machines", ann)
    say(bob, "can you show how you start them?", ann)
    code = [
        "def start() -> list[Thread]:",
        "    found = [Thread(target=work) for _ in range(9)]",
    ]
    code += ["    for thread in found:", "        thread.start()", "    return found"]
    ann.type(f"so: {PASTE}{ENTER.join(code)}{END_OF_PASTE}" + ENTER)
    settle(ann, "return found", done=has_sent)
    ann.type(f"and all of it: {PASTE}" + ENTER.join(f"line {n}" for n in range(1, 41)) + END_OF_PASTE)
    ann.type(" is that right?")
    settle(ann, "[Pasted 40 lines] is that right?")
    return ann


def _reconnecting(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    say(bob, "I change a cable now, hold on", ann)
    say(ann, "fine")
    stage.cut()
    settle(ann, "connection lost")
    ann.type("said while nobody hears it" + ENTER)
    settle(ann, "--:--")
    ann.type("and this one too" + ENTER + "half a li")
    settle(ann, "and this one too", "refused", "ann> half a li")
    return ann


def _missed(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, lei, ann = stage.friend("bob"), stage.friend("李雷"), stage.ann()
    say(bob, "I change a cable now, hold on", ann)
    say(ann, "fine, I go for a coffee")
    ann.type("half a li")
    settle(ann, "ann> half a li")
    with frozen(ann):
        stage.cut()
        stage.restart()
        for friend in (bob, lei):
            settle(friend, "back again")
        say(bob, "there we are again", lei)
        say(lei, "没有丢, nothing is lost", bob)
        say(bob, "ann: tell us when you are back", lei)
    settle(ann, "missed", "tell us when", "ann> half a li")
    return ann


def _joins(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    say(bob, "the class comes in at any moment", ann)
    with stage.crowd(_PEOPLE) as crowd:
        settle(ann, "30 joined", "#general, 32 here")
        say(bob, "welcome, all of you!", ann)
        crowd[0].say("morning")
        settle(ann, "amir morning")
        for one in crowd[1:10]:
            one.close()
        crowd[0].close()
        settle(ann, "#general, 22 here")
        say(bob, "some went to the wrong room", ann)
        settle(ann, "left", "#general, 22 here")
    return ann


def _poll(stage: Stage) -> PseudoTerminal:
    dora = stage.friend("dora", "--channel", "class")
    stage.past(MORNING, "#class")
    ann = stage.ann("--channel", "class")
    names = _PEOPLE[:12]
    with stage.crowd(names, "#class") as crowd:
        settle(ann, "12 joined")
        dora.type("/poll Which lock does put() take? | the queue's own | 房间的锁 | none at all" + ENTER)
        settle(ann, "none at all")
        for number, one in enumerate(crowd):
            one.ask(f"/vote {1 + number % 3 * (number % 2)}", channel="#class").check()
        give(ann, "/vote 1", "our vote")
        dora.type("/reveal" + ENTER)
        settle(ann, "result", "69 %")
        say(dora, "Right: the queue's own. Who can say why?", ann)
        crowd[4].ask("/hand", channel="#class").check()
        settle(ann, "elif", "hand")
        dora.type("/next" + ENTER)
        settle(ann, "has the word")
        return ann


def _kick(stage: Stage) -> PseudoTerminal:
    dora = stage.friend("dora", "--channel", "class")
    eve = stage.friend("eve", "--channel", "class")
    stage.past(MORNING, "#class")
    ann = stage.ann("--channel", "class")
    say(dora, "Please open the lab sheet.", ann)
    for _ in range(3):
        say(eve, "BUY CHEAP WATCHES http://watches.example", ann)
    dora.type("/kick eve no advertising" + ENTER)
    settle(ann, "removed eve")
    eve.type("/join #class" + ENTER)
    settle(ann, "eve joined")
    settle(eve, "#class:", "3 people")
    say(eve, "WATCHES!!!", ann)
    dora.type("/ban eve 2h no advertising, as I said" + ENTER)
    settle(ann, "banned eve")
    say(dora, "Where were we?", ann)
    return ann


def _unread(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob = stage.friend("bob", "--channel", "tea")
    give(bob, "/topic Earl Grey or green?", "Earl Grey")
    give(bob, "/join #general", "#general:")
    ann = stage.ann("--channel", "general", "--channel", "tea")
    say(bob, "morning, ann", ann)
    bob.type("/go #tea" + ENTER)
    settle(bob, done=lambda rows: any(row.startswith("#tea,") for row in rows))
    for text in ("the water boils", "and the cups are clean", "somebody took the green one"):
        say(bob, text)
    bob.type("/msg ann shall I bring you one?" + ENTER)
    settle(ann, "#tea 3", "@bob 1")
    give(ann, "/unread", "2 #tea")
    return ann


def _search(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    for text in (
        "the lab sheet is in the folder lab/07",
        "it is due on Friday, 18:00",
        "I am at lunch till one",
    ):
        say(ann, text, bob)
    say(bob, "sorry, where was the sheet?", ann)
    ann.type("\x12lab")
    settle(ann, "ann> the lab sheet")
    return ann


def _who(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    with stage.crowd(_PEOPLE) as crowd:
        settle(ann, "30 joined", "#general, 32 here")
        bob.process.kill()
        eventually(lambda: "lost" in crowd[0].ask("/who").words, "the server does not miss bob")
        give(ann, "/who", "lost")
        return ann


def _link(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    say(ann, "how did you start the pool?", bob)
    say(bob, f"the example is here: {LINK} and the part on locks is near its end", ann)
    say(ann, "short ones stay in the line, as https://docs.python.org/3/library/queue.html does", bob)
    ann.type("thanks")
    settle(ann, "ann> thanks")
    return ann


def _edits(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, lei, ann = stage.friend("bob"), stage.friend("李雷"), stage.ann()
    say(bob, "the exam is on Thrusday at ten", ann, lei)
    bob.type("s/Thrusday/Thursday/" + ENTER)
    settle(ann, "Thursday at ten")
    say(lei, "星期四? I had read Tuesday", ann, bob)
    give(ann, "/reply no, Tuesday was last year", "no, Tuesday was last year")
    lei.type("/react 👍" + ENTER)
    settle(ann, "👍")
    say(lei, "my key is 4711-0815", ann)
    lei.type("/delete" + ENTER)
    settle(ann, "deleted")
    bob.type("/me looks away" + ENTER)
    settle(ann, "bob looks away")
    return ann


def _password(stage: Stage) -> PseudoTerminal:
    stage.past(MORNING)
    bob, ann = stage.friend("bob"), stage.ann()
    ann.type("half a li")
    ann.see("ann> half a li")
    ann.type("\x15/register" + ENTER)
    settle(ann, "a password for ann")
    ann.type("correct horse" + ENTER)
    settle(ann, "the same again")
    say(bob, "is anybody here?")
    settle(ann, "is anybody here?", "the same again")
    return ann


SCENES: Final = (
    Scene(
        "first-start",
        "A first start: the proposed name is in use, so the client asks for another one",
        _SIZE, GREY, _first_start,
        ("[ann]", "in use", "[ann2]: anna"),
    ),
    Scene(
        "half-typed",
        "A line of several rows is half-typed, among Chinese, Korean and emoji, while others go on",
        _SIZE, CREAM, _half_typed,
        ("我觉得第二部分更难", "Zürich", "大家好！"),
    ),
    Scene(
        "paste",
        "A short paste is shown as it is; a long one is a mark in the input, and is sent whole",
        _SIZE, GREY, _paste,
        ("[Pasted 40 lines] is that right?", "def start()"),
    ),
    Scene(
        "reconnecting",
        "The server is gone: the status says so, two lines wait without a time, a third one is half-typed",
        _SIZE, BLACK, _reconnecting,
        ("connection lost", "--:--", "said while nobody hears it", "ann> half a li"),
    ),
    Scene(
        "missed",
        "Back again: what Ann missed stands under a divider, and her half-typed line is still there",
        _SIZE, WHITE, _missed,
        ("missed", "nothing is lost", "ann> half a li"),
    ),
    Scene(
        "joins",
        "Thirty people join and nine leave: one row each; who has spoken has a row of their own",
        _SIZE, WHITE, _joins,
        ("30 joined", "left", "#general, 22 here"),
    ),
    Scene(
        "poll",
        "A poll, its result, and a raised hand",
        _SIZE, CREAM, _poll,
        ("69 %", "房间的锁", "elif", "hand", "has the word"),
    ),
    Scene(
        "kick",
        "Dora removes Eve, who comes back, and is banned",
        _SIZE, GREY, _kick,
        ("removed eve", "banned eve", "no advertising"),
    ),
    Scene(
        "unread",
        "The status counts what is unread elsewhere; `/unread` lists the places with their numbers",
        _SIZE, CREAM, _unread,
        ("#tea 3", "@bob 1", "2 #tea"),
    ),
    Scene(
        "search",
        "Ctrl-R finds a line that Ann has sent, here without colours",
        _SIZE, GREY.plain(), _search,
        ("search", "ann> the lab sheet"),
    ),
    Scene(
        "who",
        "`/who` with thirty-two people, one of whom has lost the connection",
        _SIZE, BLACK, _who,
        ("lost", "bob", "maximilian-schmidt", "小明"),
    ),
    Scene(
        "link",
        "A long link begins in the first column, so that it is copied whole; a short one stays in its line",
        _SIZE, WHITE, _link,
        (LINK, "ann> thanks"),
    ),
    Scene(
        "edits",
        "A line is corrected, answered, reacted to; another one is deleted; Bob does something",
        _SIZE, GREY, _edits,
        ("Thursday at ten", "edited", "no, Tuesday was last year", "👍", "bob looks away"),
    ),
    Scene(
        "password",
        "`/register` asks for a password, of which nothing is shown; others go on talking",
        _SIZE, CREAM, _password,
        ("the same again", "is anybody here?"),
    ),
)  # fmt: skip
