"""What came of a run: counts and violations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.records import Entry, Life
from tests.chaos.roams import Roam
from tests.chaos.wrongs import Violation


@dataclass
class Report:
    """The counts of a run, and its violations."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {name}" for name, number in sorted(self.counts.items()))
        return f"seed {self.seed}: {len(self.violations)} violations; {counts}"


def count_events(counts: Counter[str], history: Sequence[Entry]) -> None:
    """Add what the history holds."""
    counts["events in history"] += len(history)
    counts["left"] += sum(line.kind == "left" for line in history)
    counts["renamed"] += sum(line.kind == "renamed" for line in history)
    counts["direct conversations"] += len({line.place for line in history if line.receiver})
    counts["quits"] += sum(line.kind == "quit" for line in history)
    counts["restarts told"] += sum(line.kind == "restarted" for line in history)
    for kind in ("kicked", "listed", "audited"):
        counts[kind] += sum(line.kind == kind for line in history)
    counts["hushed"] += sum(line.hushed == 1 for line in history)
    counts["muted or banned for ever or seconds"] += sum(
        line.kind == "listed" and line.list in (17, 18) and not line.removed for line in history
    )
    counts["accounts"] += sum(line.kind == "account" for line in history)


def count_lives(counts: Counter[str], lives: Sequence[Life]) -> None:
    """Add what the clients have recorded."""
    counts["lines said"] += sum(len(life.said) for life in lives)
    counts["lines confirmed"] += sum(len(life.confirmed) for life in lives)
    counts["events shown"] += sum(len(life.shown) for life in lives)
    counts["lines silenced"] += sum(len(life.silenced) for life in lives)
    counts["talkers put out"] += sum(what == "out" for life in lives for _, what in life.returns)
    counts["reconnects"] += sum(max(0, life.connects - 1) for life in lives)
    counts["told"] += sum(len(life.told) for life in lives)
    counts["guests that logged in"] += sum(life.logged_in for life in lives)
    counts["lives of owners"] += sum(bool(life.account) for life in lives)
    counts["passwords changed"] += sum(bool(change.answered) for life in lives for change in life.changes)
    counts["programs ended by a password"] += sum(life.expelled for life in lives)
    counts["programs that logged in anew"] += sum(life.renewals for life in lives)


def count_roams(counts: Counter[str], roams: Sequence[Roam]) -> None:
    """Add what the rovers have recorded."""
    for life in roams:
        for word, number in life.asked.items():
            counts[f"rovers {word}"] += number
        counts["rovers confirmed"] += len(life.confirmed)
        counts["rovers refused"] += len(life.refused)
        counts["rovers were shown"] += sum(len(one.lines) for one in life.connections)
        counts["rovers found again"] += sum(len(one.lines) for one in life.brackets)
        counts["rovers reconnects"] += max(0, len(life.connections) - 1)
        counts["rovers direct lines"] += sum(
            bool(deed.receiver) and deed.id in life.confirmed for deed in life.deeds
        )
        for form in ("edited", "deleted", "reacted"):
            done = sum(deed.form == form and deed.id in life.confirmed for deed in life.deeds)
            counts[f"rovers {form} and confirmed"] += done
