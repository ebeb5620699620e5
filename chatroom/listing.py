"""The list of channels, as each person may see it. A part of the state, made of others when it is asked for.

Many may ask in one round for thousands of channels, and all of them wait for it. So the channels are put in
order once in a round.
"""

from __future__ import annotations

from heapq import nsmallest

from chatroom.channels import Channels
from chatroom.limits import MAX_LISTED
from chatroom.packets import Role
from chatroom.places import Channel
from chatroom.rights import Rights


class Listing:
    """Which channels somebody sees, the largest first."""

    def __init__(self, channels: Channels, rights: Rights) -> None:
        self._channels = channels
        self._rights = rights
        self._public: list[Channel] | None = None  # the largest of those that all see; None: not looked at
        self._hidden: list[Channel] = []  # invite-only

    def change(self) -> None:
        """The state changes: look anew when somebody asks."""
        self._public = None

    def shown_to(self, person: int) -> tuple[list[Channel], int]:
        """The largest channels of which the person may know, at most MAX_LISTED; and how many there are."""
        if self._public is None:
            every = self._channels.all.values()
            self._hidden = [one for one in every if one.invite_only]
            self._public = nsmallest(MAX_LISTED, (one for one in every if not one.invite_only), key=by_size)
        own = self._hidden_of(person) if self._hidden else []
        number = len(self._channels.all) - len(self._hidden) + len(own)
        shown = sorted([*self._public, *own], key=by_size)[:MAX_LISTED] if own else self._public
        return shown, number

    def _hidden_of(self, person: int) -> list[Channel]:
        """The invite-only channels of which the person may know: those where it is, or is on a list."""
        if self._rights.role(person) >= Role.OPERATOR:
            return self._hidden
        places = dict.fromkeys([*self._channels.places_of(person), *self._rights.places_of(person)])
        found = [self._channels.all[place] for place in places if place in self._channels.all]
        return [one for one in found if one.invite_only and self._channels.shows(one, person)]


def by_size(channel: Channel) -> tuple[int, str]:
    """The largest first, and then in order of the names."""
    return -len(channel.members), channel.name
