"""The limits of the wire, the queue and the conversation, and those that server and client share.

Every buffer has a bound, and so has every wait for a peer; each with its reason. Sizes are in bytes and times
in seconds, unless a comment says otherwise. Limits that only one package needs are in its own `limits.py`.
"""

from typing import Final

# --- the wire -------------------------------------------------------------------------------------------

MAX_TEXT: Final = 64 * 1024
"""UTF-8 bytes of one message: a long stack trace fits."""

TEXT_PART: Final = 4096
"""UTF-8 bytes of text that one packet carries at most; longer texts travel as several packets. One page:
small enough that a stopped sender holds little text back, large enough that headers add under 2 %."""

MAX_PARTS: Final = 32
"""Packets of one message: 64 KiB in 4 KiB parts is 16, one or two more for whole characters."""

MAX_PAYLOAD: Final = TEXT_PART + 1024
"""Bytes after the header of one packet: a full text part after the longest fields of an event (28 fixed
bytes, NAME_BYTES, CHANNEL_FIELD, MAX_EXTRA: 733 together), or an ADMIT with MAX_CHANNELS long channels."""

MAX_NUMBER: Final = 2**63 - 1
"""Largest message id and seq: they are stored, and databases and most languages count in signed 64 bits."""

MAX_TIME: Final = 253_402_300_799_999
"""Largest time of an event in milliseconds: the end of the year 9999, where calendars (datetime) end."""

MAX_REASON: Final = 1024
"""UTF-8 bytes of a reason: a few lines of explanation. Of the abilities in HELLO, too: dozens of words."""

MAX_EXTRA: Final = 512
"""Bytes of the extra rows of a line or event: two rows of the longest value, or some dozens of numbers."""

MAX_CREDENTIALS: Final = 1024
"""Bytes of the credentials in USERNAME: a long passphrase, a device token and the server's password."""

MAX_TOPIC: Final = 512
"""UTF-8 bytes of a topic: some lines. Each part of CHANNEL repeats it."""

MAX_LISTED: Final = 1000
"""Members that CHANNEL and /who list. A longer list is of no use to a person, and thousands of members that
come back together would each get thousands of rows."""

COUNTED_FROM: Final = MAX_LISTED
"""Members up to which a channel tells who comes and goes; one with more only counts them. From there on
CHANNEL lists nobody, so nobody can follow who is in. And of n members that come together, each would be told
to all others: ten thousand would make 50 million packets."""

# --- names ----------------------------------------------------------------------------------------------

NAME_COLUMNS: Final = 24
"""Terminal columns of a name, so that an 80-column screen has room for the text beside them."""

NAME_BYTES: Final = 96
"""UTF-8 bytes of a name: 24 characters of at most four bytes each. On the wire, its length is one byte."""

CHANNEL_COLUMNS: Final = 50
"""Terminal columns of a channel with its '#': room for a few words on an 80-column screen."""

CHANNEL_BYTES: Final = 96
"""UTF-8 bytes of a channel with its '#': as a name."""

CHANNEL_FIELD: Final = NAME_BYTES + 1
"""UTF-8 bytes of the channel in an event and in CHANNEL: for direct conversations it is '@' and a name."""

LOWEST_PORT: Final = 1024
"""The lowest port that newcomers are sent to. Those below belong to other services: a server could make its
clients connect to the mail server behind their firewall."""

MAX_CHANNELS: Final = 50
"""Channels that one ADMIT may ask for: more than a person follows; the longest names fit into one packet."""

DEFAULT_CHANNEL: Final = "#general"
"""The channel of members that ask for no other."""

MAX_ROWS: Final = MAX_LISTED * (6 + NAME_BYTES)
"""Bytes of the members in CHANNEL, over all parts: MAX_LISTED of the longest rows."""

# --- handshake ------------------------------------------------------------------------------------------

HANDSHAKE_SECONDS: Final = 15.0
"""From the accepted connection to ADMIT on the new port. It covers all steps, so that a slow peer
cannot add time-outs up. Enough for a satellite link. An unused reservation expires after the same time."""

STEP_SECONDS: Final = 5.0
"""Time for each step that a program does by itself: up to the first USERNAME, up to END, up to ADMIT. Two
round trips over a satellite, and three lost packets. Only a person who has to choose another name has all of
HANDSHAKE_SECONDS. So a silent guest holds a thread for 5 s, and a name or a port for hardly longer."""

NAME_TRIES: Final = 16
"""USERNAME packets on one lobby connection: a person needs a few, a scanner tries thousands."""

TICKET_BYTES: Final = 16
"""Ticket and session token: 128 random bits cannot be guessed."""

# --- the waiting queue ----------------------------------------------------------------------------------

MAX_WAITING: Final = 8192
"""Requests other than lines in the waiting queue: each comes from another thread, as a rule. When there are
more, their threads wait."""

LINE_WEIGHT: Final = 96
"""What a line weighs in the waiting queue beside its bytes. One weight is the cost of a byte that is sent to
some hundred members. A line has 48 bytes and two names before its text, and to apply, encode and store it
costs the forwarder about as much as some 40 bytes more."""

ROUND_SECONDS: Final = 0.02
"""Processor time of one round of the forwarder that the waiting queue aims at. A line waits for the rest of
the round that is under way, half of it on average, and for its own. Shorter rounds would cost throughput:
with a hundred members, each round costs more than a millisecond that does not depend on its lines."""

