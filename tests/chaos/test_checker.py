"""The checker on records written by hand: it accepts right records, and names each violation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.checker import judge
from tests.chaos.records import Entry, Life, Recorder, brief, read_life
from tests.chaos.wrongs import Wrong

HOLD = 5000
"""Milliseconds for which the server holds the place of a lost client."""

PERSONS = {"ann": 1, "bob": 2}


def log(*lines: str) -> list[Entry]:
    """Entries, one a second: `ann: text` is said, `ann joined` and `restarted` have happened."""
    entries = []
    for seq, line in enumerate(lines, 1):
        author, _, text = line.partition(": ")
        author, _, kind = ("", "", line) if line == "restarted" else author.partition(" ")
        channel = "" if kind in ("quit", "restarted", "account") else "#general"
        person, place = PERSONS.get(author, 0), int(bool(channel))
        entries.append(Entry(seq, kind or "said", channel, author, text, person, seq * 1000, place=place))
    return entries


GOOD = log("ann joined", "bob joined", "ann: a1", "bob: b1", "ann: a2", "ann quit")


def lives(history: list[Entry] = GOOD) -> tuple[Life, Life]:
    """Ann and Bob, who said, had confirmed and were shown all that history holds."""
    ann = Life("ann", said=["a1", "a2"], confirmed=["a1", "a2"], shown=list(history[:5]), left=True)
    bob = Life("bob", said=["b1"], confirmed=["b1"], shown=list(history[1:]))
    return ann, bob


def elsewhere(author: str, history: list[Entry]) -> list[Entry]:
    """The same, but that one author was in #other."""
    return [
        line._replace(channel="#other", place=2) if line.author == author and line.channel else line
        for line in history
    ]


def wrongs(history: list[Entry], *who: Life) -> set[Wrong]:
    """The promises that the checker finds broken."""
    return {violation.wrong for violation in judge(history, who, HOLD)}


def test_silent_about_what_is_right() -> None:
    """A run in which every promise was kept gives no violation."""
    assert judge(GOOD, lives(), HOLD) == []


def test_a_line_that_was_not_confirmed_may_be_lost_at_the_end() -> None:
    """A line said last, whose talker was killed before it was confirmed, is no violation."""
    ann, bob = lives()
    ann.said.append("a3")
    assert judge(GOOD, [ann, bob], HOLD) == []


def test_other_channels_are_no_gap() -> None:
    """A line in a channel that a client is not in is not missing from the client's view."""
    history = elsewhere("bob", GOOD)
    ann, bob = lives(history)
    del ann.shown[3], ann.shown[1]
    bob.channel, bob.shown = "#other", [history[1], history[3]]
    assert judge(history, [ann, bob], HOLD) == []


def test_lost() -> None:
    """A confirmed line that is not in history is reported, with the line."""
    ann, bob = lives()
    bob.said.append("b2")
    bob.confirmed.append("b2")
    (violation,) = judge(GOOD, [ann, bob], HOLD)
    assert violation.wrong is Wrong.LOST and violation.lines == ("b2",) and "bob" in violation.whose


def test_doubled() -> None:
    """A line that is in history twice is reported, even when every client was shown both."""
    history = log("ann joined", "bob joined", "ann: a1", "bob: b1", "ann: a2", "ann: a2", "ann quit")
    ann, bob = lives(history)
    ann.shown = history[:-1]
    assert wrongs(history, ann, bob) == {Wrong.DOUBLED}


def test_unsaid() -> None:
    """A line in history that no talker said is reported."""
    history = log("ann joined", "bob joined", "ann: a1", "bob: b1", "ann: a2", "ann: a3", "ann quit")
    assert wrongs(history, *lives(history)) == {Wrong.UNSAID}


def test_disordered() -> None:
    """A talker's lines in another order than said are reported."""
    history = log("ann joined", "bob joined", "ann: a2", "bob: b1", "ann: a1", "ann quit")
    assert wrongs(history, *lives(history)) == {Wrong.DISORDERED}


def test_skipped() -> None:
    """A line that was dropped although a later one of the same talker was stored is reported."""
    ann, bob = lives()
    ann.said, ann.confirmed = ["a1", "a1.5", "a2"], ["a1", "a2"]
    assert wrongs(GOOD, ann, bob) == {Wrong.SKIPPED}


def test_shown_but_not_in_history() -> None:
    """An event shown beyond the end of history is reported."""
    ann, bob = lives()
    bob.shown.append(Entry(7, "said", "#general", "ann", "a3"))
    assert wrongs(GOOD, ann, bob) == {Wrong.UNSTORED}


def test_shown_other_than_stored() -> None:
    """An event whose seq holds something else in history is reported: two orders."""
    ann, bob = lives()
    ann.shown[3], ann.shown[4] = ann.shown[4]._replace(seq=4), ann.shown[3]._replace(seq=5)
    assert wrongs(GOOD, ann, bob) == {Wrong.UNSTORED}


