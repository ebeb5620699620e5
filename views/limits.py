"""The limits of the screen and the keyboard, each with its reason. Times are in seconds."""

from typing import Final

FRAMES_PER_SECOND: Final = 30
"""Frames a second for events. Nobody can read faster, and a lower rate looks like stutter. Keys are painted
at once."""

TRANSCRIPT_ITEMS: Final = 2000
"""Items kept for repainting: more than any screen has rows. Older ones are in the terminal's scrollback."""

TRANSCRIPT_CHARACTERS: Final = 2_000_000
"""Characters of these items and their rows: at most 8 MB. A screen of 200 by 100 cells has some 200,000."""

ITEM_LINES: Final = 50
"""Lines of one text on the screen, two screens: a stack trace is shown whole. Nobody reads 65,000 lines, and
they take seconds to format."""

ITEM_CHARACTERS: Final = 2000
"""Characters of one text on the screen, some 25 rows: 1 to 4 ms to format, which a pressed key waits."""

STYLED_PARTS: Final = 150
"""Parts of one text that have a style of their own: 50 pieces of code with their backticks, or so many calls.
Each part costs some microseconds to format; a text that is made of nothing else stays within its time."""

QUOTED_CHARACTERS: Final = 60
"""Of a line that somebody reacts to: enough to find it again, and mostly one row."""

CUT_TEXTS: Final = 64
"""Longer texts that are kept for /show, the latest ones: at most 4 MiB."""

FRAME_WORK: Final = 5000
"""Work of one frame, some 5 ms: keys are read after it. A character counts 1; in a text that is not ASCII it
takes three times as long. One item is always formatted."""

ITEM_WORK: Final = 20
"""What an item, and each further line of it, counts besides its characters."""

BACKLOG_WORK: Final = 4_000_000
"""Work of the items that wait to be shown, 4 s and at most 16 MB of text. More is a flood at once."""

LEAVE_WORK: Final = 100_000
"""The same for a user who leaves: 0.1 s, the last thousand lines."""

FLOOD_SCREENS: Final = 2
"""A frame with more new items than this many screens have lines is a flood: nobody can read it."""

FLOOD_FRAMES: Final = 3
"""Floods in a row before items are left out. A shorter burst (join, reconnect) is shown whole."""

FLOOD_SECONDS: Final = 0.9 / FRAMES_PER_SECOND
"""Items are counted for so long before they are called a flood or not: a frame, less what rounding takes."""

FOOT_LINES: Final = 5
"""Lines of the screen that the latest items after a flood leave free: for the note, which takes two on a
narrow screen, the status with its gap, and the input."""

MARKS: Final = 4
"""Combining marks on one letter: Vietnamese, Hebrew and Thai need three; a hundred lock up terminals."""

CLUSTER_CHARACTERS: Final = 16
"""Characters drawn as one cluster. Real clusters are shorter; Unicode's rules alone have no bound."""

CLUSTER_COLUMNS: Final = 4
"""Columns of one cluster. A wider cluster is split, because it might fit no row of a narrow screen."""

KNOWN_WIDTHS: Final = 8192
"""Characters whose columns are remembered: more than a language uses, and 1 MB at most."""

INPUT_HISTORY: Final = 500
"""Sent lines that the arrow keys recall."""

COMPLETED_COMMANDS: Final = 200
"""Commands that Tab completes: the server's answers teach them, and may name as many as they like."""

COMPLETED_CHANNELS: Final = 200
"""Channels that Tab completes beside those that the user is in, the latest seen first."""

COMPLETED_NAMES: Final = 1000
"""Names that Tab completes, latest speakers first. Nobody presses Tab a thousand times."""

PASTE_LINES: Final = 5
"""A paste with more lines is shown as a mark in the input line: a longer one hides the talk."""

PASTE_CHARACTERS: Final = 500
"""So is a paste with more characters: some seven rows."""

SEARCHED_CHARACTERS: Final = 2000
"""Of each sent line that Ctrl-R looks at, its beginning: all 500 lines take some milliseconds."""

SEARCH_CHARACTERS: Final = 100
"""The longest word that Ctrl-R looks for. Nobody remembers more of a line."""

QUIET_LINES: Final = 4
"""A screen of fewer lines has no row for what a key shows."""

