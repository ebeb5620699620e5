"""The judge of rovers on records written by hand: it accepts right records, and names each violation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.records import Entry, Recorder, details
from tests.chaos.roams import Bracket, Connection, Deed, Roam, read_roam
from tests.chaos.rovers import judge_rovers, persons_of
from tests.chaos.wrongs import Wrong

GENERAL, ATTIC, TALK = 1, 2, 3
"""Places: two channels, and the conversation of ann and bob."""

PERSONS = {"ann": 1, "bob": 2, "eve": 3}
CHANNELS = {GENERAL: "#general", ATTIC: "#attic"}


def happened(what: str) -> Entry:
    """`SEQ AUTHOR KIND PLACE [TEXT] [name=number …]`: an event, a second after the one before it."""
    seq, author, kind, place, *rest = what.split()
    fields: dict[str, Any] = {
        name: int(value) for name, _, value in (word.partition("=") for word in rest if "=" in word)
    }
    text = " ".join(word for word in rest if "=" not in word)
    channel = CHANNELS.get(int(place), "")
    if "receiver" in fields:
        channel = "@" + next(name for name, number in PERSONS.items() if number == fields["receiver"])
    person = fields.pop("person", PERSONS.get(author, 0))
    line = Entry(int(seq), kind, channel, author, text, person, int(seq) * 1000, place=int(place))
    return line._replace(**fields)


def log(*lines: str) -> list[Entry]:
    return [happened(line) for line in lines]


STORY = log(
    "1 ann joined 1",
    "2 bob joined 1",
    "3 eve joined 1",
    "4 ann joined 2",
    "5 ann said 2 upstairs id=101",
    "6 ann said 1 last id=102 edited=8",
    "7 ann said 3 psst id=103 receiver=2",
    "8 ann edited 1 last id=104 message=6",
    "9 bob said 1 gone id=201",
    "10 bob joined 2",
    "11 bob said 2 hello id=202",
    "12 bob left 2",
    "13 ann said 2 alone id=105",
)
"""Ann is in both channels, bob visits her, eve is in #general only. Ann has edited what she said at 6."""

FIRST = STORY[5]._replace(text="first", edited=0)
"""How the line was shown before it was edited."""


def shown(*seqs: int, first: Entry = FIRST) -> list[tuple[Entry, int]]:
    """Events as they were shown live, 10 ms after they happened."""
    return [(first if seq == 6 else STORY[seq - 1], seq * 1000 + 10) for seq in seqs]


def connection(person: int, seen: list[tuple[Entry, int]], since: int = 0, head: int = 0) -> Connection:
    places = [(place, 0) for place in ((GENERAL, ATTIC, TALK) if person != 3 else (GENERAL,))]
    last = max(line.seq for line, _ in seen)
    return Connection(since * 1000 + 500, since, person, head, seen, places, last)


def ann() -> Roam:
    deeds = [
        Deed(101, "said", "#attic", "upstairs"),
        Deed(102, "said", "#general", "first"),
        Deed(103, "said", "@bob", "psst", receiver=2),
        Deed(104, "edited", "#general", "last", message=6),
        Deed(105, "said", "#attic", "alone"),
    ]
    mine = connection(1, shown(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13))
    return Roam("ann", deeds=deeds, connections=[mine], confirmed={101, 102, 103, 104, 105})


def bob() -> Roam:
    deeds = [Deed(201, "said", "#general", "gone"), Deed(202, "said", "#attic", "hello")]
    mine = connection(2, shown(2, 3, 6, 7, 8, 9, 10, 11, 12), head=1)
    return Roam("bob", deeds=deeds, connections=[mine], confirmed={201, 202})


def eve(*more: int) -> Roam:
    mine = connection(3, shown(*sorted((3, 6, 8, 9, *more))), head=2)
    mine.seen = 13
    return Roam("eve", connections=[mine])


def wrongs(*lives: Roam, history: list[Entry] = STORY) -> set[Wrong]:
    others = {"ann": ann(), "bob": bob(), "eve": eve()}
    everybody = {**others, **{life.name: life for life in lives}}
    return {violation.wrong for violation in judge_rovers(history, list(everybody.values()))}


def changed(seq: int, **fields: Any) -> list[Entry]:
    """The story with another event in the place of one."""
    return [line._replace(**fields) if line.seq == seq else line for line in STORY]


def test_silent_about_what_is_right() -> None:
    assert list(judge_rovers(STORY, [ann(), bob(), eve()])) == []


