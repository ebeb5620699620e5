"""Lines: what members say, in channels and in direct conversations. A part of the state."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from chatroom.direct import Direct
from chatroom.effects import Answer, Origin
from chatroom.events import EventKind, Extra, Talk, extra_row, extra_rows
from chatroom.ledger import Ledger
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Form
from chatroom.places import WHOLE_CHATROOM, Member
from chatroom.session import Session
from chatroom.sessions import Sessions
from chatroom.speaking import Allowed, Speaking

FORMS: Final = (Form.SAY, Form.ACT, Form.BOT)
"""The forms of lines. The other forms are amendments, and come by another way."""

SIZES: Final = {Extra.REPLY_TO: 8, Extra.RECEIVER: 4}
"""The keys that the extra of a line may have, and the bytes of their values."""


def checked_extra(extra: bytes, sizes: dict[Extra, int]) -> dict[Extra, int] | None:
    """The numbers in the extra of a SAY. None: a value has not the size that it must have.

    sizes: bytes of the value of each key that may be there. Other keys are left out: a later version may have
           a use for them
    """
    rows = extra_rows(extra)
    found = {key: rows[key] for key in sizes if key in rows}
    if any(len(value) != sizes[key] for key, value in found.items()):
        return None
    return {key: int.from_bytes(value, "big") for key, value in found.items()}


class Lines:
    """Says lines, each once."""

    def __init__(self, ledger: Ledger, sessions: Sessions, direct: Direct, speaking: Speaking) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._direct = direct
        self._speaking = speaking
        self._here, self._talked = sessions.here, sessions.talked

    def say(self, origin: Origin, burst: Burst) -> None:
        """Say the lines of a burst. Of plain lines in a channel the state does not look at a single text, and
        makes no object for it."""
        session = self._here.get(origin)
        if session is None:  # the member has left, or another connection has taken it over
            return
        channel, ids, texts = burst.channel, burst.ids, burst.texts
        old = bisect_right(ids, session.confirmed)  # so many are repeats
        if old:
            self._refuse(origin, ids[:old], Outcome(Code.ALREADY))
            ids, texts = ids[old:], texts[old:]
        member = self._sessions.members[session.person]
        place = member.places.get(channel)
        judged = place if place is not None and self._speaking.restrains(place) else None
        if judged is not None:
            number = self._may_say(origin, ids, self._speaking.allowed(session, member, judged, len(ids)))
            ids, texts = ids[:number], texts[:number]
        if not ids:
            return
        if place is not None and burst.plain:
            ledger = self._ledger
            first, ledger.head = ledger.head + 1, ledger.head + len(ids)
            talk = Talk(first, ledger.time, channel, member.name, member.person, place, ids, texts)
            ledger.happened.append(talk)
        else:
            said = self._say_otherwise(session, member, burst._replace(ids=ids, texts=texts))
            ids = ids[: self._may_say(origin, ids, said)]
            if not ids:
                return
        if judged is not None:
            self._speaking.said(session, member, judged, len(ids))
        self.confirm(session, ids[-1])

    def _may_say(self, origin: Origin, ids: Sequence[int], allowed: Allowed) -> int:
        """Refuse those of the lines that are not allowed; the number of the others."""
        if allowed.refused is not None:
            self._refuse(origin, ids[allowed.number :], allowed.refused)
            return allowed.number
        return len(ids)

    def _refuse(self, origin: Origin, ids: Sequence[int], refused: Outcome) -> None:
        for id in ids:
            self._ledger.tell(Answer(origin, id, refused))

    def confirm(self, session: Session, id: int) -> None:
        """The session has said something with this id: it is never applied again."""
        session.confirmed = id
        self._talked[session.person] = None
        if len(self._sessions.members[session.person].sessions) > 1:
            self._sessions.keep(session)

    def _say_otherwise(self, session: Session, member: Member, burst: Burst) -> Allowed:
        """Say lines that are not plain ones in a channel of the member; how many, and why not the others."""
        channel, ids, texts, form, extra = burst
        is_direct, found = channel.startswith("@"), checked_extra(extra, SIZES)
        if not is_direct and channel not in member.places:
            return Allowed(0, Outcome(Code.NOT_IN, (channel,)))
        if found is None or form not in FORMS or not all(texts):
            return _refused(Code.BAD_ARGUMENTS)
        receiver, answered = found.get(Extra.RECEIVER, 0), found.get(Extra.REPLY_TO, 0)
        if is_direct != bool(receiver):
            return _refused(Code.BAD_ARGUMENTS)
        if answered > self._ledger.head or (Extra.REPLY_TO in found and not answered):
            return _refused(Code.NO_SUCH_MESSAGE)
        rows = extra_row(Extra.FORM, form, 1) if form != Form.SAY else b""
        rows += extra_row(Extra.REPLY_TO, answered) if answered else b""
        if receiver:
            return self._say_directly(session, member, receiver, burst, rows)
        place, name = member.places[channel], member.name
        for id, text in zip(ids, texts, strict=False):
            self._ledger.event(
                EventKind.SAID, member.person, name, place, channel, _text(text), extra=rows, id=id
            )
        return Allowed(len(ids))

    def _say_directly(
        self, session: Session, member: Member, receiver: int, burst: Burst, rows: bytes
    ) -> Allowed:
        """Say lines in the direct conversation with the receiver. rows: of the extra"""
        allowed = self._speaking.allowed(session, member, WHOLE_CHATROOM, len(burst.ids), receiver)
        if not allowed.number:
            return allowed
        conversation = self._direct.open(session, receiver)
        if isinstance(conversation, Code):
            return _refused(conversation)
        rows += extra_row(Extra.RECEIVER, receiver, 4)
        for id, text in zip(burst.ids[: allowed.number], burst.texts, strict=False):
            self._direct.say(EventKind.SAID, session, conversation, _text(text), rows, id)
        self._speaking.said(session, member, WHOLE_CHATROOM, allowed.number)
        return allowed


def _refused(code: Code) -> Allowed:
    """Nothing is said."""
    return Allowed(0, Outcome(code))


def _text(data: bytes) -> str:
    """The text of a line. A decoder has checked that it is UTF-8; an entry must not end the server."""
    return data.decode(errors="replace")
