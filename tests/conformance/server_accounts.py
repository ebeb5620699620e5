"""Checks of a server: accounts, logins, and the commands that belong to them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import quote

from chatroom.events import EXTRA_ACCOUNT, Event, EventKind, extra_rows
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Channel, Command, Credential, Packet, Status, Username, Verdict
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.room import Credentials, Member, Room
from tests.conformance.server_talk import NOBODY_ELSE, two
from tests.conformance.wire import Wire, describe

accounts = partial(check, role=Role.SERVER, level=Level.ACCOUNTS)

PASSWORD, OTHER, WRONG = "correct horse %41 ä", "battery staple", "wrong password"


def by_password(password: str) -> Credentials:
    return ((Credential.PASSWORD, password.encode()),)


def by_token(token: bytes) -> Credentials:
    return ((Credential.DEVICE_TOKEN, token),)


def tell(member: Member, command: str, *passwords: str) -> tuple[Answer, list[Any]]:
    """Give a command; its ANSWER, and the rows."""
    text = " ".join([command, *(quote(password, safe="") for password in passwords)])
    id = member.next_id()
    member.send(Command(id, member.channel, text))
    answer: Answer = member.find(Answer, "P36", id=id)
    return answer, json.loads(answer.rows or "[]")


def do(member: Member, rule: str, command: str, *passwords: str) -> list[Any]:
    """Give a command that must succeed; the rows of its answer."""
    answer, rows = tell(member, command, *passwords)
    ensure(answer.code == Code.OK, rule, f"OK to {command}", describe(answer))
    return rows


def refused(member: Member, code: Code, rule: str, command: str, *passwords: str) -> list[Any]:
    """Give a command that must be refused with this code; the rows of its answer."""
    answer, rows = tell(member, command, *passwords)
    ensure(answer.code == code, rule, f"{code.name} to {command}", describe(answer))
    return rows


def with_account(room: Room, *channels: str) -> Member:
    """A member whose name is an account."""
    member = room.enter(None, *channels)
    do(member, "U14", "/register", PASSWORD)
    return member


def refusal(
    room: Room, code: Code, rule: str, name: str, credentials: Credentials = ()
) -> tuple[Wire, Status]:
    """A lobby connection that was refused with this code."""
    lobby = room.greet(name, credentials=credentials)
    status = lobby.expect(Status, rule, verdict=Verdict.FAIL, code=code)
    return lobby, status


# --- logging in -------------------------------------------------------------------------------------------


@accounts("U1", "U14", "C24", "A4")
def a_name_of_ones_own(room: Room) -> None:
    """After /register the others get ACCOUNT, and the name needs a login, also when its owner is out."""
    dora, other = two(room)
    name = dora.welcome.name
    do(dora, "U14", "/register", PASSWORD)
    other.event(EventKind.ACCOUNT, "U14", person=dora.welcome.person, text=name, place=0)
    dora.leave()
    lobby, _ = refusal(room, Code.NEED_LOGIN, "U1", name.upper())
    lobby.send(Username(room.name(), bytes(16)))
    lobby.expect(Status, "A4", verdict=Verdict.PASS)


@accounts("U2", "C11")
def what_looks_like_an_account_is_taken(room: Room) -> None:
    """A look-alike of the name of an account is refused with NAME_TAKEN."""
    dora = room.enter(f"{room.name()}l")
    do(dora, "U14", "/register", PASSWORD)
    dora.leave()
    refusal(room, Code.NAME_TAKEN, "U2", f"{dora.welcome.name[:-1]}1")


@accounts("U4", "U5", "U11", "U12", "U20", "B2")
def several_programs_of_one_person(room: Room) -> None:
    """A login gives another session of the same person, which is one member to the others."""
    channel = room.channel()
    other, dora = room.enter(None, channel), with_account(room, channel)
    other.event(EventKind.JOINED, "U12", person=dora.welcome.person)
    spelled = PASSWORD.replace("ä", "a\u0308").replace(" ", "\u00a0")
    phone = room.enter(dora.welcome.name.upper(), channel, credentials=by_password(spelled))
    ensure(phone.welcome.person == dora.welcome.person, "U4", "the same person", describe(phone.welcome))
    ensure(phone.welcome.name == dora.welcome.name, "U5", dora.welcome.name, describe(phone.welcome))
    ensure(phone.welcome.token != dora.welcome.token, "U11", "another token", phone.welcome.token.hex())
    said = phone.says_and_hears("from the phone")
    dora.hears("from the phone", "U11", person=phone.welcome.person, id=said.id)
    dora.leave()
    for packet in other.up_to_fence():
        kind = getattr(packet, "kind", None)
        ensure(kind not in (EventKind.JOINED, EventKind.QUIT), "U12", NOBODY_ELSE, describe(packet))
    phone.leave()
    other.event(EventKind.QUIT, "U12", person=phone.welcome.person)


@accounts("P63", "P64", "O17")
def what_the_programs_and_the_others_are_told(room: Room) -> None:
    """ACCOUNT says who has an account or none any more, and JOINED names it; a program gets the channels that
    another one enters, each with CHANNEL before JOINED."""
    first, second = room.channel(), room.channel()
    other, guest = room.enter(None, first), room.enter(None, second)
    joined = guest.joined()
    ensure(EXTRA_ACCOUNT not in extra_rows(joined.extra), "P63", "no account", describe(joined))
    dora = with_account(room, first)
    name, person = dora.welcome.name, dora.welcome.person
    other.event(EventKind.ACCOUNT, "P64", person=person, text=name)
    phone = room.enter(name, first, second, credentials=by_password(PASSWORD))
    told = [packet for packet in dora.up_to_fence() if is_about(packet, second)]
    ensure([type(packet) for packet in told] == [Channel, Event], "O17", "CHANNEL, then JOINED", told)
    joined = guest.event(EventKind.JOINED, "P63", person=person)
    ensure(
        extra_rows(joined.extra).get(EXTRA_ACCOUNT) == name.encode(),
        "P63",
        f"the account {name}",
        describe(joined),
    )
    do(phone, "P64", "/unregister", PASSWORD)
    other.event(EventKind.ACCOUNT, "P64", person=person, text="")


def is_about(packet: Packet, channel: str) -> bool:
    """Whether a packet describes the channel, or says that somebody joined it."""
    if isinstance(packet, Event):
        return packet.kind is EventKind.JOINED and packet.channel == channel
    return isinstance(packet, Channel) and packet.name == channel


@accounts("U3", "B2")
def a_session_needs_no_password(room: Room) -> None:
    """Who comes back with the token of a session of the account needs no credential."""
    dora = with_account(room)
    dora.says_and_hears("before")
    dora.abort()
    back = room.come_back(dora)
    ensure(back.welcome.person == dora.welcome.person, "U3", "the same person", describe(back.welcome))


@accounts("U6", "C26", "A4")
def wrong_credentials_are_answered_alike(room: Room) -> None:
    """A wrong password, a wrong token and no such account have the same code and the same words."""
    dora = with_account(room)
    dora.leave()
    reasons = set()
    for name in (dora.welcome.name, room.name()):
        for credentials in (by_password(WRONG), by_token(bytes(32)), by_password("")):
            _, status = refusal(room, Code.BAD_PASSWORD, "U6", name, credentials)
            reasons.add(status.reason)
    ensure(len(reasons) == 1, "U6", "one reason for all", reasons)
    lobby, _ = refusal(room, Code.BAD_PASSWORD, "U6", dora.welcome.name, by_password(WRONG))
    lobby.send(Username(dora.welcome.name, bytes(16), by_password(PASSWORD)))
    lobby.expect(Status, "A4", verdict=Verdict.PASS)


@accounts("U17", "P5", "U23")
def a_device_token(room: Room) -> None:
    """The answer to /device has a token that logs in, beside keys that nobody knows."""
    dora = with_account(room)
    (row,) = do(dora, "U17", "/device laptop")
    good = row[:2] == ["token", dora.welcome.name] and len(bytes.fromhex(row[2])) == 32
    ensure(good, "U17", '["token", name, 64 hex digits]', row)
    credentials = ((99, b"unknown"), *by_token(bytes.fromhex(row[2])))
    phone = room.enter(dora.welcome.name, credentials=credentials)
    ensure(phone.welcome.person == dora.welcome.person, "U17", "the same person", describe(phone.welcome))


# --- commands ---------------------------------------------------------------------------------------------


@accounts("U13", "U15", "C16")
def another_password(room: Room) -> None:
    """After /passwd only the new password counts, and the other programs have ended."""
    dora = with_account(room)
    (row,) = do(dora, "U17", "/device laptop")
    phone = room.enter(dora.welcome.name, credentials=by_password(PASSWORD))
    refused(dora, Code.BAD_PASSWORD, "U15", "/passwd", WRONG, OTHER)
    do(dora, "U15", "/passwd", PASSWORD, OTHER)
    packets = phone.rest("U15")
    last = packets[-1] if packets else None
    ensure(isinstance(last, Bye) and last.code == Code.EXPIRED, "U15", "BYE with EXPIRED", describe(last))
    for credentials in (by_password(PASSWORD), by_token(bytes.fromhex(row[2]))):
        refusal(room, Code.BAD_PASSWORD, "U15", dora.welcome.name, credentials)
    room.enter(dora.welcome.name, credentials=by_password(OTHER))


@accounts("U16")
def a_name_is_given_up(room: Room) -> None:
    """After /unregister and QUIT the name is free."""
    dora = with_account(room)
    refused(dora, Code.BAD_PASSWORD, "U16", "/unregister", WRONG)
    do(dora, "U16", "/unregister", PASSWORD)
    dora.leave()
    other = room.enter(dora.welcome.name)
    ensure(other.welcome.person != dora.welcome.person, "U16", "another person", describe(other.welcome))


@accounts("U18", "U24")
def another_program_is_ended(room: Room) -> None:
    """/sessions lists a person's own programs; /sessions end N ends another one, never the one that asks."""
    dora = with_account(room)
    phone = room.enter(dora.welcome.name, credentials=by_password(PASSWORD))
    rows = do(phone, "U24", "/sessions")
    mine = [row[0] for row in rows if len(row) == 8 and row[2] is True]
    others = [row[0] for row in rows if len(row) == 8 and row[2] is False]
    good = len(rows) == 2 and len(mine) == len(others) == 1
    ensure(good, "U24", "two rows of 8 values, one of them of the program that asks", rows)
    refused(phone, Code.BAD_ARGUMENTS, "U18", f"/sessions end {mine[0]}")
    do(phone, "U18", f"/sessions end {others[0]}")
    packets = dora.rest("U18")
    ensure(bool(packets) and isinstance(packets[-1], Bye), "U18", "BYE", describe(packets[-1:]))
    phone.is_alive("U18")


