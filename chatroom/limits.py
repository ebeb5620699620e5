"""Every limit of the program, each with its reason.

A buffer without a bound is a promise that nobody can keep: whatever is read from a peer, kept for a
peer or waited for is bounded by one of these. Sizes are in bytes, times in seconds, unless said.
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

MAX_HANDSHAKES: Final = 1024
"""Lobby connections at the same time; each is a short thread. Beyond it newcomers are refused at once,
so that a flood of silent connections cannot use up the process's descriptors."""

NAME_TRIES: Final = 16
"""USERNAME packets on one lobby connection: a person mistypes a few times, a scanner tries thousands."""

ADMISSION_GUESTS: Final = 8
"""Connections at once on one admission port that have not shown the ticket yet: strangers there cannot
shut its owner out, and cannot hold many descriptors either."""

TICKET_BYTES: Final = 16
"""Ticket and session token: 128 random bits cannot be guessed."""

EXHAUSTED_SECONDS: Final = 0.1
"""Pause before accept() is tried again when no descriptor is left: others must close first."""

LISTEN_BACKLOG: Final = 1024
"""Connections the kernel keeps ready for accept(): a whole class that presses Enter at the same time."""

# --- the waiting queue ----------------------------------------------------------------------------------

MAX_WAITING: Final = 8192
"""Requests in the waiting queue. When it is full, handlers block, stop reading, and TCP slows the talkers.
Large enough that one commit and one round of sends carry thousands of lines under load."""

MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
"""Text bytes in the waiting queue, for long messages: 64 of the longest."""

RECEIVE_SMALL: Final = 2048
"""First size asked of recv(): the buffer is allocated before recv() blocks, so an idle member pays for it."""

RECEIVE_LARGE: Final = 64 * 1024
"""Size asked of recv() while a peer keeps filling the buffer."""

# --- delivering -----------------------------------------------------------------------------------------

BACKLOG_BYTES: Final = 32 * 1024 * 1024
"""Bytes waiting for one member that does not read. They are references to batches that all members share,
so a hundred slow members cost one backlog, not a hundred. Beyond it the member is disconnected with a
reason; it resumes from history when it comes back."""

BEHIND_BYTES: Final = 1024 * 1024
"""A member with more than this waiting counts as behind; when most are, the talkers are slowed."""

STALL_SECONDS: Final = 10.0
"""A member with a backlog that has taken no byte for this long is disconnected: its reader has stopped.
Without it, half of the members stopping to read could stop the talkers for good."""

REPLAY_LINES: Final = 50
"""Lines shown to a newcomer: two screens."""

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

GOODBYE_SECONDS: Final = 0.5
"""How long one that is told goodbye has to take it, behind what is on its way already, and to close: those
that read do, and the others must not hold up a thread, or at the server's end the rest of CLOSE_SECONDS."""

DISK_RETRY_SECONDS: Final = 0.5
"""Pause between tries to store a batch while the disk is full: soon enough to notice space, rare enough."""

# --- the screen -----------------------------------------------------------------------------------------

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

LEAVE_SECONDS: Final = 1.0
"""Who leaves right after Enter waits this long for the line to be stored, and is told when it was not."""

PENDING_SHOWN: Final = 4
"""Own lines that are shown as not stored yet; how many more there are is a number."""

ESCAPE_SECONDS: Final = 0.05
"""An escape character with nothing behind it for this long is the Esc key, not the start of an arrow key."""

SEQUENCE_SECONDS: Final = 0.5
"""A longer sequence cut off for so long is given up: slow links do split them, but not for half a second."""

PASTE_SECONDS: Final = 5.0
"""A paste whose end does not come for this long is over, so that the keyboard is never dead."""

# --- history --------------------------------------------------------------------------------------------

BUSY_SECONDS: Final = 1.0
"""How long a statement waits while another program (a backup, an sqlite3 shell) has the history locked:
longer than such a lock normally lasts, shorter than the promise of an orderly end."""