NEAR_LIMIT: Final = 4096
"""From so many bytes on the input tells how many are left: a screen of text."""

UNDO_STEPS: Final = 100
"""Changes of the input line that can be undone."""

PENDING_SHOWN: Final = 4
"""Own lines shown as not stored yet. A number stands for the others."""

ESCAPE_SECONDS: Final = 0.05
"""An escape character is the Esc key, not the start of an arrow key, if no byte follows for this long."""

SEQUENCE_SECONDS: Final = 0.5
"""Time to wait for the rest of a longer sequence. A slow link may split one, but not for half a second."""

PASTE_SECONDS: Final = 5.0
"""A paste that pauses this long is shown as far as it came, and then Ctrl-C ends it: if its end is lost, the
keyboard would stay dead."""

RUN_MOMENT: Final = 1.0
"""How long plain lines wait for the next join or leave before a run is printed: a line cannot grow there."""

RUN_MOST: Final = 5.0
"""A longer run is printed in pieces: in a storm the reader should not wait for its end."""

HELD_LINES: Final = 1000
"""Lines that wait in plain mode while one is half-typed. Nobody listens to more; /history has them."""

OLD_SECONDS: Final = 60.0
"""What is older tells its time, at the end of the line: of what just comes everybody knows it."""

PLAIN_COLUMNS: Final = 10_000
"""Plain lines are as long as they are: the page of /help has one for each group."""

PLAIN_LINES: Final = 0
"""Of a channel to which somebody goes, only what is unread is printed: earlier lines were printed once."""

RUN_SECONDS: Final = 300.0
"""Joins and leaves that are no further apart become one line. Who comes half an hour later is news."""

SPOKE_SECONDS: Final = 900.0
"""Whoever said something so lately is named when they go: they were perhaps being answered."""

SPEAKERS: Final = 500
"""Latest speakers that are remembered for this."""

FOLDED_NAMES: Final = 3
"""Names in such a line. Of more people it tells how many, and as many names as the row has room for."""

RUN_NAMES: Final = 32
"""Names that it keeps for that: with commas they take three columns at least, and a row has TEXT_COLUMNS."""

COLOURED_NAMES: Final = 1000
"""Names whose colours are remembered, the latest ones: as many as a list of members shows."""

NAME_COLUMNS: Final = 14
"""Columns for the name: most names are shorter. One that is longer is written whole all the same."""

COMMAND_COLUMNS: Final = 11
"""Columns for the command that an answer names, behind `--`: the longest command has so many, and the text
begins where all texts begin."""

TEXT_COLUMNS: Final = 96
"""Columns of a text at most: the eye does not find the next row of a longer one."""

COLUMNS_FROM: Final = 60
"""Below so many columns of the screen a name stands directly before its text."""

GROUP_SECONDS: Final = 300.0
"""After so long a name is written again, although nobody else has spoken meanwhile."""

GROUP_ITEMS: Final = 12
"""So is it after so many lines, half a screen: the name must be in sight."""

HELD_FIRST: Final = 5
"""Lines may be sent so often before a line that was held is no longer the first that a key brings back: who
wants it says it soon."""

TITLE_CHARACTERS: Final = 80
"""Of the window's title: a tab shows some twenty, a window bar not many more."""

REASON_COLUMNS: Final = 40
"""A narrower screen has no room in its status for the reason why there is no connection."""

STATUS_LINES: Final = 4
"""A screen of fewer lines has no row for the status."""

TALL_LINES: Final = 30
"""From so many lines on an empty row parts the talk from the status."""

POLL_OPTIONS: Final = 20
"""Options of a poll on the screen, twice as many as a server takes: each has a row."""

BAR_COLUMNS: Final = 40
"""The longest bar of a poll's result: longer ones cannot be compared better."""

WATCH_BESIDE: Final = 110
"""From so many columns on the members stand beside the threads: both tables are whole then."""

WATCH_WORDS: Final = 60
"""From so many columns on the threads have a column for how they wait, and one for how long."""

WATCH_TALL: Final = 20
"""From so many lines on there are headings, members, and an empty row between the parts."""

WATCH_TALLER: Final = 28
"""And from so many lines on a row about the sizes of batches."""
