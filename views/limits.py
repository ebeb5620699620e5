"""The limits of the screen and the keyboard, each with its reason. Times are in seconds."""

from typing import Final

FRAMES_PER_SECOND: Final = 30
"""Repaints a second for what others say: faster cannot be read, slower looks like stutter. A key is
answered at once."""

TRANSCRIPT_ENTRIES: Final = 2000
"""Entries kept for repainting: more than any screen has rows. Older ones are in the terminal's scrollback."""

FLOOD_SCREENS: Final = 2
"""Screens full of new lines in one frame from which on nobody can read along."""

FLOOD_FRAMES: Final = 3
"""Frames in a row with that much before lines are left out: a burst (joining, coming back) is shown whole."""

MARKS: Final = 4
"""Marks on one letter: Vietnamese, Hebrew and Thai need three; a hundred lock up terminals."""

CLUSTER_CHARACTERS: Final = 16
"""Characters drawn as one: real clusters are shorter; Unicode's rules alone would allow endless ones."""

CLUSTER_COLUMNS: Final = 4
"""Columns of what is kept together as one character: wider ones might fit no row of a narrow screen."""

INPUT_HISTORY: Final = 500
"""Sent lines that the arrow keys bring back."""

COMPLETED_NAMES: Final = 1000
"""Names that Tab completes, of those who spoke last: nobody waits for the thousandth."""

UNDO_STEPS: Final = 100
"""Changes of the input line that can be taken back."""

PENDING_SHOWN: Final = 4
"""Own lines that are shown as not stored yet; how many more there are is a number."""

ESCAPE_SECONDS: Final = 0.05
"""An escape character with nothing behind it for this long is the Esc key, not the start of an arrow key."""

SEQUENCE_SECONDS: Final = 0.5
"""A longer sequence cut off for so long is given up: slow links do split them, but not for half a second."""

PASTE_SECONDS: Final = 5.0
"""A paste whose end does not come for this long is over, so that the keyboard is never dead."""
