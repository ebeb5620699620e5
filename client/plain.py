"""Talking without escape sequences: lines in, lines out.

Printed lines may run into the line that the user is typing; only a real terminal can keep them apart.
"""

from __future__ import annotations

import sys
from threading import Thread

from chatroom.errors import ChatroomError, Closed
from chatroom.events import Event
from chatroom.packets import Answer, Info
from client.limits import LEAVE_SECONDS
from client.talker import Talker
from client.updates import Connected, Disconnected, Ended, Interrupted, Missed, Unanswered, Update
from views import one_line, plain_line, sanitize


def talk_plainly(client: Talker) -> Ended | None:
    """Say each line of the input and print the updates, until the input or the client ends.

    Returns how the client ended, None when the user left. Closes the client.
    """
    ended: list[Ended] = []
    printer = Thread(target=_print_updates, args=(client, ended), name="printer")
    try:
        printer.start()
    except RuntimeError as none_left:
        raise ChatroomError(f"nothing can be printed: {none_left}") from None
    try:
        for line in sys.stdin:
            text = line.rstrip("\r\n")
            if ended or text.strip() == "/quit":
                break
            _send(client, text)
        client.flush(LEAVE_SECONDS)
    except KeyboardInterrupt:
        pass  # the same as /quit
    except Closed:
        pass  # `ended` says why
    finally:
        client.close()
        printer.join()
    return ended[0] if ended else None


def _send(client: Talker, text: str) -> None:
    try:
        if text.startswith("/") and not text.startswith("//"):
            client.command(text)
        elif text.strip():
            client.say(text.removeprefix("/"))
    except (TimeoutError, ValueError) as error:
        print(f"-- not sent: {error}", flush=True)


def _print_updates(client: Talker, ended: list[Ended]) -> None:
    for update in client.updates():
        if isinstance(update, Ended):
            ended.append(update)
            if update.error is not None:
                print("-- press Enter to leave", flush=True)
        text = _plain_text(update)
        if text:
            print(text, flush=True)


def _plain_text(update: Update) -> str:
    match update:
        case Event():
            return plain_line(update)
        case Answer(words=words) | Info(words) | Interrupted(_, words) if words:
            return "\n".join(f"-- {line}" for line in sanitize(words).split("\n"))
        case Unanswered():
            return f"-- {update.words}: {one_line(update.text)}"
        case Connected():
            return "-- back again" if update.resumed else f"-- you are {update.name} in {update.channel}"
        case Missed(gap):
            return f"-- missed while you were away{' (older lines are gone)' if gap else ''}:"
        case Disconnected():
            return f"-- connection lost: {one_line(update.reason)}"
    return ""
