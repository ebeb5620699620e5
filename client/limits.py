"""The limits of the client, each with its reason. Sizes are in bytes and times in seconds, unless said."""

from typing import Final

# --- delivering -----------------------------------------------------------------------------------------

REPLAY_LINES: Final = 50
"""Lines shown to a newcomer: two screens."""

MOST_LINES: Final = 0xFFFF
"""Lines of history that a client can ask for: two bytes in ADMIT."""

# --- the screen -----------------------------------------------------------------------------------------

LEAVE_SECONDS: Final = 1.0
"""Who leaves right after Enter waits this long for the line to be stored, or is told that it was not."""

FETCHED_UPDATES: Final = 200
"""Updates that the screen takes between two looks at the keyboard: 2 ms, some 20 with long texts."""

# --- the client -----------------------------------------------------------------------------------------

MAX_PENDING: Final = 8192
"""Lines said and not yet settled; then say() waits. Some seconds of a fast talker: more on the
way would only wait in the buffers between."""

PENDING_BYTES: Final = 8 * 1024 * 1024
"""Bytes of those lines, for long texts."""

MAX_COMMANDS: Final = 64
"""Slash commands that wait to be sent or answered: what a person types while the server is away."""

SEND_BYTES: Final = 64 * 1024
"""Bytes of waiting lines that go into one send: fewer calls under load, no second copy of a whole backlog."""

MAX_PROCESSING: Final = 8
"""Threads that process received bursts at once; with all of them busy nothing more is read."""

UNREAD_BYTES: Final = 16 * 1024 * 1024
"""Received bytes whose events the user of a client has not taken: about 100,000 short lines, some 80 MB as
objects. When it is full, the connection waits, then leaves events on the server (decision 12)."""

UPDATE_BYTES: Final = 100
"""What an update about the connection counts there: about the size of the object."""

UNREAD_PATIENCE: Final = 2.0
"""How long a full inbox makes the connection wait before events are left on the server: a slow reader keeps
its connection; less than the server's STALL_SECONDS, so that the server does not end it."""

CONNECT_STAGGER: Final = 0.25
"""A try to connect that has not been answered for so long is joined by one to the host's next address; the
value that RFC 8305 recommends (section 8): longer than most answers take, too short to be noticed."""

RETRY_FIRST: Final = 0.25
"""The first pause between two tries to reconnect (the first try is made at once); each is twice the last."""

RETRY_LONGEST: Final = 10.0
"""The longest pause: people wait this long for a server that is back. Jitter spreads the clients out."""

RETRY_STEADY: Final = 1.0
"""A connection that lasted this long makes the next pause short again; one that breaks at once does not."""

RETRY_FOR: Final = 300.0
"""How long a piped client tries to reconnect before it gives up: longer than a restart of machine and
server, short enough that a script is told within minutes. At a terminal the user decides."""

LONGEST_SILENCE: Final = 86400.0
"""The longest dead_after, a day: the system's timers do not take every number, and who waits longer than the
server itself (its limit is the same) learns nothing."""

BYE_SHARE: Final = 2 / 3
"""Share of CLOSE_SECONDS in which the server may answer BYE; in the rest threads end after the cut."""