@pytest.mark.parametrize("seq", [5, 13])
def test_a_line_to_a_non_member(seq: int) -> None:
    """Eve is shown a line of a channel that she was never in."""
    assert wrongs(eve(seq)) == {Wrong.FOREIGN}


def test_a_line_after_leaving() -> None:
    """Bob is shown what was said after his own LEFT."""
    life = bob()
    life.connections[0].lines += shown(13)
    life.connections[0].seen = 13
    assert wrongs(life) == {Wrong.FOREIGN}


def test_a_line_from_before_joining_comes_only_after_that() -> None:
    """Bob may read of #attic what was said before he came, but not before he came."""
    life = bob()
    life.connections[0].lines.insert(2, (STORY[4], 9_999))
    assert wrongs(life) == {Wrong.FOREIGN}
    life.connections[0].lines[2] = (STORY[4], 10_001)
    assert wrongs(life) == set()


def test_a_direct_line_to_a_third() -> None:
    assert wrongs(eve(7)) == {Wrong.FOREIGN}
    life = eve()
    life.connections[0].channels.append((TALK, 7000))
    assert wrongs(life) == {Wrong.FOREIGN}


def test_an_event_before_its_channel() -> None:
    """Bob is told of the conversation with the line, and of #attic with his joining, not later."""
    life = bob()
    life.connections[0].channels = [(GENERAL, 0), (TALK, 3), (ATTIC, 6)]
    assert [life.connections[0].lines[at][0].seq for at in (3, 6)] == [7, 10]
    assert wrongs(life) == set()
    for late in ([(GENERAL, 0), (TALK, 4), (ATTIC, 6)], [(GENERAL, 0), (TALK, 3)]):
        life.connections[0].channels = late
        assert wrongs(life) == {Wrong.UNANNOUNCED}


def test_a_direct_line_to_a_later_bearer_of_the_name() -> None:
    """It was meant for person 2; history gives it to another one."""
    history = changed(7, receiver=3)
    assert Wrong.UNSAID in wrongs(history=history)


def test_a_conversation_has_two_persons() -> None:
    """A third one speaks in the place of two others."""
    history = [*STORY, happened("14 eve said 3 psst id=301 receiver=2")]
    assert Wrong.INTRUDED in wrongs(history=history)


@pytest.mark.parametrize("missing", [7, 10, 12])
def test_a_gap(missing: int) -> None:
    """An event of a place in the interval, its ends too, that is not shown."""
    life = bob()
    life.connections[0].lines = [one for one in life.connections[0].lines if one[0].seq != missing]
    assert wrongs(life) == {Wrong.GAP}


def test_a_gap_at_the_seam_of_two_connections() -> None:
    """The second connection goes on where the first one ended, and not one later."""
    life = bob()
    both = shown(2, 3, 6, 7), shown(8, 9, 10, 11, 12)
    life.connections = [connection(2, both[0], head=1), connection(2, both[1], since=7)]
    assert wrongs(life) == set()
    del life.connections[1].lines[0]
    assert wrongs(life) == {Wrong.GAP}


def test_twice_over_a_reconnect() -> None:
    life = bob()
    first = connection(2, shown(2, 3, 6, 7), head=1)
    life.connections = [first, connection(2, shown(7, 8, 9, 10, 11, 12), since=6)]
    assert wrongs(life) == {Wrong.REPEATED}


def test_the_first_replay_has_no_hole() -> None:
    """It begins anywhere, but then goes on without a gap."""
    last = STORY[5]
    late = connection(3, [(last, 9000), (STORY[7], 9000), (STORY[8], 9010)], head=8)
    late.seen = 13
    assert wrongs(Roam("eve", connections=[late])) == set()
    del late.lines[1]
    assert wrongs(Roam("eve", connections=[late])) == {Wrong.GAP}


def test_a_replay_with_the_old_text() -> None:
    """Whoever comes when an edit is known must get its text. Live, the first text is right."""
    late = Connection(9000, 0, 3, 8, [(FIRST, 9000), (STORY[7], 9000)], seen=8)
    assert wrongs(Roam("eve", connections=[late])) == {Wrong.STALE}
    late.lines[0] = (STORY[5], 9000)
    assert wrongs(Roam("eve", connections=[late])) == set()


def test_a_text_before_it_was_written() -> None:
    life = eve()
    life.connections[0].lines = [(STORY[5], 6010) if one.seq == 6 else (one, at) for one, at in eve_shown()]
    assert wrongs(life) == {Wrong.STALE}


