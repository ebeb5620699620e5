"""The limits that are normative: of the wire, the queue, the conversation; and what server and client share.

Every buffer and every wait has a bound, with its reason. Sizes are in bytes and times in seconds, unless a
comment says otherwise. What only one package needs is in the `limits.py` of that package.
"""

from typing import Final

# --- the wire -------------------------------------------------------------------------------------------

MAX_TEXT: Final = 64 * 1024
"""UTF-8 bytes of one message: a long stack trace fits, a film does not."""

TEXT_PART: Final = 4096
"""UTF-8 bytes of text that one packet carries at most; longer texts travel as several packets. One page:
small enough that a stopped sender holds back little, large enough that the header is under 2 % of it."""

MAX_PARTS: Final = 32
"""Packets of one message: 64 KiB in 4 KiB parts is 16, one or two more when characters straddle the cuts."""

MAX_PAYLOAD: Final = TEXT_PART + 1024
"""Bytes after the header of one packet: a full text part plus the longest author and channel."""

MAX_NUMBER: Final = 2**63 - 1
"""Largest message id and seq: they are stored, and databases and most languages count in signed 64 bits."""

MAX_TIME: Final = 253_402_300_799_999
"""Largest time of an event in milliseconds: the end of the year 9999, where calendars (datetime) end."""

MAX_REASON: Final = 1024
"""UTF-8 bytes of a reason: a few lines of explanation."""

# --- names ----------------------------------------------------------------------------------------------

NAME_COLUMNS: Final = 24
"""Terminal columns of a name, so that names leave room for what is said on an 80-column screen."""

NAME_BYTES: Final = 96
"""UTF-8 bytes of a name: 24 characters of at most four bytes; its length is one byte on the wire."""

CHANNEL_BYTES: Final = 96
"""UTF-8 bytes of a channel with its '#': as a name."""

DEFAULT_CHANNEL: Final = "#general"
"""The channel of whoever did not ask for another."""

# --- handshake ------------------------------------------------------------------------------------------

HANDSHAKE_SECONDS: Final = 15.0
"""From the first byte in the lobby to ADMIT on the new port, all steps together: slow peers cannot add
time-outs up. Enough for a satellite link; a reserved name that is never used is free again after it."""

NAME_TRIES: Final = 16
"""USERNAME packets on one lobby connection: a person mistypes a few times, a scanner tries thousands."""

TICKET_BYTES: Final = 16
"""Ticket and session token: 128 random bits cannot be guessed."""

# --- the waiting queue ----------------------------------------------------------------------------------

MAX_WAITING: Final = 8192
"""Requests in the waiting queue. When it is full, handlers block, stop reading, and TCP slows the talkers.
Large enough that one commit and one round of sends carry thousands of lines under load."""

MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
"""Text bytes in the waiting queue, for long messages: 64 of the longest."""

RECEIVE_LARGE: Final = 64 * 1024
"""Size asked of recv() while a peer keeps filling the buffer."""

# --- delivering -----------------------------------------------------------------------------------------

BEHIND_BYTES: Final = 1024 * 1024
"""A member with more than this waiting counts as behind; when most are, the talkers are slowed."""

PAUSE_SECONDS: Final = 0.2
"""A burst of lines waits at most this long for slow readers. Long enough that a reader on a slow link takes
what it was sent, short enough that a member who talks while others have stopped reading hardly notices."""

TAIL_EVENTS: Final = 2048
"""Latest events kept in memory, from which the seam between catching up and live is made without disk."""

TAIL_BYTES: Final = 4 * 1024 * 1024
"""Text bytes of the kept events: the count alone would allow 128 MiB of the longest texts."""

CATCH_UP_EVENTS: Final = 256
"""Events read from history in one piece for members that are behind: less than a millisecond of work, the
longest that the live conversation has to wait for it."""

CATCH_UP_BYTES: Final = 256 * 1024
"""Bytes that such a piece is meant to have: where texts are long, the next piece has fewer events."""

CATCH_UP_REST: Final = 1.0
"""Pause after each such piece, as a multiple of the time it took: those who catch up get at most half of the
interpreter, all together."""

# --- sessions -------------------------------------------------------------------------------------------

MAX_SESSIONS: Final = 10_000
"""Sessions of absent members that are remembered, the latest first. Each is one token hash and one message
id (the highest applied: ids rise within a session, so one number tells every repeat)."""

SESSION_SECONDS: Final = 7 * 24 * 3600.0
"""A session that was absent for longer is forgotten: after a week, nobody's client is still retrying."""

# --- living and dying -----------------------------------------------------------------------------------

DEAD_AFTER: Final = 45.0
"""A peer that was silent for this long is dead (cable cut, machine asleep); pings go out after a third."""

REAP_SECONDS: Final = 1.0
"""The reaper joins the threads that have ended, once in this time (the original's notes: each second)."""

CLOSE_SECONDS: Final = 1.5
"""All threads of a program are joined within this time at its end; the promise to the user is 2 s."""

DISK_RETRY_SECONDS: Final = 0.5
"""Pause between tries to store a batch while the disk is full: soon enough to notice space, rare enough."""
