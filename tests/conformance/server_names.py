"""Checks of a server: names and channels beyond ASCII, and the test vectors of names."""

from __future__ import annotations

from functools import partial

from chatroom.limits import NAME_BYTES
from chatroom.outcomes import Code
from chatroom.packets import NO_TOKEN, Answer, Bye, Command, Status, Username, Verdict
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.room import Room
from tests.conformance.server_handshake import admit
from tests.conformance.server_packets import load
from tests.conformance.wire import describe

full = partial(check, role=Role.SERVER, level=Level.FULL)

_NAMES = [entry for entry in load("names") if "name" in entry]
_CHANNELS = [entry for entry in load("names") if "channel" in entry]

# --- names that cannot be -------------------------------------------------------------------------------

REFUSED: dict[str, list[str]] = {
    "N2": ["", "_ann", "an n", "an\u200bn", "an\u202en", "an\x1bn", "ann\U0001f642"],
    "N3": ["n\u0332\u0332", "n\u0332\u0333\u0334"],
    "N4": ["x" * 25, "漢" * 13, "\u0915\u0940" * 13],
    "N5": [
        "ann\u20e3",
        "ann\u1161",
        "ann\u02d0",
        "\U0001d44e\U0001d45b\U0001d45b",
        "عـمر",
        "\u3164",
        "аnn",
        "Ωmega",
        "ひろ김",
    ],
    "N6": ["1\u0661"],
    "N12": ["server", "SYSTEM", "Adm1n", "server-", "chatroom", "Everyone", "operator__"],
    "N18": ["\u0378", "\U0001df2b"],
}
"""Rule and names that it refuses; those of tests/vectors/names.json are among them."""


@full("N2", "N3", "N4", "N5", "N6", "N12", "N18", "C10", cases={rule: rule for rule in REFUSED})
def names_that_are_refused(room: Room, rule: str) -> None:
    """A name that cannot be gets BAD_NAME: these, and those that tests/vectors/names.json refuses."""
    for name in REFUSED[rule]:
        assert len(name.encode()) <= NAME_BYTES
        lobby = room.greet(name)
        packet = lobby.expect(Status, rule)
        good = packet.verdict is Verdict.FAIL and packet.code == Code.BAD_NAME
        ensure(good, rule, f"BAD_NAME for {name!a}", describe(packet))
        lobby.close()


def _missing() -> list[str]:
    known = {name for names in REFUSED.values() for name in names}
    return [entry["name"] for entry in _NAMES if "refused" in entry and entry["name"] not in known]


assert not _missing(), f"the vectors have refused names without a rule: {_missing()}"

# --- names that can be ----------------------------------------------------------------------------------


@full("N1", "N7", "N8", "N9", "P19", "C11")
def names_json(room: Room) -> None:
    """Each good name of tests/vectors/names.json is written as it says; its key is the same name."""
    room.use_own_server("names")
    for entry in _NAMES:
        if "refused" in entry:
            continue
        member = room.enter(entry["name"])
        ensure(
            member.welcome.name == entry["written"], "N1", ascii(entry["written"]), ascii(member.welcome.name)
        )
        lobby = room.greet(entry["key"])
        packet = lobby.expect(Status, "N7")
        ensure(packet.code == Code.NAME_TAKEN, "N7", f"NAME_TAKEN for {entry['key']!a}", describe(packet))
        lobby.close()
        member.leave()


SAME = [("Ann", "ANN"), ("ann", "Ａｎｎ"), ("Straße", "STRASSE"), ("éva", "e\u0301VA")]
ALIKE = [
    ("Ian", "lan"),
    ("lan", "Ian"),
    ("paypal", "paypaI"),
    ("cop", "сор"),
    ("bem", "bern"),
    ("İbo", "ibo"),
]
UNLIKE = [("ian", "lan"), ("ann", "ạnn"), ("anna", "ann")]
OTHER_KEYS = [("ann", "änn"), ("ạnn", "änn"), ("resume", "résumé")]
_PAIRS = {
    **{f"{one!a} and {other!a}, the same name": ("N7", one, other, True) for one, other in SAME},
    **{f"{one!a} and {other!a}, which look alike": ("N10", one, other, True) for one, other in ALIKE},
    **{f"{one!a} and {other!a}, which do not": ("N11", one, other, False) for one, other in UNLIKE},
    **{f"{one!a} and {other!a}, other keys": ("N9", one, other, False) for one, other in OTHER_KEYS},
}


