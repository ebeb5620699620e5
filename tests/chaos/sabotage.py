"""Bugs to plant into the server, to show that the checker can fail.

They are put in from outside, by replacing methods before the program starts; no line of the program knows of
them.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Final

from chatroom import (
    account_acts,
    acts,
    commands,
    entrance,
    history_commands,
    moderation_acts,
    naming,
    state,
)
from chatroom.accounts import DEVICE, Account, Accounts
from chatroom.act import Parts
from chatroom.amendments import Amendments
from chatroom.arrivals import Join, Missed
from chatroom.blanking import NOTHING_ERASED
from chatroom.blocks import Block
from chatroom.channels import Channels
from chatroom.chatroom import Chatroom
from chatroom.codes import Codes
from chatroom.conversations import Conversations
from chatroom.desk import Asker, Desk, Prepared
from chatroom.effects import Left, Origin
from chatroom.entrance import Entrance
from chatroom.events import Event, EventKind
from chatroom.history import NOTHING_AMENDED, Restored
from chatroom.holders import Holders
from chatroom.lines import Lines
from chatroom.newcomers import Newcomers
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Command
from chatroom.places import Reach
from chatroom.presence import Presence
from chatroom.proposals import Amend, Leave, Proposal, ProposalKind
from chatroom.records import Record
from chatroom.rights import Rights
from chatroom.session import Session
from chatroom.sessions import Sessions
from chatroom.speaking import Allowed, Speaking
from chatroom.state import State
from chatroom.tail import Tail
from server.storage import SqliteHistory

_BATCHES_HELD: Final = 200
"""So many batches are acknowledged before they are committed: seconds of conversation."""


def acknowledge_early() -> None:
    """Report a batch as stored when it is only in memory; store it a little later."""
    append, close = SqliteHistory.append, SqliteHistory.close
    held: list[tuple[Sequence[Block], Sequence[Record], bytes, int, Mapping[int, bytes]]] = []
    lock = Lock()

    def flush(history: SqliteHistory) -> None:
        for batch in held:
            append(history, *batch)
        held.clear()

    def append_later(
        history: SqliteHistory,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Mapping[int, int] = NOTHING_ERASED,
    ) -> None:
        with lock:
            held.append((list(blocks), list(records), position, noted, amended, erased))
            if len(held) > _BATCHES_HELD:
                flush(history)

    def flush_before(method: Callable[..., Any]) -> Callable[..., Any]:
        def flushed(history: SqliteHistory, *arguments: Any) -> Any:
            with lock:
                flush(history)
            return method(history, *arguments)

        return flushed

    for name in ("read", "start_of", "locate", "event_at"):
        replace(SqliteHistory, name, flush_before(getattr(SqliteHistory, name)))
    replace(SqliteHistory, "close", flush_before(close))
    replace(SqliteHistory, "append", append_later)


def forget_ids() -> None:
    """After a restart, know the sessions but not their applied ids.

    The first id stays: a session that has said nothing is forgotten when it is over, which is another fault.
    """
    restore = SqliteHistory.restore

    def without_id(record: Record) -> Record:
        if record.kind != "session":
            return record
        session = json.loads(record.value or "{}")
        return record._replace(value=json.dumps(session | {"confirmed": min(1, session.get("confirmed", 0))}))

    def restore_without_ids(history: SqliteHistory) -> Restored:
        restored = restore(history)
        return restored._replace(records=[without_id(record) for record in restored.records], talkers=[])

    replace(SqliteHistory, "restore", restore_without_ids)


def resume_one_late() -> None:
    """Leave out the first event in the replay to a client that comes back."""
    come = Presence.come

    def come_late(presence: Presence, join: Join, missed: Missed) -> None:
        late = missed._replace(since=missed.since + 1) if missed.since else missed
        come(presence, join, late)

    replace(Presence, "come", come_late)


def quit_at_once() -> None:
    """Tell the others at once that a client has left whose connection broke."""
    apply = State.apply

    def hasten(proposal: Proposal) -> Proposal:
        body = proposal.body
        return proposal._replace(body=body._replace(clean=True)) if isinstance(body, Leave) else proposal

    def apply_hastily(state: State, entry: Entry) -> Any:
        return apply(state, entry._replace(proposals=[hasten(proposal) for proposal in entry.proposals]))

    replace(State, "apply", apply_hastily)


def restart_in_silence() -> None:
    """Do not tell that the server was restarted."""
    apply = State.apply

    def apply_silently(state: State, entry: Entry) -> Any:
        if [proposal.kind for proposal in entry.proposals] != [ProposalKind.UP]:
            return apply(state, entry)
        ledger, head = state._ledger, state.head
        ledger.head = 0  # as at the first start, which is not told
        applied = apply(state, entry)
        ledger.head = head
        return applied

    replace(State, "apply", apply_silently)


# --- accounts -----------------------------------------------------------------------------------------------


def trust_everybody() -> None:
    """Apply a login without looking whether the account has the credential."""
    log_in = Accounts.log_in

    def log_in_anyway(accounts: Accounts, account: Account, proof: str, network: str) -> str:
        return log_in(accounts, account, proof, network) if account.credential(proof) else ""

    replace(Accounts, "proven", lambda accounts, name_key, _proof: accounts.named(name_key))
    replace(Accounts, "log_in", log_in_anyway)


def keep_devices() -> None:
    """Let device tokens open the account after a change of the password, too."""

    def set_password(accounts: Accounts, account: Account, secret: str) -> None:
        devices = [one for one in account.credentials if one.kind == DEVICE]
        change(accounts, account, secret)
        account.credentials += devices

    change = Accounts.set_password
    replace(Accounts, "set_password", set_password)


def reuse_codes() -> None:
    """Let a one-time code set the password again and again."""
    replace(Codes, "drop", lambda codes, name_key: None)


def give_owned_names() -> None:
    """Let guests have the name of an account while its owner is out."""
    refuse = naming.refusal

    def refuse_less(
        holders: Holders, accounts: Accounts, now: int, name: Any, *others: Any
    ) -> Outcome | None:
        refused = refuse(holders, accounts, now, name, *others)
        owned = refused is not None and refused.code is Code.NEED_LOGIN
        return None if owned and holders.of_key(name.key) is None else refused

    replace(entrance, "refusal", refuse_less)


def give_names_that_look_alike() -> None:
    """Let guests have names that look like that of an account, also while its owner is in."""
    replace(Accounts, "alike", lambda accounts, skeletons: [])
    replace(Holders, "alike", lambda holders, skeletons: [])


def quit_with_the_first_program() -> None:
    """Tell that a person has quit when one of its programs ends."""
    leave = Sessions.leave

    def leave_and_tell(sessions: Sessions, session: Session) -> None:
        leave(sessions, session)
        member = sessions.members.get(session.person)
        if member is not None:
            places = sessions._channels.heard_by(member)
            sessions._ledger.event(EventKind.QUIT, member.person, member.name, places=places)

    replace(Sessions, "leave", leave_and_tell)


def join_with_each_program() -> None:
    """Tell that a person has joined when another program of it comes."""
    enter = Entrance.enter

    def enter_and_tell(door: Entrance, origin: Any, body: Any) -> None:
        session = door._sessions.all.get(body.session)
        member = door._sessions.members.get(session.person) if session else None
        places = dict(member.places) if member else {}
        enter(door, origin, body)
        for channel in body.channels:
            if channel in places and member is not None:
                kind, place = EventKind.JOINED, places[channel]
                door._ledger.event(kind, member.person, member.name, place, channel)

    replace(Entrance, "enter", enter_and_tell)


def spare_other_programs() -> None:
    """Let the other programs go on after a change of the password."""

    def set_password(parts: Parts, session: Session, account: Account, secret: str) -> None:
        parts.accounts.set_password(account, secret)

    replace(account_acts, "_set_password", set_password)


def end_other_programs() -> None:
    """End the other programs of a person whenever one is remembered as a device."""
    run = acts.ACTS["/device"].run

    def remember(parts: Parts, session: Session, *arguments: Any) -> Outcome:
        for other in parts.sessions.of_person(session.person):
            if other is not session:
                parts.sessions.expel(other)
        return run(parts, session, *arguments)

    changed = dataclasses.replace(acts.ACTS["/device"], run=remember)
    replace(acts, "ACTS", {**acts.ACTS, "/device": changed})
    replace(state, "ACTS", acts.ACTS)


def log_commands() -> None:
    """Write every command into the log, as it came."""
    ask = Chatroom._ask

    def ask_and_log(chatroom: Chatroom, join: Join, command: Command) -> None:
        logging.getLogger(__name__).warning("%s: %s", join.reservation.name, command.text)
        ask(chatroom, join, command)

    replace(Chatroom, "_ask", ask_and_log)


def store_tokens() -> None:
    """Store the token of a device as its label."""
    remember = commands.COMMANDS["/device"].prepare
    assert remember is not None

    def remember_all(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        prepared = remember(desk, asker, rest)
        if isinstance(prepared, Outcome):
            return prepared
        secret, _ = prepared.act.arguments
        return prepared._replace(act=prepared.act._replace(arguments=(secret, str(prepared.told[-1]))))

    changed = dataclasses.replace(commands.COMMANDS["/device"], prepare=remember_all)
    commands.COMMANDS["/device"] = changed


# --- channels, direct conversations, edits ------------------------------------------------------------------


def deliver_after_leaving() -> None:
    """Let who has left a channel get what is said there, until it comes back."""
    replace(Newcomers, "narrow", lambda newcomers, left: None)


def tell_a_third() -> None:
    """Give everybody who comes the direct conversations of all."""
    replace(Conversations, "places_of", lambda conversations, person: sorted(conversations.all))


def amend_twice() -> None:
    """Apply an amendment that is sent again once more."""
    amend = Amendments.amend

    def amend_again(amendments: Amendments, origin: Origin, body: Amend) -> None:
        session = amendments._sessions.here.get(origin)
        confirmed = session.confirmed if session is not None else 0
        if session is not None and body.id <= confirmed:
            session.confirmed = body.id - 1
        amend(amendments, origin, body)
        if session is not None:
            session.confirmed = max(confirmed, session.confirmed)

    replace(Amendments, "amend", amend_again)


def replay_old_texts() -> None:
    """Keep the lines in memory as they were said: what is replayed from there has not the latest text."""
    replace(Tail, "amend", lambda tail, packets: None)


def let_everybody_amend() -> None:
    """Let everybody edit and delete what others have said."""
    refusal = Amendments._refusal

    def refuse_less(
        amendments: Amendments, session: Session, kind: EventKind, message: Event, *others: Any
    ) -> Code:
        return refusal(amendments, session, kind, message._replace(person=session.person), *others)

    replace(Amendments, "_refusal", refuse_less)


def find_everywhere() -> None:
    """Let /history, /grep and /context give lines of all places."""
    replace(history_commands, "_seen", _seen_by_all)


def _seen_by_all(state: State, asker: Asker, where: str | None) -> Any:
    places = {place: [(0, state.head)] for place in range(1, 100)}
    return history_commands._Seen(Reach(places), 0, state.head)


# --- moderation ---------------------------------------------------------------------------------------------


def deliver_after_kicks() -> None:
    """Let who was kicked get what is said in the channel, until it comes back."""
    go = Channels._go

    def go_and_listen(channels: Channels, member: Any, channel: Any, signal: Any = None) -> None:
        ledger, tell = channels._ledger, channels._ledger.tell
        latest = ledger.happened[-1] if ledger.happened else None
        if not isinstance(latest, Event) or latest.kind is not EventKind.KICKED:
            go(channels, member, channel, signal)
            return
        vars(ledger)["tell"] = lambda effect: None if isinstance(effect, Left) else tell(effect)
        try:
            go(channels, member, channel, signal)
        finally:
            del vars(ledger)["tell"]

    replace(Channels, "_go", go_and_listen)


def forget_lists(*names: str) -> None:
    """After a start, know nothing of these lists."""
    restore = Rights.restore

    def restore_some(rights: Rights, record: Record) -> None:
        if record.key.split(" ", 2)[1] not in names:
            restore(rights, record)

    replace(Rights, "restore", restore_some)


def say_what_is_refused() -> None:
    """Say a line although its author may not speak, and answer that it was refused."""
    say, refuse = Lines.say, Lines._refuse
    allowed = Speaking.allowed
    refused: list[tuple[Origin, list[int], Outcome]] = []

    def allow(speaking: Speaking, session: Session, member: Any, *arguments: Any) -> Allowed:
        found = allowed(speaking, session, member, *arguments)
        if found.refused is not None and found.refused.code in (Code.MUTED, Code.NEED_ROLE):
            refused.append((session.at or ("", 0, 0), [], found.refused))
            return Allowed(arguments[1])
        return found

    def say_anyway(lines: Lines, origin: Origin, burst: Any) -> None:
        refused.clear()
        say(lines, origin, burst)
        for _, _, outcome in refused[:1]:
            refuse(lines, origin, burst.ids, outcome)

    replace(Speaking, "allowed", allow)
    replace(Lines, "say", say_anyway)


def keep_no_trail() -> None:
    """Write nothing into the audit trail."""
    replace(moderation_acts, "audit", lambda *_: None)


def replace(owner: object, name: str, by: object) -> None:
    """Put another function in; a missing one is an error, because the new one would do nothing."""
    getattr(owner, name)
    setattr(owner, name, by)


BUGS: Final = {
    "early": acknowledge_early,
    "forget": forget_ids,
    "seam": resume_one_late,
    "hasty": quit_at_once,
    "silent": restart_in_silence,
    "trusting": trust_everybody,
    "devices": keep_devices,
    "codes": reuse_codes,
    "owned": give_owned_names,
    "alike": give_names_that_look_alike,
    "first-out": quit_with_the_first_program,
    "each-in": join_with_each_program,
    "spared": spare_other_programs,
    "ended": end_other_programs,
    "logged": log_commands,
    "stored": store_tokens,
    "unleft": deliver_after_leaving,
    "third": tell_a_third,
    "edited-twice": amend_twice,
    "old-text": replay_old_texts,
    "meddling": let_everybody_amend,
    "found": find_everywhere,
    "unkicked": deliver_after_kicks,
    "unmuted": lambda: forget_lists("mute"),
    "said-anyway": say_what_is_refused,
    "untrailed": keep_no_trail,
}
