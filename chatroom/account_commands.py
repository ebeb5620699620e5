"""Commands of accounts, programs and the roles of the whole chatroom."""

from __future__ import annotations

from chatroom import preparing
from chatroom.command import SlashCommand, acting
from chatroom.desk import Asker, Room
from chatroom.errors import NameRefused
from chatroom.limits import NAME_BYTES
from chatroom.names import check_name, name_key
from chatroom.outcomes import Code, Outcome
from chatroom.places import WHOLE_CHATROOM, Member
from chatroom.state import State


def _whois(room: Room, asker: Asker, name: str) -> Outcome:
    """Rows: pairs of word and value. Addresses only of the asker's own programs.

    since:     when the member came, in milliseconds since 1970
    encrypted: whether all its connections are
    person:    its number for the life of the history
    away:      why it does not answer, if it is away
    """
    member = room.state.members.get(asker.person) if not name else _member(room.state, name)
    if member is None:
        return Outcome(Code.NO_SUCH_NAME, (name[:NAME_BYTES],))
    account = room.state.account_of(member.person)
    programs = member.here or list(member.sessions.values())
    rows: list[tuple[str, object]] = [
        ("name", member.name),
        ("account", account.name if account else ""),
        ("role", room.state.role(member.person, WHOLE_CHATROOM).name.lower()),
        ("phase", str(member.phase)),
        ("since", member.since),
        ("encrypted", all(session.encrypted for session in programs)),
        ("software", tuple(sorted({session.software for session in programs} - {""}))),
        ("person", member.person),
    ]
    if member.away:
        rows.append(("away", member.away))
    if member.person == asker.person:
        rows.append(("addresses", tuple(sorted({session.address for session in programs}))))
    return Outcome(Code.OK, tuple(rows))


def _member(state: State, name: str) -> Member | None:
    """The member with this name, however it is written."""
    try:
        return state.member_named(name_key(check_name(name)))
    except NameRefused:
        return None


def _sessions(room: Room, asker: Asker, rest: str) -> Outcome:
    """Rows: for each of the asker's own programs number, phase, whether the asker sits at it, whether it is
    encrypted, since when the server knows it (milliseconds since 1970), software, address, and its label as
    a device, which is empty when it is not remembered."""
    if rest:
        return Outcome(Code.BAD_ARGUMENTS)
    account, own = room.state.account_of(asker.person), room.state.session_at(asker.origin)
    return Outcome(
        Code.OK,
        tuple(
            (
                session.number,
                str(session.phase),
                session is own,
                session.encrypted,
                session.began,
                session.software,
                session.address,
                account.device(session.device) if account else "",
            )
            for session in room.state.sessions_of(asker.person)
        ),
    )


ACCOUNT_COMMANDS = (
    SlashCommand("/whois", "[NAME]", "show what is known of a member, or of yourself", _whois),
    SlashCommand("/sessions", "", "list your own programs", _sessions),
    acting("/register", "PASSWORD", "make your name your own", preparing.register, secret=True),
    acting("/passwd", "OLD NEW", "change your password", preparing.change_password, secret=True),
    acting("/unregister", "PASSWORD", "give your name up", preparing.unregister, secret=True),
    acting("/recover", "NAME CODE NEWPASSWORD", "set a lost password", preparing.recover, secret=True),
    acting("/device", "LABEL", "let this program log in without a password", preparing.remember_device, True),
    acting("/sessions end", "N", "end one of your programs", preparing.end_session),
    acting("/owner", "CODE", "become the owner", preparing.become_owner, secret=True),
    acting("/code", "NAME", "make a one-time code for a lost password", preparing.make_code, secret=True),
)