def eve_shown() -> list[tuple[Entry, int]]:
    return eve().connections[0].lines


def test_history_has_the_last_text() -> None:
    """… and which edit it is of."""
    assert Wrong.STALE in wrongs(history=changed(6, text="first", edited=0))
    assert Wrong.STALE in wrongs(history=changed(6, edited=0))
    assert wrongs(history=changed(6, text="else")) >= {Wrong.STALE}


def test_nothing_is_left_of_a_deleted_line() -> None:
    """Neither the line has its text nor an edit of it, in history and in a replay."""
    deleted = happened("14 ann deleted 1 id=106 message=6")
    blank, edit = {"text": "", "edited": 0, "deleted": 14}, {"text": ""}
    history = [
        line._replace(**(blank if line.seq == 6 else edit if line.seq == 8 else {})) for line in STORY
    ] + [deleted]
    owner = ann()
    owner.deeds.append(Deed(106, "deleted", "#general", "", message=6))
    owner.connections[0].lines.append((deleted, 14_010))
    owner.connections[0].seen = 14
    assert wrongs(owner, history=history) == set()
    for seq, text in ((6, "last"), (8, "last")):
        wrong = [line._replace(text=text) if line.seq == seq else line for line in history]
        assert wrongs(owner, history=wrong) == {Wrong.STALE}
    late = Connection(
        15_000, 0, 3, 14, [(STORY[5], 15_000), *[(history[n], 15_000) for n in (7, 8, 13)]], seen=14
    )
    assert wrongs(owner, Roam("eve", connections=[late]), history=history) == {Wrong.STALE}


def test_an_edit_is_applied_once() -> None:
    again = happened("14 ann edited 1 last id=104 message=6")
    history = [*changed(6, edited=14), again]
    history[7] = history[7]._replace(text="")
    assert wrongs(history=history) == {Wrong.DOUBLED, Wrong.DISORDERED}


@pytest.mark.parametrize("kind", ["edited", "deleted"])
def test_an_edit_of_somebody_elses_line(kind: str) -> None:
    """Bob edits or deletes what ann has said in a channel that he does not own."""
    life = bob()
    text = "mine" if kind == "edited" else ""
    line = happened(f"14 bob {kind} 1 {text} id=203 message=6")
    life.deeds.append(Deed(203, kind, "#general", text, message=6))
    history = [*changed(6, text=text, **({"edited": 14} if text else {"deleted": 14, "edited": 0})), line]
    history[7] = history[7]._replace(text="")
    assert wrongs(life, history=history) == {Wrong.INTRUDED}


def test_the_founder_of_a_channel_may_delete() -> None:
    owner = ann()
    line = happened("14 ann deleted 2 id=106 message=11")
    owner.deeds.append(Deed(106, "deleted", "#attic", "", message=11))
    history = [*changed(11, text="", deleted=14), line]
    assert wrongs(owner, history=history) == set()


def test_lost_and_refused() -> None:
    """What was confirmed is there; what was refused is not."""
    owner = ann()
    owner.deeds.append(Deed(106, "said", "#general", "more"))
    assert wrongs(owner) == set()
    owner.confirmed.add(106)
    assert wrongs(owner) == {Wrong.LOST}
    owner = ann()
    owner.refused[105] = 10
    assert wrongs(owner) == {Wrong.UNSAID}


def test_made_up_and_disordered() -> None:
    assert wrongs(history=changed(13, id=999)) >= {Wrong.UNSAID}
    assert wrongs(replace(ann(), deeds=[*ann().deeds[:-1], Deed(100, "said", "#attic", "x")])) >= {
        Wrong.UNSAID
    }
    life = ann()
    life.deeds[-1], life.confirmed = Deed(100, "said", "#attic", "alone"), {101}
    assert wrongs(life, history=changed(13, id=100)) >= {Wrong.DISORDERED}


def test_nobody_acts_where_they_are_not() -> None:
    """Bob speaks in #attic after he has left it."""
    history = [*STORY, happened("14 bob said 2 back id=203")]
    life = bob()
    life.deeds.append(Deed(203, "said", "#attic", "back"))
    assert Wrong.INTRUDED in wrongs(life, history=history)


def test_an_owner_may_look_after_a_channel_from_outside() -> None:
    """Nobody else may, and the owner does not speak from there."""
    story = ("1 ann joined 2", "2 bob joined 2", "3 ann left 2", "4 bob joined 1", "5 ann joined 1")
    assert list(judge_rovers(log(*story, "6 ann listed 2"), [])) == []
    for wrong in ("6 ann said 2 here", "6 eve topic 2 new"):
        assert {one.wrong for one in judge_rovers(log(*story, wrong), [])} == {Wrong.INTRUDED}


