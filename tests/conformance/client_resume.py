"""Checks of a client: coming back, and exactly once."""

from __future__ import annotations

import time
from functools import partial

from chatroom.outcomes import Code
from chatroom.packets import NO_TOKEN, Answer, Port, Resumed, Say, Status, Verdict
from tests.conformance.check import Failed, Level, Role, check, ensure
from tests.conformance.client_talk import REST_SECONDS
from tests.conformance.host import IDENTITY, MOMENT, TOKEN, Guest, Host
from tests.conformance.wire import describe, frame

resume = partial(check, role=Role.CLIENT, level=Level.RESUME)
full = partial(check, role=Role.CLIENT, level=Level.FULL)

NEW_TOKEN = b"\x77" * 16
NEW_IDENTITY = b"\x66" * 16
MOST_TRIES = 20
"""More tries than these in REST_SECONDS are a flood."""


def cursor(guest: Guest) -> tuple[int, int]:
    """since and time of its ADMIT."""
    return guest.admit.since, guest.admit.time


@resume("B1", "P8", "P9", "P10", "P14", "B9")
def coming_back_with_token_and_cursor(host: Host) -> None:
    """USERNAME has token and name of WELCOME, ADMIT has the cursor and the channels."""
    first = host.enter()
    event = first.tell("seen")
    host.shows("seen")
    first.abort()
    second = host.back_in(resumed=Resumed.EXACT)
    ensure(second.username.token == TOKEN, "P14", f"the token {TOKEN.hex()}", second.username.token.hex())
    ensure(second.username.name == host.name, "B1", host.name, second.username.name)
    ensure(
        cursor(second) == (event.seq, event.time),
        "B1",
        f"since {event.seq}, time {event.time}",
        describe(second.admit),
    )
    ensure(second.admit.identity == IDENTITY, "P10", IDENTITY.hex(), second.admit.identity.hex())
    ensure(
        second.admit.channels == first.admit.channels, "B1", str(first.admit.channels), second.admit.channels
    )
    second.tell("back again")
    host.shows("back again", "B2")


@resume("B1", "P26", "P27")
def LIVE_moves_the_cursor(host: Host) -> None:
    """LIVE counts for `since` when it has the greater seq."""
    first = host.enter()
    first.takes_pings()
    first.close()
    second = host.bring_in(host.come_back())
    ensure(
        cursor(second) == (host.seq, MOMENT + host.seq),
        "B1",
        f"since {host.seq} of LIVE",
        describe(second.admit),
    )


@full("B1", "K1", "K2")
def skipped_events_move_the_cursor(host: Host) -> None:
    """The seq of an event of an unknown kind counts; that of a signal (0) does not."""
    first = host.enter()
    event = host.event("unknown")
    for seq in (event.seq, 0):
        fixed = seq.to_bytes(8, "big") + event.time.to_bytes(8, "big") + bytes(8) + b"\0\0\x03\0bob"
        first.send_bytes(frame(0x7E, fixed), f"an event of an unknown kind, seq {seq}")
    first.takes_pings()
    first.close()
    second = host.bring_in(host.come_back())
    ensure(cursor(second) == (event.seq, event.time), "K1", f"since {event.seq}", describe(second.admit))


@full("P51", "P52")
def a_replay_with_an_id_is_for_showing_only(host: Host) -> None:
    """Events in a replay with an id do not move the cursor."""
    first = host.enter()
    event = first.tell("live")
    host.shows("live")
    first.send_bytes(frame(0x10, b"", 55), "REPLAY with id 55")
    first.send(event._replace(seq=event.seq + 500, text="of the past"), Answer(55, Code.OK, "", "[]"))
    first.takes_pings()
    first.close()
    second = host.bring_in(host.come_back())
    ensure(cursor(second) == (event.seq, event.time), "P52", f"since {event.seq}", describe(second.admit))


@full("B2", "P19")
def the_name_of_WELCOME_counts(host: Host) -> None:
    """The client comes back with the name that WELCOME gave."""
    first = host.enter(name="Guest-X")
    first.takes_pings()
    first.close()
    again = host.come_back()
    ensure(again.username.name == "Guest-X", "B1", "Guest-X", again.username.name)


# --- settling lines -------------------------------------------------------------------------------------


