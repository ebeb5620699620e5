"""Keeps what is said in a channel in a web page: all that its account may see, and no more.

After an edit it has the new text, and nothing that was deleted."""

import html
import time
from itertools import islice
from pathlib import Path

from client import Client, Event, EventKind, Form, Interrupted, Resumed, as_program
from client.bots import bot_client, bot_parser, set_aside


def row(event: Event) -> str:
    text, mark = html.escape(event.text).replace("\n", "<br>"), "i" if event.form == Form.ACT else "b"
    when, author = f"<time>{event.when:%Y-%m-%d %H:%M}</time>", html.escape(event.author)
    return f"<p id={event.seq}>{when} <{mark}>{author}</{mark}> {text}\n"


def take(said: dict[int, Event], event: Event, channel: str) -> None:
    if event.kind is EventKind.SAID and event.channel == channel:
        said[event.seq] = event
    elif event.kind in (EventKind.EDITED, EventKind.DELETED) and event.message in said:
        said[event.message] = said[event.message]._replace(text=event.text)
    elif event.kind is EventKind.ERASED:
        said |= {seq: one._replace(text="") for seq, one in said.items() if one.person == event.target}


def read(client: Client, page: Path) -> dict[int, Event]:
    """The whole history. A page with lines that are not in it is kept under another name."""
    said: dict[int, Event] = {}
    while events := client.history(500, before=min(said, default=0)):
        said.update((event.seq, event) for event in events)
    there = {row(event).partition("</time>")[0] for event in said.values()}
    old = page.read_text("utf-8", "replace").splitlines()[1:] if page.exists() else []
    if any(line.partition("</time>")[0] not in there for line in old):
        set_aside(page, "it has lines that the server has not")
    return said


def write(page: Path, said: dict[int, Event]) -> None:
    new = page.with_name(f".{page.name}.new")
    rows = [row(said[seq]) for seq in sorted(said) if said[seq].text]  # what was deleted has none
    new.write_text("<!doctype html><meta charset=utf-8>\n" + "".join(rows), "utf-8")
    new.replace(page)


parser = bot_parser("keep the transcript of a channel in a web page")
parser.add_argument("file", type=Path)
with as_program(), bot_client(parser, "minutes") as (options, bot):
    said = read(bot, options.file)
    while bot.ended is None:
        write(options.file, said)
        for update in [*islice(bot.updates(), 1), *bot.poll()]:  # wait for one, and take all that came
            if isinstance(update, Event):
                take(said, update, bot.channel)
            elif isinstance(update, Interrupted) and update.how is not Resumed.GAP:
                said = read(bot, options.file)
        time.sleep(1.0)  # at least so long between two writes