TEND_SECONDS: Final = 0.5
"""Pause between two looks at what is to be tidied; each costs microseconds when there is nothing."""

CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
"""The write-ahead log is moved into the history when it is longer: a thousand pages, so that the two fsyncs
of it are shared by tens of thousands of lines, and little is to be read again after a crash."""

WAL_BYTES: Final = 32 * 1024 * 1024
"""Above this the forwarder waits some milliseconds for the end of a checkpoint, so that the log can begin
anew however busy it is. At a hundred thousand lines a second that is once in some seconds."""

HISTORY_READERS: Final = 8
"""Reads of the history at once; more would only share the same disk and processor. Others wait their turn."""

READER_CACHE: Final = 512 * 1024
"""Bytes of pages that each reader keeps; the operating system keeps the rest."""

RETENTION_STEP: Final = 2000
"""Events removed in one transaction: a few milliseconds for which a batch may have to wait."""

RETENTION_PAUSE: Final = 0.005
"""Seconds between two such steps, in which waiting batches come first; over 100,000 are removed per second,
as many as a fully loaded server takes in."""

MAX_KEPT: Final = 10**15
"""Days or events that can be asked for with --keep; anything near it is the same as all."""

# --- the client -----------------------------------------------------------------------------------------

MAX_PENDING: Final = 8192
"""Lines said and not yet confirmed; then say() waits. As many as the server's waiting queue holds: more on
the way would only wait there."""

PENDING_BYTES: Final = 8 * 1024 * 1024
"""Bytes of those lines, for long texts."""

MAX_COMMANDS: Final = 64
"""Slash commands that wait to be sent: what a person types while the server is away."""

SEND_BYTES: Final = 64 * 1024
"""Bytes of waiting lines that go into one send: fewer calls under load, no second copy of a whole backlog."""

MAX_PROCESSING: Final = 8
"""Threads that process received bursts at once; with all of them busy nothing more is read."""

UNREAD_BYTES: Final = 16 * 1024 * 1024
"""Received bytes whose events the user of a client has not taken: about 100,000 short lines, some 80 MB as
objects. Beyond it events are left on the server and fetched when the reader has caught up."""

UNREAD_PATIENCE: Final = 2.0
"""How long a full inbox holds the connection back before events are left on the server: a reader that is
only slow keeps the connection; less than STALL_SECONDS, so that the server does not end it."""

MISSED_HELD: Final = 1000
"""Events after a reconnect that are held until their number is known, for "12 missed". A screen's divider
need not count further."""

RETRY_FIRST: Final = 0.25
"""The first pause between two tries to reconnect (the first try is made at once); each is twice the last."""

RETRY_LONGEST: Final = 10.0
"""The longest pause: people wait this long for a server that is back. Jitter spreads the clients out."""

RETRY_STEADY: Final = 1.0
"""A connection that lasted this long makes the next pause short again; one that breaks at once does not."""

RETRY_FOR: Final = 300.0
"""How long a piped client tries to reconnect before it gives up: longer than a restart of machine and
server, short enough that a script is told within minutes. A person at a terminal decides for himself."""

# --- threads --------------------------------------------------------------------------------------------

STACK_BYTES: Final = 256 * 1024
"""Address space of a thread's C stack. Python frames are not on it; ten thousand threads of the system's
usual 8 MiB would be 80 GB of address space, which some systems refuse."""

SWITCH_SECONDS: Final = 0.1
"""After this time a thread that computes must let another one go on (Python's default: 5 ms). Every thread
that waits for the interpreter wakes once in this time to ask for it; when a thousand members leave at once,
that asking costs more than the leaving (measured: 1,500 leave in 0.2 s, at 1 ms in 2.5 s). Nothing here
computes for long, and whoever blocks gives the interpreter away at once."""

GC_OBJECTS: Final = 50_000
"""New objects after which the garbage collector looks for cycles (Python's default: 700). A line makes a
handful of objects that are in no cycle; looking for cycles among them was a tenth of its cost."""