def lines_at_a_return(host: Host, guest: Guest) -> tuple[Guest, set[str]]:
    """Let the client come back when nothing is to be told; the connection, and all lines up to then."""
    guest.takes_pings()
    guest.abort()
    back = host.back_in(resumed=Resumed.EXACT)
    back.nothing_more("E18")
    return back, host.lines()


def two_lines(host: Host, guest: Guest | None = None) -> tuple[Guest, Say, Say]:
    """A client whose connection is lost with two lines that are not ended."""
    guest = guest or host.enter()
    host.program.say("one", "two")
    one, two = guest.expect_line("one"), guest.expect_line("two")
    guest.abort()
    return guest, one, two


def again(guest: Guest, *says: Say, rule: str) -> None:
    """These lines must come again, with the same ids, in order, and then no other."""
    for say in says:
        guest.expect_line(say.text, rule, id=say.id)
        guest.confirm(say)
    guest.nothing_more(rule)


@resume("E18", "E11", "E13", "B1")
def what_did_not_arrive_is_sent_again(host: Host) -> None:
    """Lines above `confirmed` are sent again after LIVE, with the same ids, in the order of the ids."""
    _guest, one, two = two_lines(host)
    host.program.say("three")
    back = host.back_in(resumed=Resumed.EXACT)
    back.expect_line("one", "E18", id=one.id)
    back.expect_line("two", "E18", id=two.id)
    three = back.expect_line("three", "E13")
    ensure(three.id > two.id, "E1", f"an id above {two.id}", three.id)


@resume("E14", "E5")
def what_is_in_the_replay_is_said(host: Host) -> None:
    """A line whose SAID is in the replay is not sent again."""
    guest, one, two = two_lines(host)
    back = host.back_in(resumed=Resumed.EXACT, replay=(guest.said(one),), confirmed=one.id)
    again(back, two, rule="E14")


@full("E14", "E5", "P16")
def the_SAID_of_another_person_is_not_its_own(host: Host) -> None:
    """Only a SAID with the own person and the id ends a line."""
    _, one, two = two_lines(host)
    other = host.event("one", id=one.id, author=host.name)
    back = host.back_in(resumed=Resumed.EXACT, replay=(other,))
    again(back, one, two, rule="E14")


@resume("E16", "E9")
def what_is_confirmed_but_not_there_was_refused(host: Host) -> None:
    """With EXACT, a line up to `confirmed` that is not in the replay was refused: told, not sent again."""
    guest, known = lines_at_a_return(host, host.enter())
    _, _, two = two_lines(host, guest)
    back = host.back_in(resumed=Resumed.EXACT, confirmed=two.id)
    back.nothing_more("E16")
    host.tells_news(known, "E16")


@full("E17", "P22", cases={"GAP": Resumed.GAP, "FRESH": Resumed.FRESH})
def what_nobody_knows_is_not_sent_again(host: Host, resumed: Resumed) -> None:
    """Without EXACT a line up to `confirmed` that is not in the replay is unknown: told, not sent again."""
    guest, known = lines_at_a_return(host, host.enter())
    if resumed is Resumed.GAP:
        guest.abort()
        guest = host.back_in(resumed=resumed)
        host.tells_news(known, "B8")
        known = host.lines()
    _, _, two = two_lines(host, guest)
    back = host.back_in(resumed=resumed, confirmed=two.id)
    back.nothing_more("E17")
    host.tells_news(known, "E17")


INTERRUPTED = {
    "GAP": ("B8", Resumed.GAP),
    "OTHER_HISTORY": ("B7", Resumed.OTHER_HISTORY),
    "RESTORED": ("B7", Resumed.RESTORED),
}


@full("B7", "B8", "P22", "P23", "P24", cases=INTERRUPTED)
def what_was_missed_is_not_all_there(host: Host, case: tuple[str, Resumed]) -> None:
    """With GAP, OTHER_HISTORY and RESTORED the client tells its user so in a line."""
    rule, resumed = case
    guest, known = lines_at_a_return(host, host.enter())
    guest.abort()
    host.back_in(resumed=resumed).takes_pings()
    host.tells_news(known, rule)