@full("N7", "N9", "N10", "N11", "C11")
def look_alikes(room: Room) -> None:
    """A name with the same key as a taken one, or that looks like it, is refused; a similar one is given."""
    room.use_own_server("look-alikes")
    for pair, (rule, taken, wanted, refused) in _PAIRS.items():
        member = room.enter(taken)
        lobby = room.greet(wanted)
        packet = lobby.expect(Status, rule)
        code = Code.NAME_TAKEN if refused else Code.OK
        ensure(packet.code == code, rule, f"{code.name} ({pair})", describe(packet))
        if packet.verdict is Verdict.PASS:  # a later pair may have this name: wait until it is free
            lobby.send(Status(Verdict.FAIL))
            lobby.rest("A7")
        lobby.close()
        member.leave()


@full("N10", "C12", "O11")
def a_look_alike_of_a_held_name(room: Room) -> None:
    """What looks like a held name is refused with NAME_HELD."""
    room.use_own_server("held look-alikes")
    member = room.enter("paypal")
    member.abort()
    room.refused_as_held("paypaI", "N10", "C12")


@full("B12", "N7", "N8")
def a_token_counts_with_the_same_key(room: Room) -> None:
    """A token counts with every name that has the same key."""
    name = room.name()
    lost = room.enter(name)
    lost.says_and_hears("a line")
    lost.abort()
    back = room.enter(name.upper(), token=lost.welcome.token)
    ensure(back.welcome.token == lost.welcome.token, "B12", "the same session", describe(back.welcome))


# --- channels -------------------------------------------------------------------------------------------


@full("N13", "N14", "N17", "A13", "L14", "L15", "C10", "P46")
def channels_of_names_json(room: Room) -> None:
    """Each channel of tests/vectors/names.json is entered in its key form, or refused with BAD_NAME."""
    for entry in _CHANNELS:
        name = room.name()
        member, port = room.arrive(name)
        member.send(admit(name, port.ticket, entry["channel"]))
        if "refused" not in entry:
            member.be_greeted()
            wanted = [entry["written"]]
            ensure(
                list(member.channels) == wanted,
                "N14",
                f"the channel {wanted!a}",
                ascii(list(member.channels)),
            )
            member.leave()
            continue
        packets = member.rest("A13")
        last = packets[-1] if packets else None
        good = isinstance(last, Status | Bye) and last.code == Code.BAD_NAME
        ensure(good, "A13", f"BAD_NAME for {entry['channel']!a}", describe(last))


@full("O2", "N14", "N15")
def two_ways_of_writing_one_channel(room: Room) -> None:
    """Two ways of writing one channel count once; a line must use the form of CHANNEL."""
    channel = room.channel()
    member = room.enter(None, channel.upper(), channel)
    ensure(list(member.channels) == [channel], "O2", f"one CHANNEL, {channel}", list(member.channels))
    member.say("in the key form")
    member.hears("in the key form", "N15")
    id = member.say("in another form", channel.upper())
    member.find(Answer, "N15", id=id, code=Code.NOT_IN)


@full("N16", "P36")
def any_form_in_a_command(room: Room) -> None:
    """In a command any form of the channel will do."""
    member = room.enter()
    member.send(Command(1, member.channel.upper(), "/help"))
    member.find(Answer, "N16", id=1, code=Code.OK)


@full("N17")
def no_channel_is_reserved(room: Room) -> None:
    """Channels that look like another one, or like a reserved name, can be entered."""
    member = room.enter(None, "#admin", "#adm1n", "#system")
    ensure(len(member.channels) == 3, "N17", "three channels", sorted(member.channels))


@full("A4", "C10", "N2")
def a_good_name_after_bad_ones(room: Room) -> None:
    """After a refusal another name may follow on the same connection, also one beyond ASCII."""
    lobby = room.greet("аnn")
    lobby.expect(Status, "N5", verdict=Verdict.FAIL, code=Code.BAD_NAME)
    lobby.send(Username("李雷", NO_TOKEN))
    lobby.expect(Status, "A4", verdict=Verdict.PASS)
