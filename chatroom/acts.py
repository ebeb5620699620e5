"""All acts by their names. The state looks them up here, and checks who may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatroom.account_acts import ACCOUNT_ACTS
from chatroom.act import ActCommand
from chatroom.channel_acts import CHANNEL_ACTS
from chatroom.classroom_acts import CLASSROOM_ACTS
from chatroom.erase_acts import ERASE_ACTS
from chatroom.guard_acts import GUARD_ACTS
from chatroom.moderation_acts import MODERATION_ACTS
from chatroom.people_acts import PEOPLE_ACTS
from chatroom.reading_acts import READING_ACTS
from chatroom.speech_acts import SPEECH_ACTS

ACTS: Final[Mapping[str, ActCommand]] = {
    **ACCOUNT_ACTS,
    **CHANNEL_ACTS,
    **CLASSROOM_ACTS,
    **MODERATION_ACTS,
    **GUARD_ACTS,
    **PEOPLE_ACTS,
    **READING_ACTS,
    **SPEECH_ACTS,
    **ERASE_ACTS,
}