@resume("E19", "E15", "B2")
def a_new_session_gets_all_lines(host: Host) -> None:
    """In a new session (another token, confirmed 0) all lines that are not ended are sent again."""
    _, one, two = two_lines(host)
    back = host.back_in(token=NEW_TOKEN, person=77)
    again(back, one, two, rule="E19")
    back.abort()
    third = host.come_back()
    ensure(third.username.token == NEW_TOKEN, "B1", "the new token", third.username.token.hex())


@full("E14", "E15", "E19")
def the_old_person_counts_in_a_new_session(host: Host) -> None:
    """The own person is that of the WELCOME under which the line was sent."""
    guest, one, two = two_lines(host)
    back = host.back_in(resumed=Resumed.EXACT, replay=(guest.said(one),), token=NEW_TOKEN, person=77)
    again(back, two, rule="E15")


@full("B7", "E15", "P23", "E18")
def another_history_begins(host: Host) -> None:
    """With OTHER_HISTORY the client forgets its cursor, and only the new person is its own."""
    guest, one, two = two_lines(host)
    old = guest.said(one)
    host.seq = 10
    back = host.back_in(
        resumed=Resumed.OTHER_HISTORY, identity=NEW_IDENTITY, token=NEW_TOKEN, person=77,
        replay=(old._replace(seq=5),),
    )  # fmt: skip
    again(back, one, two, rule="E15")
    back.takes_pings()
    back.abort()
    third = host.bring_in(host.come_back())
    ensure(third.admit.identity == NEW_IDENTITY, "B7", "the new identity", third.admit.identity.hex())
    ensure(third.admit.since == host.seq, "B7", f"since {host.seq}", third.admit.since)


@full("B7", "E14", "E15", "P24")
def an_older_copy_goes_on(host: Host) -> None:
    """With RESTORED a SAID with the person of the new WELCOME ends a line; lower seqs are new."""
    guest, one, two = two_lines(host)
    host.seq = 500
    said = guest.said(one)
    back = host.back_in(resumed=Resumed.RESTORED, replay=(host.event("of the copy"), said), confirmed=one.id)
    host.shows("of the copy", "B7")
    again(back, two, rule="E14")


@resume("E9", "E5", "C3", "P35")
def a_refused_line_is_ended(host: Host) -> None:
    """A refused line is told and not sent again, also not after a reconnect."""
    guest = host.enter()
    host.program.say("refused", "next")
    refused, following = guest.expect_line("refused"), guest.expect_line("next")
    guest.send(Answer(refused.id, Code.NOT_IN, "not in this channel"))
    guest.confirm(following)
    host.tells("not in this channel", "P35")
    guest.takes_pings()
    guest.abort()
    back = host.back_in(resumed=Resumed.EXACT, confirmed=following.id)
    back.nothing_more("E9")


@full("E8", "C2", "E5")
def ALREADY_ends_a_line(host: Host) -> None:
    """ANSWER with ALREADY ends a line: it is not sent again."""
    guest = host.enter()
    host.program.say("line")
    say = guest.expect_line("line")
    guest.send(Answer(say.id, Code.ALREADY, "said before"))
    guest.takes_pings()
    guest.abort()
    back = host.back_in(resumed=Resumed.EXACT, confirmed=say.id)
    back.nothing_more("E8")


@full("E1", "E13", "E18")
def ids_rise_across_sessions(host: Host) -> None:
    """In a new session the client goes on with its ids; a line typed meanwhile comes in its order."""
    first = host.enter()
    host.program.say("first")
    one = first.takes_and_confirms("first")
    first.takes_pings()
    first.abort()
    host.program.say("while away")
    back = host.back_in(token=NEW_TOKEN, person=77)
    away = back.expect_line("while away", "E13")
    ensure(away.id > one.id, "E1", f"an id above {one.id}", away.id)


@resume("E11", "E18")
def no_line_before_LIVE(host: Host) -> None:
    """Between the begin of a handshake and LIVE no SAY is sent, however long the replay is."""
    _, one, two = two_lines(host)
    back = host.back_in(resumed=Resumed.EXACT, live=False, replay=[host.event(f"old {n}") for n in range(20)])
    back.nothing_more("E11")
    back.go_live()
    again(back, one, two, rule="E18")


