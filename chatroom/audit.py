"""The audit trail: what those with a role did, as events that no connection gets. Operators ask for them."""

from __future__ import annotations

from typing import Protocol

from chatroom.events import EventKind, Extra, extra_row
from chatroom.ledger import Ledger
from chatroom.places import AUDIT_PLACE
from chatroom.session import Session
from chatroom.sessions import Sessions


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
    parts: Parts, session: Session, scene: Scene, text: str, target: int = 0, target_name: str = ""
) -> None:
    """Note what the member of a session does.

    scene:  where
    text:   what, on one line
    target: the person whom it is about, 0: none
    """
    note(parts.ledger, parts.sessions, session, scene, text, target, target_name)


def note(
    ledger: Ledger,
    sessions: Sessions,
    session: Session,
    scene: Scene,
    text: str,
    target: int = 0,
    target_name: str = "",
) -> None:
    """The same for a part of the state, which does not know the others."""
    author = sessions.members[session.person].name
    extra = extra_row(Extra.TARGET, target, 4) if target else b""
    extra += extra_row(Extra.TARGET_NAME, target_name) if target_name else b""
    extra += extra_row(Extra.FROM, session.network) + extra_row(Extra.IN, scene.place, 4)
    ledger.event(EventKind.AUDITED, session.person, author, AUDIT_PLACE, scene.name, text, extra=extra)