@accounts("U25")
def who_somebody_is(room: Room) -> None:
    """/whois tells what is public of a member; the address only of oneself."""
    channel = room.channel()
    guest, dora = room.enter(None, channel), with_account(room, channel)
    for asker, name in ((guest, dora.welcome.name), (dora, "")):
        found = dict(do(asker, "U25", f"/whois {name}".strip()))
        said = [found.get(word) for word in ("name", "account", "role", "phase", "encrypted")]
        expected = [dora.welcome.name, dora.welcome.name, "member", "here", False]
        ensure(said == expected, "U25", expected, said)
        ensure(("addresses" in found) is (asker is dora), "U25", "addresses only of oneself", sorted(found))


@accounts("U19", "U22", "C6")
def bad_passwords(room: Room) -> None:
    """A new password that is too short, too long, or has control characters, is refused."""
    member = room.enter()
    for password in ("short", "x" * 257, "a\ttab in it", "a line\nend"):
        refused(member, Code.BAD_ARGUMENTS, "U19", "/register", password)
    refused(member, Code.BAD_ARGUMENTS, "U22", "/register")
    do(member, "U19", "/register", "x" * 256)


@accounts("U21", "U22", "C23", "C24")
def commands_of_others(room: Room) -> None:
    """A guest gets NEED_LOGIN, an account without the role NEED_ROLE; the rows name the command."""
    guest, dora = room.enter(), with_account(room)
    for command in ("/passwd a b", "/unregister a", "/device laptop", "/owner ABCD"):
        rows = refused(guest, Code.NEED_LOGIN, "U21", command)
        ensure(rows == [command.split()[0]], "U21", f'["{command.split()[0]}"]', rows)
    for member in (guest, dora):
        rows = refused(member, Code.NEED_ROLE, "U21", f"/code {dora.welcome.name}")
        ensure(rows == ["/code", "owner"], "U21", '["/code","owner"]', rows)


@accounts("C26", "U6")
def wrong_codes_are_answered_alike(room: Room) -> None:
    """A wrong code has the same answer for an account and for none."""
    dora, guest = with_account(room), room.enter()
    answers = set()
    for name in (dora.welcome.name, room.name()):
        answer, _ = tell(guest, f"/recover {name} AAAA-AAAA-AAAA-AAAA", OTHER)
        answers.add((answer.code, answer.words, answer.rows))
    ensure(len(answers) == 1, "U6", "one answer for both", answers)
    ensure(next(iter(answers))[0] == Code.BAD_PASSWORD, "C26", "BAD_PASSWORD", answers)
