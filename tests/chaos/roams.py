"""The records of rovers: what they sent, asked, were shown and found again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.records import Entry, brief, read_lines


@dataclass
class Deed:
    """What a rover has sent as a SAY.

    form:     "said", "edited", "deleted" or "reacted": the kind of the event that comes of it
    receiver: the person to whom a direct line goes
    message:  seq of the line that it is about
    """

    id: int
    form: str
    channel: str
    text: str
    receiver: int = 0
    message: int = 0


@dataclass
class Connection:
    """One connection.

    asked:    when it was asked for, ms since 1970
    since:    what was seen before, 0: nothing
    person:   who it is, by WELCOME
    head:     the latest event then
    lines:    each event that was shown, and when
    channels: the place of each CHANNEL, and behind how many of the lines it came
    seen:     up to which seq it has seen everything
    """

    asked: int
    since: int
    person: int
    head: int
    lines: list[tuple[Entry, int]] = field(default_factory=list)
    channels: list[tuple[int, int]] = field(default_factory=list)
    seen: int = 0


@dataclass
class Bracket:
    """A /history, /grep or /context: what was asked when and with which latest event seen; and what came.

    place: the only place of which lines may come, 0: any
    code:  None: no answer
    """

    text: str
    place: int
    person: int
    head: int
    asked: int
    lines: list[tuple[Entry, int]] = field(default_factory=list)
    code: int | None = None


@dataclass
class Roam:
    """One life of a rover. confirmed, refused: ids; ending as in `Life`."""

    name: str
    number: int = 0
    account: str = ""
    deeds: list[Deed] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    brackets: list[Bracket] = field(default_factory=list)
    confirmed: set[int] = field(default_factory=set)
    refused: dict[int, int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    ending: str | None = None

    def __str__(self) -> str:
        return f"{self.name}, life {self.number}"


def _entry(record: dict[str, object]) -> Entry:
    fields = {name: record[name] for name in Entry._fields if name in record}
    return Entry(**fields)  # type: ignore[arg-type]


def read_roam(path: Path, life: Roam) -> Roam:
    """Add the contents of a rover's record to a life."""
    brackets = dict[int, Bracket]()
    for record in read_lines(path):
        match record["did"]:
            case "welcome":
                asked, since = record["asked"], record["since"]
                life.connections.append(
                    Connection(asked, since, record["person"], record["head"], seen=since)
                )
            case "channel":
                one = life.connections[-1]
                one.channels.append((record["place"], len(one.lines)))
            case "shown":
                line = _entry(record)
                life.connections[-1].lines.append((line, record["at"]))
                life.connections[-1].seen = max(line.seq, life.connections[-1].seen)
            case "seen":
                life.connections[-1].seen = max(record["seq"], life.connections[-1].seen)
            case "said":
                fields = ("id", "form", "channel", "receiver", "message")
                text = brief(record["text"])
                life.deeds.append(Deed(text=text, **{name: record[name] for name in fields}))
                life.asked[record["form"]] += 1
            case "confirmed":
                life.confirmed.add(record["id"])
            case "refused":
                life.refused[record["id"]] = record["code"]
            case "asked":
                word = record["text"].partition(" ")[0]
                life.asked[word] += 1
                if word in ("/history", "/grep", "/context"):
                    bracket = Bracket(
                        record["text"], record["place"], record["person"], record["head"], record["at"]
                    )
                    brackets[record["id"]] = bracket
                    life.brackets.append(bracket)
            case "found":
                brackets[record["id_asked"]].lines.append((_entry(record), record["at"]))
            case "answered" if record["id"] in brackets:
                brackets[record["id"]].code = record["code"]
            case "ended":
                life.ending = record["reason"]
    return life