@full("O6", "B1", "P58")
def events_are_shown_once(host: Host) -> None:
    """What was shown is not shown again when it comes a second time in a replay."""
    first = host.enter()
    event = first.tell("only once")
    host.shows("only once")
    first.close()
    back = host.back_in(resumed=Resumed.EXACT, replay=(event, host.event("missed")))
    back.tell("the end")
    host.shows("the end")
    out = host.program.out.text
    ensure(out.count("only once") == 1, "O6", "the event once", out)
    ensure(out.count("missed") == 1, "P21", "the missed event", out)


# --- when to come back ----------------------------------------------------------------------------------


@resume("B14", "Q3", "C18", "P40", cases={"again 1": 1, "again 7": 7})
def BYE_with_again(host: Host, again_: int) -> None:
    """After BYE with `again` other than 0 the client comes back (it may; to resume it must)."""
    first = host.enter()
    first.send_bytes(frame(0x0E, bytes([again_]) + b"\0\x40stopping"), f"BYE with again {again_}, STOPPING")
    first.finish()
    first.expect_closed("Q5")
    back = host.back_in(resumed=Resumed.EXACT)
    host.program.say("back")
    back.expect_line("back", "B14")


@resume("Q7", "B1")
def one_direction_that_ends_is_a_lost_connection(host: Host) -> None:
    """The end of the stream without BYE is a lost connection, also when only one direction is shut down."""
    first = host.enter()
    first.takes_pings()
    first.finish()
    first.expect_closed("Q7")
    host.back_in(resumed=Resumed.EXACT).takes_pings()


@resume("B17", "G2")
def a_protocol_error_is_a_lost_connection(host: Host) -> None:
    """After a protocol error of the server the client comes back, and settles its lines."""
    first = host.enter()
    host.program.say("line")
    say = first.expect_line("line")
    first.send_bytes(b"rubbish", "rubbish")
    first.expect_closed("B17")
    again(host.back_in(resumed=Resumed.EXACT), say, rule="B17")


@full("A17", "B14")
def a_port_where_nobody_listens(host: Host) -> None:
    """A client that cannot connect to the new port has lost a connection: it comes to the lobby again."""
    first = host.enter()
    first.takes_pings()
    first.abort()
    lobby = host.come_back()
    number = host.admission_port()
    port = number.getsockname()[1]
    number.close()
    lobby.send(Status(Verdict.PASS), Port(port, bytes(16)))
    if lobby.take() == Status(Verdict.PASS):
        lobby.expect(Status, "A3", verdict=Verdict.END)
        lobby.send(Status(Verdict.END))
    lobby.close()
    host.back_in("room, at the third try", resumed=Resumed.EXACT).takes_pings()


@full("B15", "B14", "C7", "C8")
def pauses_grow(host: Host) -> None:
    """A client that is refused again and again does not flood the server."""
    first = host.enter()
    first.takes_pings()
    first.abort()
    tries, began = 0, time.monotonic()
    while time.monotonic() - began < 2 * REST_SECONDS:
        try:
            lobby = host.accept("lobby", began + 2 * REST_SECONDS - time.monotonic())
        except Failed:
            break
        tries += 1
        lobby.send(Status(Verdict.FAIL, Code.SLOW_DOWN, "try again in some seconds"))
        lobby.finish()
        lobby.close()
    ensure(tries <= MOST_TRIES, "B15", f"at most {MOST_TRIES} tries in {2 * REST_SECONDS:g} s", tries)


@full("B13", "C12", "C11")
def a_name_that_is_gone(host: Host) -> None:
    """When the name is refused at a reconnect, the client tells its user."""
    first = host.enter()
    first.takes_pings()
    first.abort()
    lobby = host.come_back()
    ensure(lobby.username.token != NO_TOKEN, "B1", "the token", lobby.username.token.hex())
    lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "somebody else has it now"))
    host.tells("somebody else has it now", "B13")


@full("D6", "C19", "B14")
def TOO_SLOW_is_no_reason_to_stay_away(host: Host) -> None:
    """After BYE with TOO_SLOW the client gets the rest from the history."""
    first = host.enter()
    event = first.tell("before")
    host.shows("before")
    first.say_bye(Code.TOO_SLOW, True, "too slow: come back")
    back = host.bring_in(host.come_back())
    ensure(cursor(back) == (event.seq, event.time), "B1", f"since {event.seq}", describe(back.admit))
    back.greet(resumed=Resumed.EXACT, replay=(host.event("the rest"),))
    host.shows("the rest", "D6")
