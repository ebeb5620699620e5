"""The audit trail: what those with a role did, as events that no connection gets. Operators ask for them."""

from __future__ import annotations

from typing import Protocol

from chatroom.events import EventKind, Extra, extra_row
from chatroom.ledger import Ledger
from chatroom.places import AUDIT_PLACE, EVERYWHERE, WHOLE_CHATROOM, Member
from chatroom.session import Session


class Sessions(Protocol):
    """What is needed of the sessions."""

    @property
    def members(self) -> dict[int, Member]: ...


class Parts(Protocol):
    """What is needed of the parts of the state."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def sessions(self) -> Sessions: ...


class Scene(Protocol):
    """What is needed of an act's scene."""

    @property
    def place(self) -> int: ...

    @property
    def name(self) -> str: ...


def audit(
    parts: Parts, session: Session, scene: Scene | None, text: str, target: int = 0, target_name: str = ""
) -> None:
    """Note what the member of a session does.

    scene:  where; None: in the whole chatroom
    text:   what, on one line
    target: the person whom it is about, 0: none
    """
    author = parts.sessions.members[session.person].name
    note(parts.ledger, session, author, scene, text, target, target_name)


def note(
    ledger: Ledger,
    session: Session,
    author: str,
    scene: Scene | None,
    text: str,
    target: int = 0,
    target_name: str = "",
) -> None:
    """The same for a part of the state, which does not know the others. author: the member's name"""
    place, name = (scene.place, scene.name) if scene is not None else (WHOLE_CHATROOM, EVERYWHERE)
    extra = extra_row(Extra.TARGET, target, 4) if target else b""
    extra += extra_row(Extra.TARGET_NAME, target_name) if target_name else b""
    extra += extra_row(Extra.FROM, session.network) + extra_row(Extra.IN, place, 4)
    ledger.event(EventKind.AUDITED, session.person, author, AUDIT_PLACE, name, text, extra=extra)