def test_names_that_change_hands() -> None:
    """A name belongs to one person at a time, and every event has the name of that moment."""
    names = log(
        "1 ann joined 1",
        "2 bob joined 1",
        "3 ann renamed 0 zoe",
        "4 bob renamed 0 ann",
        "5 zoe said 1 a id=101 person=1",
    )
    said = Roam("ann", deeds=[Deed(101, "said", "#general", "a")], connections=[Connection(0, 0, 1, 9)])
    assert {one.wrong for one in judge_rovers(names, [said])} == set()
    still = [*names[:4], names[4]._replace(author="ann")]
    assert {one.wrong for one in judge_rovers(still, [said])} == {Wrong.MISNAMED}
    both = [*names[:2], names[3]._replace(seq=3), names[4]._replace(seq=4, author="ann")]
    assert {one.wrong for one in judge_rovers(both, [said])} == {Wrong.MISNAMED}


def test_who_is_nowhere_may_take_another_name_in_silence() -> None:
    """Ann's only channel is closed by bob; when she comes back she is called otherwise."""
    history = log("1 ann joined 1", "2 bob joined 1", "3 bob closed 1", "4 zoe joined 2 person=1")
    assert list(judge_rovers(history, [])) == []
    assert {one.wrong for one in judge_rovers([*history[:2], history[3]], [])} == {Wrong.MISNAMED}


def test_nothing_of_a_closed_channel() -> None:
    """Whoever was in it gets CLOSED, and nothing after that, also when another one has its name."""
    closed = happened("14 ann closed 2")
    later = [happened("15 ann joined 4")._replace(channel="#attic"), happened("16 bob joined 2")]
    life = ann()
    life.connections[0].seen = 15
    assert wrongs(life, history=[*STORY, closed, later[0]]) == {Wrong.GAP}
    life.connections[0].lines += [(closed, 14_010), (later[0], 15_010)]
    life.connections[0].channels.append((4, 13))
    assert wrongs(life, history=[*STORY, closed, later[0]]) == set()
    life.connections[0].lines.append((later[1], 16_010))
    assert wrongs(life, history=[*STORY, closed, *later]) == {Wrong.FOREIGN}


def test_a_rename_goes_to_who_shares_a_channel() -> None:
    history = [*STORY, happened("14 bob renamed 0 rob")]
    life = eve()
    life.connections[0].seen = 14
    assert wrongs(life, history=history) == {Wrong.GAP}
    life.connections[0].lines.append((history[13], 14_010))
    assert wrongs(life, history=history) == set()
    elsewhere = [
        *STORY[:13],
        happened("14 dora joined 2 person=4"),
        happened("15 dora renamed 0 dora2 person=4"),
    ]
    life.connections[0].lines[-1] = elsewhere[14], 15_010
    assert wrongs(life, history=elsewhere) == {Wrong.FOREIGN}


def test_a_sealed_channel() -> None:
    """Bob does not read what was said in #attic before he came, once all know that it is sealed."""
    history = changed(
        9, kind="set", place=ATTIC, channel="#attic", text="", id=0, person=1, author="ann", sealed=True
    )
    owner, life, other = ann(), bob(), eve()
    owner.connections[0].lines[8] = history[8], 9010
    del life.deeds[0], other.connections[0].lines[-1]
    life.connections[0].lines = [one for one in life.connections[0].lines if one[0].seq != 9]
    assert wrongs(owner, life, other, history=history) == set()
    life.brackets = [Bracket("/grep up", 0, 2, 11, 11_020, [(STORY[4], 11_030)], 0)]
    assert wrongs(owner, life, other, history=history) == {Wrong.FOREIGN}
    life.brackets[0].asked = 9_005
    assert wrongs(owner, life, other, history=history) == set()
    owner.brackets = [Bracket("/history 9", 0, 1, 13, 13_020, [(STORY[4], 13_030), (STORY[12], 13_030)], 0)]
    assert wrongs(owner, life, other, history=history) == {Wrong.GAP}
    owner.brackets[0].person, owner.brackets[0].head = 2, 11
    owner.brackets[0].lines = [(STORY[10], 11_030)]
    assert wrongs(owner, life, other, history=history) == set()


# --- /history and the like --------------------------------------------------------------------------------


