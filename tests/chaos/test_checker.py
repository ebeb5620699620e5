"""The checker on records written by hand: it accepts right records, and names each violation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.checker import Wrong, judge
from tests.chaos.records import Entry, Life, Recorder, brief, read_life


def log(*lines: str, channel: str = "#general") -> list[Entry]:
    """Entries from seq 1: `ann: text` is said, `ann joined` has happened."""
    entries = []
    for seq, line in enumerate(lines, 1):
        author, _, text = line.partition(": ")
        kind = "said" if text else author.split()[1]
        entries.append(Entry(seq, kind, channel, author.split()[0], text))
    return entries


GOOD = log("ann joined", "bob joined", "ann: a1", "bob: b1", "ann: a2", "ann left")


def lives(history: list[Entry] = GOOD) -> tuple[Life, Life]:
    """Ann and Bob, who said, had confirmed and were shown all that history holds."""
    ann = Life("ann", said=["a1", "a2"], confirmed=["a1", "a2"], shown=list(history[:5]))
    bob = Life("bob", said=["b1"], confirmed=["b1"], shown=list(history[1:]))
    return ann, bob


def wrongs(history: list[Entry], *who: Life) -> set[Wrong]:
    """The promises that the checker finds broken."""
    return {violation.wrong for violation in judge(history, who)}


def test_silent_about_what_is_right() -> None:
    """A run in which every promise was kept gives no violation."""
    assert judge(GOOD, lives()) == []


def test_a_line_that_was_not_confirmed_may_be_lost_at_the_end() -> None:
    """A line said last, whose talker was killed before it was confirmed, is no violation."""
    ann, bob = lives()
    ann.said.append("a3")
    assert judge(GOOD, [ann, bob]) == []


def test_other_channels_are_no_gap() -> None:
    """A line in a channel that a client is not in is not missing from the client's view."""
    history = [*GOOD[:3], GOOD[3]._replace(channel="#other"), *GOOD[4:]]
    ann, bob = lives(history)
    del ann.shown[3]
    bob.channel, bob.shown = "#other", [history[3]]
    assert judge(history, [ann, bob]) == []


def test_lost() -> None:
    """A confirmed line that is not in history is reported, with the line."""
    ann, bob = lives()
    bob.said.append("b2")
    bob.confirmed.append("b2")
    (violation,) = judge(GOOD, [ann, bob])
    assert violation.wrong is Wrong.LOST and violation.lines == ("b2",) and "bob" in violation.whose


def test_doubled() -> None:
    """A line that is in history twice is reported, even when every client was shown both."""
    history = log("ann joined", "bob joined", "ann: a1", "bob: b1", "ann: a2", "ann: a2")
    ann, bob = lives(history)
    ann.shown = history
    assert wrongs(history, ann, bob) == {Wrong.DOUBLED}


def test_unsaid() -> None:
    """A line in history that no talker said is reported."""
    history = log("ann joined", "bob joined", "ann: a1", "bob: b1", "ann: a2", "ann: a3")
    assert wrongs(history, *lives(history)) == {Wrong.UNSAID}


def test_disordered() -> None:
    """A talker's lines in another order than said are reported."""
    history = log("ann joined", "bob joined", "ann: a2", "bob: b1", "ann: a1", "ann left")
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
    (violation,) = judge(GOOD, [ann, bob])
    assert violation.wrong is Wrong.GAP and violation.lines == (str(GOOD[3]),)


@pytest.mark.parametrize("seq", [4, 7])
def test_broken_history(seq: int) -> None:
    """Seqs in history that repeat or leave one out are reported."""
    history = [*GOOD[:4], GOOD[4]._replace(seq=seq)]
    ann, bob = lives(history)
    ann.shown, bob.shown = [], []
    assert wrongs(history, ann, bob) == {Wrong.BROKEN}


def test_a_report_names_the_lines_but_not_all_of_them() -> None:
    """A violation prints the first offending lines and how many more there are."""
    ann = Life("ann", said=[f"a{n}" for n in range(9)], confirmed=[f"a{n}" for n in range(9)])
    (violation,) = judge([], [ann])
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
