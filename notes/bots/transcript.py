"""Keeps what is said in a channel in a web page: all that its account may see, and no more.

    python notes/bots/transcript.py class.html --channel class

After an edit it has the new text, and nothing that was deleted.
"""

import argparse
import html
import time
from itertools import islice
from pathlib import Path

from client import Client, Event, EventKind, as_program
from client.address import parse_address

PAUSE = 1.0  # seconds between two writes, at least


def row(event: Event) -> str:
    text = html.escape(event.text).replace("\n", "<br>")
    return f"<p><time>{event.when:%Y-%m-%d %H:%M}</time> <b>{html.escape(event.author)}</b> {text}\n"


def take(said: dict[int, Event], event: Event, channel: str) -> None:
    if event.kind is EventKind.SAID and event.channel == channel:
        said[event.seq] = event
    elif event.kind in (EventKind.EDITED, EventKind.DELETED) and event.message in said:
        said[event.message] = said[event.message]._replace(text=event.text)
    elif event.kind is EventKind.ERASED:
        for seq in [seq for seq, one in said.items() if one.person == event.target]:
            del said[seq]


def write(path: Path, said: dict[int, Event]) -> None:
    rows = [row(said[seq]) for seq in sorted(said) if said[seq].text]  # what was deleted has none
    new = path.with_name(f".{path.name}.new")
    new.write_text("<!doctype html><meta charset=utf-8>\n" + "".join(rows), "utf-8")
    new.replace(path)


parser = argparse.ArgumentParser(description="keep the transcript of a channel in a web page")
parser.add_argument("file", type=Path)
parser.add_argument("--server", metavar="HOST:PORT", default="127.0.0.1:5050")
parser.add_argument("--channel", default="general")
options = parser.parse_args()
host, port = parse_address(options.server)
with as_program(), Client(host, port, name="minutes", channel=f"#{options.channel}", lines=0) as bot:
    said: dict[int, Event] = {}
    while page := bot.history(500, before=min(said, default=0)):
        said.update((event.seq, event) for event in page)
    while bot.ended is None:
        write(options.file, said)
        for update in [*islice(bot.updates(), 1), *bot.poll()]:  # wait for one, and take all that came
            if isinstance(update, Event):
                take(said, update, bot.channel)
        time.sleep(PAUSE)
