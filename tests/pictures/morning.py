"""What was said before a scene: it fills the screen, as in a chat that goes on all day."""

from __future__ import annotations

from typing import Final

MORNING: Final = (
    ("dr_okafor", "Good morning! Today we look at what a lock really guards."),
    ("지우", "hi all"),
    ("maximilian-schmidt", "Is the lab sheet from last week still open? The form said no."),
    ("dr_okafor", "Yes, until tonight."),
    ("dr_okafor", "Please write your group number into the file name."),
    ("지우", "감사합니다, group 7 is done"),
    ("지우", "which one of you has taken the key of the lab?"),
    ("maximilian-schmidt", "It hangs where it always hangs."),
    ("지우", "found it"),
)
"""Author and text of each line."""