def test_shown_by_another_person() -> None:
    """An event shown with another person than in history is reported; the program's output has no person."""
    ann, bob = lives()
    ann.shown[3] = ann.shown[3]._replace(person=0)
    assert wrongs(GOOD, ann, bob) == set()
    ann.shown[3] = ann.shown[3]._replace(person=3)
    assert wrongs(GOOD, ann, bob) == {Wrong.UNSTORED}


def test_repeated() -> None:
    """An event shown twice, as between catching up and live delivery, is reported."""
    ann, bob = lives()
    ann.shown.insert(3, ann.shown[2])
    assert wrongs(GOOD, ann, bob) == {Wrong.REPEATED}


def test_backwards() -> None:
    """Events shown in another order than their seqs are reported."""
    ann, bob = lives()
    ann.shown[2], ann.shown[3] = ann.shown[3], ann.shown[2]
    assert wrongs(GOOD, ann, bob) == {Wrong.BACKWARDS}


def test_gap() -> None:
    """An event of the own channel missing in the middle of a view is reported, with the event."""
    ann, bob = lives()
    del bob.shown[2]
    (violation,) = judge(GOOD, [ann, bob], HOLD)
    assert violation.wrong is Wrong.GAP and violation.lines == (str(GOOD[3]),)


@pytest.mark.parametrize("missing", [1, 4])
def test_quits_and_restarts_are_shown_to_all(missing: int) -> None:
    """A quit of a member of the own channel, or a restart, that is missing in a view is reported."""
    history = log("ann joined", "ann quit", "bob joined", "bob: b1", "restarted", "bob: b2")
    bob = Life("bob", said=["b1", "b2"], confirmed=["b1", "b2"], shown=list(history))
    del bob.shown[missing]
    (violation,) = judge(history, [bob], 0)
    assert violation.wrong is Wrong.GAP and violation.lines == (str(history[missing]),)


def test_foreign() -> None:
    """An event shown to a client that is not in its channel is reported: a line, or somebody's quit."""
    history = elsewhere("ann", log("bob joined", "ann joined", "ann: a1", "bob: b1", "ann quit"))
    ann = Life("ann", channel="#other", said=["a1"], confirmed=["a1"], left=True)
    bob = Life("bob", said=["b1"], confirmed=["b1"], shown=[history[0], history[3]])
    assert wrongs(history, ann, bob) == set()
    for foreign in (history[2], history[4]):
        (violation,) = judge(history, [ann, Life("bob", said=["b1"], shown=[foreign])], HOLD)
        assert violation.wrong is Wrong.FOREIGN and violation.lines == (str(foreign),)


def test_a_channel_that_is_founded_again_is_another_place() -> None:
    """What was said in the former one after ann was out is not for her, though it has the same name."""
    history = log("ann joined", "bob joined", "ann quit", "bob: b1", "bob quit", "ann joined", "ann: a1")
    history[5:] = [line._replace(place=3) for line in history[5:]]
    ann = Life("ann", said=["a1"], confirmed=["a1"], shown=[*history[:3], *history[5:]])
    bob = Life("bob", said=["b1"], confirmed=["b1"])
    assert {violation.wrong for violation in judge(history, [ann, bob], 0)} == set()
    ann.shown.insert(3, history[3])
    assert {violation.wrong for violation in judge(history, [ann, bob], 0)} == {Wrong.FOREIGN}


def test_who_logs_in_is_shown_what_the_account_gets() -> None:
    """A guest that has said something, logs in and says nothing more."""
    history = log("bob joined", "bob: b1", "ann joined", "bob quit", "ann account: ann")
    history += [line._replace(seq=line.seq + 5, time=line.time + 5000) for line in log("ann: a1")]
    guest = Life("bob", said=["b1"], shown=list(history), account="ann", logged_in=True)
    ann = Life("ann", said=["a1"], account="ann", program="ann-b")
    assert {violation.wrong for violation in judge(history, [guest, ann], 0)} == set()


def test_refused() -> None:
    """A line that was refused to its talker is reported, with the reason."""
    ann, bob = lives()
    bob.refused = ["b2: not stored"]
    (violation,) = judge(GOOD, [ann, bob], HOLD)
    assert violation.wrong is Wrong.REFUSED and violation.lines == ("b2: not stored",)


# --- presence ---------------------------------------------------------------------------------------------


def presence(*lines: str, hold: int = HOLD, left: bool = False) -> set[Wrong]:
    """The promises that are broken in a history of ann, who was shown nothing."""
    history = log(*lines)
    ann = Life("ann", said=[line.text for line in history if line.kind == "said"], left=left)
    return {violation.wrong for violation in judge(history, [ann], hold)}


def test_quit_after_the_hold() -> None:
    """A quit is right when the place was held for long enough after the last thing that its owner did."""
    assert presence("ann joined", "ann: a1", "ann quit: silent", "ann joined", hold=1000) == set()
    assert presence("ann joined", "ann: a1", "ann quit: silent", "ann joined", hold=1001) == {Wrong.HASTY}


def test_only_the_last_quit_is_a_goodbye() -> None:
    """Who says goodbye at the end was held before all the same."""
    lines = ("ann joined", "ann quit: silent", "ann joined", "ann quit")
    assert presence(*lines, hold=1000, left=True) == set()
    assert presence(*lines, hold=1001, left=True) == {Wrong.HASTY}


