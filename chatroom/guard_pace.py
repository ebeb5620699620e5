"""What newcomers may say, while operators limit it: a rule of `Speaking`. A part of the state."""

from __future__ import annotations

from typing import Final

from chatroom.bounds import Limits
from chatroom.guard import Guard
from chatroom.ledger import Ledger
from chatroom.outcomes import Code, Outcome
from chatroom.places import WHOLE_CHATROOM, Member
from chatroom.session import Session
from chatroom.speaking import Allowed
from chatroom.speech_pace import SpeechPace

PERIOD: Final = 60_000
"""Milliseconds in which a newcomer may say as much as operators have set."""

_WHAT: Final = "newcomer"


class GuardPace:
    """See `chatroom.speaking.Rule`. All that a newcomer says counts, in whatever place."""

    def __init__(self, ledger: Ledger, limits: Limits, guard: Guard, pace: SpeechPace) -> None:
        self._ledger = ledger
        self._limits = limits
        self._guard = guard
        self._pace = pace

    @property
    def is_set(self) -> bool:
        return self._guard.limits_speech

    def allowed(self, session: Session, member: Member, number: int) -> Allowed:
        person, most = member.person, self._guard.allowance(member.person)
        if most is None:
            return Allowed(number)
        if not most:  # until it is no newcomer any more
            return Allowed(0, self._slow_down(self._guard.since(person) + self._limits.newcomer))
        left = self._pace.left(person, WHOLE_CHATROOM, most, PERIOD, _WHAT)
        if left >= number:
            return Allowed(number)
        again = self._pace.again(person, WHOLE_CHATROOM, most, PERIOD, _WHAT)
        return Allowed(left, self._slow_down(again or self._ledger.time + PERIOD))

    def said(self, session: Session, member: Member, number: int) -> None:
        most = self._guard.allowance(member.person)
        if most:
            self._pace.take(member.person, WHOLE_CHATROOM, number, most, PERIOD, _WHAT)

    def shown(self, session: Session, member: Member) -> Outcome | None:
        return self.allowed(session, member, 1).refused

    def _slow_down(self, again: int) -> Outcome:
        return Outcome(Code.SLOW_DOWN, (again, max(0, again - self._ledger.time)))