FIXED_COSTS: Final = 10
"""But at least so many times the fixed cost of a round of sends: large rooms need longer rounds, or the
forwarder would do little else than begin new rounds."""

MAX_ROUND_SECONDS: Final = 0.4
"""A round of ten thousand members, with FIXED_COSTS, would be a second."""

MIN_ROOM: Final = 16 * 1024
"""Least weight that may wait: a few lines of each of some talkers, on the slowest machine."""

MAX_ROOM: Final = 2 * 1024 * 1024
"""Largest weight that may wait for one round, for the memory: some thousand lines on the fastest machine."""

SMALL_ROUND: Final = 8
"""A round of at most so many short lines shows the fixed cost of a round: each costs some microseconds."""

RECEIVE_LARGE: Final = 64 * 1024
"""Size asked of recv() while a peer keeps filling the buffer."""

# --- delivering -----------------------------------------------------------------------------------------

BEHIND_BYTES: Final = 1024 * 1024
"""A member with more buffered bytes counts as behind. While most members are behind, talkers are slowed."""

BATCH_PIECE: Final = 256 * 1024
"""A batch with more bytes is sent in several pieces, each cut between events. A piece that was begun is sent
to its end, whatever happens, and stays in memory for so long."""

BLOCK_BYTES: Final = 64 * 1024
"""Lines of one author in one round are kept in memory in pieces of about so many bytes, and stored in blocks
of at most so many. A replay that begins in the middle copies the rest; a slice has one block more."""

PAUSE_SECONDS: Final = 0.15
"""Lines wait at most this long for slow readers, in each PAUSE_PERIOD. Long enough for a reader on a slow
link to receive its bytes, short enough that a talker hardly notices."""

PAUSE_PERIOD: Final = 2.0
"""Time from one pause to the next: the talkers lose at most a thirteenth of their time to slow readers."""

TAIL_EVENTS: Final = 2048
"""Latest events in memory: short replays, and the end of each long one, need no disk."""

TAIL_BYTES: Final = 4 * 1024 * 1024
"""Bytes of the packets in the tail: the count alone would allow 128 MiB of the longest texts."""

GREETING_BYTES: Final = 256 * 1024
"""Bytes of a greeting after which CHANNEL lists no more members: two of the longest lists, or twenty channels
of a school. With all lists, 50 large channels would be 5 MB for every newcomer."""

CATCH_UP_BYTES: Final = 128 * 1024
"""Bytes in one slice that a member catching up gets from history: it waits in memory for a member that does
not read. One more block may be in. Others who catch up get their slices before the next one."""

SLICE_FACTOR: Final = 4
"""Blocks of several channels overlap and have to be read together: with eight channels a slice is about twice
as long as was asked for. Where it would be more than so many times as long, the blocks are cut."""

CATCH_UP_REST: Final = 1.0
"""Pause after each slice, as a multiple of the time it took: all members that catch up get together at most
half of the GIL's time."""

CLOCK_STEP_SECONDS: Final = 60.0
"""A wall clock that is further from the order's time was set anew, and is taken over in one step. Corrections
of a few seconds (NTP) are not: times of events rise steadily."""

TICK_SECONDS: Final = 1.0
"""How often the state learns that time has passed: deadlines of minutes need no more."""

# --- sessions -------------------------------------------------------------------------------------------

MAX_SESSIONS: Final = 10_000
"""Sessions of absent members in memory. Each is a token hash, name, time, and the highest applied message id
(ids rise, so one number recognises every repeat). Over the limit the network with the most of them loses
one, first of all one that lasted for a short time: strangers push out each other's sessions."""

SESSION_SECONDS: Final = 7 * 24 * 3600.0
"""A session that was absent for longer is forgotten: after a week, no client is still retrying."""

HOLD_SECONDS: Final = 90.0
"""How long a member whose connection broke is held, before the others are told that it has left: longer than
DEAD_AFTER, so that a client that notices late comes back silently; short enough that a name is soon free."""

MAX_HELD: Final = 10_000
"""Lost members that are held at the same time, for the memory; as many as sessions of absent ones. One more
ends a hold of the network with the most of them."""

NETWORK_HELD: Final = 1000
"""Of them from one network (an IPv4 address, a /64 of IPv6): a school behind one address whose network is
cut. One more of them ends a hold: who comes and drops again and again does not take names without end."""

HOLDS_PER_TICK: Final = 100
"""Sessions whose time is over and that end in one tick: a cut network with a thousand members is no storm."""

MAX_PLACES: Final = 10_000
"""Channels that are founded at most: they are durable, so somebody could fill the disk with them."""

NETWORK_PLACES: Final = 3000
"""Of them from one network, so that no address takes all: a class of 60 behind one address, each in
MAX_CHANNELS channels of their own."""

MAX_INTERVALS: Final = 20
"""Stays of one person in one channel that are remembered, so that a client that comes and goes for ever does
not fill the disk. A client that comes back asks for the latest of them."""

# --- liveness and end -----------------------------------------------------------------------------------

DEAD_AFTER: Final = 45.0
"""A peer that was silent for so long is dead (broken cable, sleeping machine). PING is sent after a third."""

REAP_SECONDS: Final = 1.0
"""How often the reaper joins the threads that have ended (the original's notes: each second)."""

CLOSE_SECONDS: Final = 1.5
"""Time to join all threads when a program ends. The promise to the user is 2 s."""

DISK_RETRY_SECONDS: Final = 0.5
"""Pause between tries to store a batch while the disk is full: new space is noticed soon, at little cost."""
