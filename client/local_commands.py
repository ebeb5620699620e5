"""The commands that the client at a terminal obeys itself, with what they need of the server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from chatroom.events import Event
from chatroom.names import channel_as_typed, name_key
from chatroom.outcomes import Code
from chatroom.packets import Answer, Form
from chatroom.places import FOUNDED
from client.call_commands import bell, keyword, mentions
from client.conversing import Conversing, LocalCommand
from client.help import help_of
from client.ignoring import ignoring
from client.requests import numbers, only_row, rows_of, texts
from client.saving import save, text_number
from client.speech import ALONE
from client.substitution import substitution_of
from client.successors import ANOTHER, Found, found_in
from views.describe import quoted

SHOW_USAGE: Final = (
    "/show N prints all of the text that was cut with the number N, /show NAME the latest text of several "
    "lines of one person; /history shows what was said in a channel"
)

HOW_TO_OWN: Final = " while you stay; /register keeps it"
"""What a guest is told besides who has founded a channel."""


def _help(conversation: Conversing, wanted: str) -> None:
    help_of(COMMANDS, conversation, wanted)


def _show(conversation: Conversing, wanted: str) -> None:
    number, name = text_number(wanted), wanted.removeprefix("@")
    if name.startswith("#") or len(wanted.split()) > 1:
        conversation.tell("/show", SHOW_USAGE)
    else:
        conversation.view.show(number, "" if number is not None else name)


# --- places ------------------------------------------------------------------------------------------------


def _join(conversation: Conversing, argument: str) -> None:
    if not argument:
        conversation.tell("/join", "/join #channel, with its key if it has one")
        return
    argument = channel_as_typed(argument)
    turn = conversation.places.turns

    def joined(answer: Answer, _: tuple[Event, ...]) -> None:
        if answer.code not in (Code.OK, Code.ALREADY):
            conversation.tell("/join", answer.words)
            return
        row = only_row(rows_of(answer.rows))
        name, place = texts(row, 0), numbers(row, 1)
        room = conversation.client.room(place[0] if place else name[0] if name else argument.split()[0])
        if room is not None:
            conversation.places.show(room.name, time.monotonic(), room.place, typed_since=turn)
        if row[2:]:  # more is to be told than that the user is there
            keeps = HOW_TO_OWN if FOUNDED in row[2:] and not conversation.client.account else ""
            conversation.tell("/join", f"{answer.words}{keeps}")

    conversation.speech.ask(f"/join {argument}", joined, moves=True)


def _go(conversation: Conversing, where: str) -> None:
    rooms = conversation.client.rooms
    if where.isascii() and where.isdecimal() and len(where) < 5:
        go_to(conversation, int(where))
        return
    if not where:
        conversation.tell("/go", conversation.places.listing(conversation.view.table_columns))
        return
    room = conversation.client.room(where)
    if room is None and where.startswith("@"):
        _query(conversation, where)
        return
    if room is None:
        known = [each for each in rooms if each.name.removeprefix("#").startswith(where.removeprefix("#"))]
        room = conversation.client.room(f"@{where}") or (known[0] if len(known) == 1 else None)
    if room is None and not where.startswith("#"):
        _go_to_person(conversation, where)
    elif room is None:
        conversation.tell("/go", f"you are not in {where}; /join {where} leads there")
    else:
        conversation.places.show(room.name, time.monotonic(), room.place)


def _go_to_person(conversation: Conversing, where: str) -> None:
    """Put the conversation with somebody on the screen, if anybody is called so."""
    turn = conversation.places.turns

    def found(answer: Answer, _: tuple[Event, ...]) -> None:
        who = found_in(answer)
        if who is None:
            hint = conversation.renames.hint(where)
            conversation.tell(
                "/go", f"you are not in {where}, and nobody whom you can write to is called so{hint}"
            )
            return
        conversation.client.learn_name(who.name, who.person)
        at = time.monotonic()
        conversation.places.show(f"@{who.name}", at, who.place, who.person, typed_since=turn)

    conversation.speech.ask(f"/query {where}", found, moves=True)


def go_to(conversation: Conversing, number: int) -> None:
    """Put the place of this number on the screen; 0: the next one with something unread."""
    rooms = conversation.client.rooms
    if number == 0:
        room = conversation.places.next_unread()
        if room is None:
            conversation.tell("/go", "nothing is unread")
            return
    elif number > len(rooms):
        conversation.tell("/go", f"there is no place {number}; /unread lists them")
        return
    else:
        room = rooms[number - 1]
    if room.place != conversation.places.place:
        conversation.places.show(room.name, time.monotonic(), room.place)


def _leave(conversation: Conversing, argument: str) -> None:
    places = conversation.places
    if argument.startswith("@") or (not argument and places.name.startswith("@")):
        _leave_person(conversation, argument or places.name)
        return

    def left(answer: Answer, _: tuple[Event, ...]) -> None:
        if answer.code != Code.OK:
            conversation.tell("/leave", answer.words)
        elif conversation.client.room(name) is None and places.name == name:
            _leave_for_another(conversation, f"you have left {name}; ", turn)

    name, turn = places.name, places.turns
    conversation.speech.ask(f"/leave {argument}".rstrip(), left, moves=not argument)


def _leave_person(conversation: Conversing, name: str) -> None:
    """A direct conversation has no end: the user is told so, and sees another place instead of it."""
    places = conversation.places
    other = quoted(name.removeprefix("@"))
    told = f"a talk with one person cannot be left, it stays in /unread; /ignore {other} hides the lines"
    if name_key(name) != name_key(places.name):
        conversation.tell("/leave", told)
    else:
        _leave_for_another(conversation, "a talk with one person stays in /unread; ")


def _leave_for_another(conversation: Conversing, told: str, typed_since: int = -1) -> None:
    """Another place comes on the screen, if there is one; the user is told which.

    told:        before that
    typed_since: as in `Places.show`
    """
    places = conversation.places
    before = places.place
    places.show_other(time.monotonic(), typed_since=typed_since)
    if places.place != before:
        conversation.tell("/leave", f"{told}you are in {places.name} now")


def _merge(conversation: Conversing, argument: str) -> None:
    places = conversation.places
    if argument not in ("", "on", "off"):
        conversation.tell("/merge", "/merge on, or /merge off")
        return
    places.merged = argument == "on" if argument else not places.merged
    shown = "are shown under their names" if places.merged else "are counted"
    conversation.tell("/merge", f"lines of your other channels {shown}")


def _unread(conversation: Conversing, _: str) -> None:
    conversation.tell("/unread", conversation.places.listing(conversation.view.table_columns))


# --- one person --------------------------------------------------------------------------------------------


def _look_up(
    conversation: Conversing,
    command: str,
    name: str,
    then: Callable[[Found], None],
    moves: bool = False,
    text: str = "",
) -> None:
    """Ask the server who is meant by a name. command: that needs it; moves, text: as in `Speech.ask`"""

    def found(answer: Answer, _: tuple[Event, ...]) -> None:
        if (who := found_in(answer)) is not None:
            conversation.client.learn_name(who.name, who.person)
            then(who)
        else:
            nobody = answer.words or f"nobody is called {name}"
            conversation.tell(command, nobody + conversation.renames.hint(name))

    conversation.speech.ask(f"/query {name}", found, moves=moves, text=text)


def _query(conversation: Conversing, argument: str) -> None:
    name = argument.removeprefix("@")
    if not name:
        conversation.tell("/query", "/query NAME begins or shows the conversation with one person")
        return
    room = conversation.client.room(f"@{name}")
    if room is not None and not room.gone:
        conversation.places.show(room.name, time.monotonic(), room.place)
        return

    turn = conversation.places.turns

    def show(found: Found) -> None:
        places, now = conversation.places, time.monotonic()
        places.show(f"@{found.name}", now, found.place, found.person, typed_since=turn)

    _look_up(conversation, "/query", name, show, moves=True)


_BEHIND_A_NAME: Final = ",:\uff0c\uff1a\u3001"
"""What people write behind a name whom they address, as `bob, hello`; no name has it."""


def _msg(conversation: Conversing, argument: str) -> None:
    typed, _, text = argument.removeprefix("@").partition(" ")
    name, text = typed.rstrip(_BEHIND_A_NAME), text.strip()
    if not text or not name:
        conversation.tell("/msg", "/msg NAME TEXT says something to one person only")
        return
    room = conversation.client.room(f"@{name}")
    if room is not None and not room.gone:
        conversation.speech.say(text, channel=room.name, receiver=room.other, typed=f"/msg {argument}")
        return

    def say(found: Found) -> None:
        if room is not None and room.other != found.person:
            conversation.tell("/msg", ANOTHER.format(found.name))
        conversation.speech.say(
            text, channel=f"@{found.name}", receiver=found.person, typed=f"/msg {argument}", final=True
        )

    _look_up(conversation, "/msg", name, say, text=text)


# --- lines -------------------------------------------------------------------------------------------------


def _me(conversation: Conversing, text: str) -> None:
    if text:
        conversation.speech.say(text, form=Form.ACT, typed=f"/me {text}")
    else:
        conversation.tell("/me", "/me TEXT says what you do")


def _last(conversation: Conversing, command: str, own: bool) -> Event | None:
    """The last line here of the user, or of somebody else; tells when there is none."""
    if own and conversation.speech.waiting:
        conversation.tell(command, "your line is still on its way; try again")
        return None
    line = conversation.places.here.last(own, conversation.client.person, conversation.places.ignored)
    if own and (name := conversation.places.talked_alone_with(line.seq if line else 0)):
        conversation.tell(command, ALONE.format(name))
        return None
    if line is None:
        nothing = "you have said nothing" if own else "nobody else has said anything"
        conversation.tell(command, f"{nothing} here, as far as this client knows")
    return line


def _name_before(conversation: Conversing, text: str) -> str:
    """The name of somebody here with which the text begins, as behind /msg; empty: with none.

    Behind a name with a colon or comma the text is for all. In a direct conversation there is no mistake.
    """
    first, _, rest = text.partition(" ")
    if not rest.strip() or conversation.places.receiver:
        return ""
    known = [member.name for member in conversation.client.members(conversation.places.name)]
    return next((name for name in known if name_key(name) == name_key(first)), "")


def _reply(conversation: Conversing, text: str) -> None:
    if not text:
        conversation.tell("/reply", "/reply TEXT answers the last line of somebody else, before all")
    elif name := _name_before(conversation, text):
        all_read = f"not said: /reply answers in {conversation.places.name}, before all"
        conversation.tell("/reply", f"{all_read}; to {name} alone: /msg {name} …; to say it: {name}: …")
    elif (line := _last(conversation, "/reply", own=False)) is not None:
        alone = None if conversation.places.receiver else conversation.places.waiting_alone()
        if alone is not None and conversation.once.holds(("/reply", alone.place, alone.latest)):
            _hold_reply(conversation, alone.name, line.author)
        else:
            conversation.speech.say(text, reply_to=line.seq)


def _hold_reply(conversation: Conversing, alone: str, author: str) -> None:
    """Somebody has written to the user alone, and waits: an answer may be meant for that one."""
    where, name = conversation.places.name, quoted(alone.removeprefix("@"))
    conversation.hold(
        "/reply",
        f"not said: all in {where} would read this, as an answer to {quoted(author)}; "
        f"to {name} alone: /go {quoted(alone)} or Alt-A. To say it to all: {conversation.once.again}",
    )


def _edit(conversation: Conversing, text: str) -> None:
    """Give the last own line this text; as `s/wrong/right/` it says what to change in it."""
    if not text:
        conversation.tell("/edit", "/edit TEXT gives your last line another text; s/wrong/right/ corrects it")
        return
    line = _last(conversation, "/edit", own=True)
    if line is None:
        return
    substitution = substitution_of(text)
    new = text if substitution is None else substitution.apply(line.text)
    if substitution is not None and new == line.text:
        conversation.tell("/edit", f"nothing is changed: your last line has no {substitution.wrong}")
    elif not new:
        conversation.tell("/edit", "nothing would be left; /delete takes your last line back")
    else:
        conversation.speech.amend(lambda: conversation.client.edit(line.seq, new), new)


def _delete(conversation: Conversing, _: str) -> None:
    if (line := _last(conversation, "/delete", own=True)) is not None:
        conversation.speech.amend(lambda: conversation.client.delete(line.seq), "/delete")


def _react(conversation: Conversing, text: str) -> None:
    if not text:
        conversation.tell("/react", "/react TEXT reacts to the last line of somebody else, as with +1")
    elif (line := _last(conversation, "/react", own=False)) is not None:
        conversation.speech.amend(lambda: conversation.client.react(line.seq, text), text)


def _quit(conversation: Conversing, _: str) -> None:
    conversation.leave()


def _clear(conversation: Conversing, _: str) -> None:
    conversation.view.clear()
    conversation.places.oldest = 0


COMMANDS: Final = (
    LocalCommand(
        "/msg",
        "NAME TEXT",
        "say something to one person only",
        _msg,
        "talking",
        "/msg bob hello",
        ("/dm", "/pm", "/tell", "/whisper"),
    ),
    LocalCommand("/query", "NAME", "go to the conversation with one person", _query, "talking", "/query bob"),
    LocalCommand("/me", "TEXT", "say what you do", _me, "talking", "/me waves"),
    LocalCommand(
        "/reply",
        "TEXT",
        "answer the last line of somebody else; everybody in the channel reads it",
        _reply,
        "talking",
        "/reply I think so, too",
    ),
    LocalCommand("/react", "TEXT", "react to it, with an emoji or a word", _react, "talking", "/react +1"),
    LocalCommand(
        "/edit",
        "TEXT",
        "give your last line another text; s/wrong/right/ corrects it",
        _edit,
        "talking",
        "/edit I meant Tuesday, or s/Monday/Tuesday/ without a command",
    ),
    LocalCommand("/delete", "", "take your last line back", _delete, "talking"),
    LocalCommand("/join", "#x [KEY]", "join a channel, and go there", _join, "channels", "/join #lunch"),
    LocalCommand("/leave", "[#x]", "leave a channel", _leave, "channels", "/leave #lunch", ("/part",)),
    LocalCommand(
        "/go",
        "#x, @name or N",
        "put another place on the screen (Alt-1 to Alt-9, too)",
        _go,
        "channels",
        "/go #lunch",
    ),
    LocalCommand(
        "/unread", "", "your places, and what is unread there (Alt-A goes to the next)", _unread, "channels"
    ),
    LocalCommand(
        "/merge", "[on|off]", "show lines of your other channels, too", _merge, "channels", "/merge on"
    ),
    LocalCommand(
        "/ignore", "NAME", "hide the lines of somebody", ignoring("/ignore"), "people", "/ignore mallory"
    ),
    LocalCommand(
        "/unignore", "NAME", "show them again", ignoring("/unignore"), "people", "/unignore mallory"
    ),
    LocalCommand("/mentions", "[N]", "the last lines that called you", mentions, "looking back"),
    LocalCommand(
        "/show",
        "[N or NAME]",
        "print all of the long text with this number, or the latest of NAME (Ctrl-C stops)",
        _show,
        "looking back",
        "/show 3",
    ),
    LocalCommand(
        "/save",
        "[N or NAME] FILE",
        "write that text, or the latest block (of NAME), into a new file",
        save,
        "looking back",
        "/save 3 notes.txt",
    ),
    LocalCommand("/clear", "", "empty the screen", _clear, "looking back"),
    LocalCommand(
        "/login",
        "NAME",
        "log in to an account; asks for its password",
        lambda *_: None,
        "your account",
        "/login ann",
    ),
    LocalCommand(
        "/keyword",
        "add|remove|list WORD",
        "words that call you, beside your name",
        keyword,
        "your account",
        "/keyword add exam",
    ),
    LocalCommand("/bell", "[off|mention|all]", "when the terminal rings", bell, "your account", "/bell off"),
    LocalCommand("/help", "[COMMAND]", "this page, or more about a command", _help, "server", "/help join"),
    LocalCommand(
        "/quit",
        "",
        "leave (Ctrl-D on an empty line does, too, and Ctrl-C twice)",
        _quit,
        "server",
        aliases=("/q", "/exit"),
    ),
)
WORDS: Final = tuple(word for command in COMMANDS for word in (command.name, *command.aliases))
"""The names of these commands, and their aliases."""
LEAVING: Final = ("/quit", "/q", "/exit")