def test_a_return_is_silent() -> None:
    """A second JOINED without a quit between is reported."""
    assert presence("ann joined", "ann: a1", "ann joined") == {Wrong.TWICE}


@pytest.mark.parametrize("event", ["ann: a1", "ann quit: silent"])
def test_nobody_acts_who_is_not_there(event: str) -> None:
    """A line or a quit of somebody who has not joined, or has quit, is reported."""
    assert presence(event) == {Wrong.ABSENT}
    assert presence("ann joined", "ann quit: silent", event, "ann joined", hold=0) == {Wrong.ABSENT}


@pytest.mark.parametrize("last", ["ann: a1", "ann quit: connection lost"])
def test_a_goodbye_is_a_quit_at_once(last: str) -> None:
    """Who said goodbye and did not quit, or only because the hold ended, is reported."""
    assert presence("ann joined", last, left=True) == {Wrong.LINGERING}


def test_a_person_is_one_life() -> None:
    """A number that changes within a stay or a life, that two lives share, or that is 0, is reported."""
    history = log("ann joined", "ann: a1", "ann quit: silent", "ann joined", "ann: a2")
    first, second = Life("ann", 0, said=["a1"]), Life("ann", 1, said=["a2"])
    both = [Life("ann", 0, said=["a1", "a2"])]
    again = [*history[:3], *(line._replace(person=3) for line in history[3:])]
    cases = [
        (history, both, True),
        (history, [first, second], False),
        (again, [first, second], True),
        (again, both, False),
        ([history[0], history[1]._replace(person=3)], [first], False),
        ([line._replace(person=0) for line in history[:2]], [first], False),
    ]
    for events, lives, right in cases:
        found = {violation.wrong for violation in judge(events, lives, 0)}
        assert found == (set() if right else {Wrong.MISTAKEN})


@pytest.mark.parametrize(
    ("lines", "starts", "right"),
    [
        (("ann joined", "restarted", "ann: a1"), (500, 1500), True),
        (("ann joined", "ann quit: silent", "restarted"), (500, 1500), True),
        (("ann joined", "restarted", "restarted"), (500, 1500, 2500), True),
        (("ann joined", "restarted"), (500, 1500, 9500), True),
        (("ann joined", "ann: a1"), (500, 1500), False),
        (("ann joined", "ann: a1", "restarted"), (500, 1500), False),
        (("ann joined", "ann quit: silent"), (500, 1500), False),
        (("ann joined", "restarted", "restarted"), (500, 1500), False),
        (("ann joined", "restarted"), (500,), False),
        (("restarted", "ann joined"), (500,), False),
    ],
)
def test_restarts_are_told(lines: tuple[str, ...], starts: tuple[int, ...], right: bool) -> None:
    """A start that is not told once, or only after something else, is reported; the first one is not told."""
    ann = Life("ann", said=["a1"])
    found = {violation.wrong for violation in judge(log(*lines), [ann], 0, starts)}
    assert found == (set() if right else {Wrong.UNTOLD})


# --- history, reports and records -------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [4, 7])
def test_broken_history(seq: int) -> None:
    """Seqs in history that repeat or leave one out are reported."""
    history = [*GOOD[:4], GOOD[4]._replace(seq=seq), GOOD[5]._replace(seq=seq + 1)]
    ann, bob = lives(history)
    ann.shown, bob.shown = [], []
    assert wrongs(history, ann, bob) == {Wrong.BROKEN}


def test_a_report_names_the_lines_but_not_all_of_them() -> None:
    """A violation prints the first offending lines and how many more there are."""
    ann = Life("ann", said=[f"a{n}" for n in range(9)], confirmed=[f"a{n}" for n in range(9)])
    (violation,) = judge([], [ann], HOLD)
    assert "a4" in str(violation) and "a5" not in str(violation) and "4 more" in str(violation)


def test_a_record_survives_a_torn_end(tmp_path: Path) -> None:
    """A record is read back as it was written, without the last line when a kill tore it."""
    path = tmp_path / "ann.jsonl"
    recorder = Recorder(path)
    recorder.write("connected", resumed=False)
    recorder.write("said", text="a1\x1bé", id=7)
    recorder.write("shown", seq=3, kind="said", channel="#general", author="ann", text="a1\x1bé", id=7)
    recorder.write("confirmed", text="a1\x1bé", id=7)
    recorder.close()
    with path.open("ab") as file:
        file.write(b'{"did": "said", "te')
    life = read_life(path, Life("ann"))
    assert (life.said, life.confirmed, life.connects) == (["a1\x1bé"], ["a1\x1bé"], 1)
    assert life.shown == [Entry(3, "said", "#general", "ann", "a1\x1bé")]
    assert life.ending is None


def test_long_texts_are_compared_by_hash() -> None:
    """Two long texts that differ only at the end stay different when shortened."""
    assert brief("x" * 9000 + "a") != brief("x" * 9000 + "b")
    assert len(brief("x" * 9000)) < 200