def asked(*lines: Entry, head: int = 12, place: int = 0, text: str = "/history 30") -> Bracket:
    """By bob, after he has seen `head`."""
    return Bracket(text, place, 2, head, head * 1000 + 20, [(line, head * 1000 + 30) for line in lines], 0)


@pytest.mark.parametrize(
    ("bracket", "wrong"),
    [
        (asked(STORY[5], STORY[8]), None),
        (asked(STORY[4], STORY[10], head=11), None),
        (asked(STORY[4], STORY[10], head=12), Wrong.FOREIGN),
        (asked(STORY[4], head=9), Wrong.FOREIGN),
        (asked(STORY[6], place=TALK), None),
        (asked(STORY[6], place=GENERAL), Wrong.FOREIGN),
        (asked(FIRST, STORY[8]), Wrong.STALE),
        (asked(FIRST, head=7), None),
        (asked(STORY[8], STORY[5]), Wrong.BACKWARDS),
        (asked(STORY[5], STORY[5]), Wrong.BACKWARDS),
        (asked(happened("12 ann said 2 never"), head=11), Wrong.UNSTORED),
    ],
)
def test_what_was_found(bracket: Bracket, wrong: Wrong | None) -> None:
    """Lines of places that bob is in when he asks, with the text that was known then, in order."""
    life = bob()
    life.brackets.append(bracket)
    assert wrongs(life) == ({wrong} if wrong else set())


def test_history_without_a_gap() -> None:
    """/history gives lines that follow each other; /grep picks some."""
    life = ann()
    lines = [(STORY[4], 13_030), (STORY[12], 13_030)]
    life.brackets = [Bracket("/history 9", 0, 1, 13, 13_020, lines, 0)]
    assert wrongs(life) == {Wrong.GAP}
    life.brackets = [Bracket("/grep a", 0, 1, 13, 13_020, lines, 0)]
    assert wrongs(life) == set()


def test_a_direct_line_found_by_a_third() -> None:
    life = eve()
    life.brackets = [Bracket("/grep psst", 0, 3, 13, 13_020, [(STORY[6], 13_030)], 0)]
    assert wrongs(life) == {Wrong.FOREIGN}


# --- records ----------------------------------------------------------------------------------------------


def test_a_record_is_read_back(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.jsonl")
    fields: dict[str, Any] = {
        "kind": "said",
        "channel": "#general",
        "author": "bob",
        "text": "hi",
        "person": 2,
        "place": 1,
    }
    recorder.write("welcome", asked=5, since=0, person=1, head=3, name="ann")
    recorder.write("channel", place=1, name="#general", at=6)
    recorder.write("said", id=9, form="edited", channel="#general", text="x", receiver=0, message=4)
    recorder.write("shown", seq=4, id=8, time=7, at=8, **fields)
    recorder.write("seen", seq=6)
    recorder.write("asked", id=1, text="/history 5", place=1, person=1, head=6, at=9)
    recorder.write("found", id_asked=1, seq=4, id=8, time=7, at=10, **fields)
    recorder.write("answered", id=1, code=0)
    recorder.write("confirmed", id=9)
    recorder.write("refused", id=10, code=20)
    recorder.write("ended", reason="")
    recorder.close()
    life = read_roam(tmp_path / "a.jsonl", Roam("ann"))
    line = Entry(4, "said", "#general", "bob", "hi", 2, 7, 8, 1)
    assert life.connections == [Connection(5, 0, 1, 3, [(line, 8)], [(1, 0)], 6)]
    assert life.brackets == [Bracket("/history 5", 1, 1, 6, 9, [(line, 10)], 0)]
    assert life.deeds == [Deed(9, "edited", "#general", "x", message=4)]
    assert (life.confirmed, life.refused, life.ending) == ({9}, {10: 20}, "")


def test_the_rows_of_an_event() -> None:
    """Which keys mean what depends on the kind; unknown ones are skipped."""
    rows = bytes([5, 4, 0, 0, 0, 7, 3, 8, 0, 0, 0, 0, 0, 0, 1, 0, 99, 1, 0])
    assert details("edited", rows) == {"receiver": 7, "message": 256}
    assert details("joined", b"\x02\x03ann") == {"account": "ann"}
    assert details("set", b"\x10\x01\x01\x02\x01\x00") == {"sealed": True}
    assert details("set", b"\x02\x01\x01") == details("topic", rows) == details("joined", b"") == {}


def test_a_rover_that_never_knew_its_number_is_one() -> None:
    assert persons_of(STORY, [ann()], ["bob"]) == {1, 2}
