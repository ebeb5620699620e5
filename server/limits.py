"""The limits of the server, each with its reason. Sizes are in bytes and times in seconds, unless said."""

from typing import Final

# --- handshake ------------------------------------------------------------------------------------------

MAX_HANDSHAKES: Final = 1024
"""Connections in the handshake at the same time; each has a thread. When a flood of silent connections fills
them, the longest silent one of the busiest address makes room for each newcomer."""

ADDRESS_GUESTS: Final = 128
"""Of them from one address. A school class of 60 behind one address comes in within the same second: that is
at worst 60 at once, so twice as many, and an eighth of all."""

ADDRESS_MEMBERS: Final = 250
"""Members from one address: four such classes behind the address of their school. Who lets more people come
through one address (a proxy, `ssh -L`) sets the option."""

ADDRESS_RATE: Final = 32
"""New connections a second from one address, in the long run: a class of 60 in two seconds, and below what
costs the others anything (measured: a newcomer costs about 2 ms of processor time)."""

BURST_SECONDS: Final = 8.0
"""So much of ADDRESS_RATE may come at once, 256 connections: all ADDRESS_MEMBERS of an address come back in
the same second after a restart of the server."""

MAX_ADDRESSES: Final = 4096
"""Addresses whose rate is remembered; the one that came longest ago is forgotten first. The most that IPv6
makes cheap is a /48 with 65,536 times /64: it can forget its own past this way, at 4,096 connections each
time, and nobody else's."""

SILENT_SECONDS: Final = 1.0
"""A guest that was silent for so long may have to leave for another one from its own address. An honest guest
sends each packet as soon as it may: that is one round trip, also over a satellite."""

MAX_LAPSES: Final = 10_000
"""Names that were given to a newcomer and not taken up are remembered, for each address: ADDRESS_GUESTS at
once from 78 addresses. The oldest is forgotten first."""

LAPSE_FACTOR: Final = 12
"""An address that again and again does not take up a name waits so many times as long as it had held it:
after STEP_SECONDS for a minute. The others can have the name in more than 90 % of the time."""

LAPSE_SECONDS: Final = 60.0
"""Such an address begins anew when it has let the name alone for so long."""

LAPSE_PATIENCE: Final = 0.25
"""So long the server lets a newcomer wait for such a name instead of refusing it: a client whose handshake
broke at once and that tries again notices nothing."""

PORT_SECONDS: Final = 2.0
"""When no port of the range is free, a newcomer gets one that another newcomer has had for so long in vain;
of an address that has more of them, at once. From PORT to ADMIT an honest one needs 2.5 round trips:
milliseconds, over a satellite 1.5 s."""

ADMISSION_GUESTS: Final = 8
"""Connections at once on one admission port that have not shown the ticket yet: strangers there cannot
shut its owner out, and cannot hold many descriptors either."""

EXHAUSTED_SECONDS: Final = 0.1
"""Pause before accept() is tried again when no descriptor is left: others must close first."""

LISTEN_BACKLOG: Final = 4096
"""Connections the kernel keeps ready for accept(). A program that floods the port makes some thousand while
the thread that accepts waits for its turn; when there is no room, newcomers try again only after a second."""

MAX_REFUSED: Final = 64
"""Refused connections that stay open for GOODBYE_SECONDS, so that the peer can read why. Beyond it the oldest
is closed at once."""

RESERVED_DESCRIPTORS: Final = 40
"""Descriptors that are no peer's: three standard streams, the listener, two selectors, two socket pairs, the
history with its log and lock, and HISTORY_READERS with two each: 32, with --metrics 34, and some more for a
short time."""

GUEST_DESCRIPTORS: Final = 3
"""Descriptors of one guest: at the admission port the listener, its selector and the owner's connection."""

LISTEN_TRIES: Final = 10
"""Tries to find one free port for all addresses of a host, when the system may choose it: with nearly all
ports free, the second try succeeds."""

# --- the waiting queue ----------------------------------------------------------------------------------

RECEIVE_SMALL: Final = 2048
"""First size asked of recv(). Python allocates the buffer before recv() blocks, so idle members need it."""

# --- delivering -----------------------------------------------------------------------------------------

BACKLOG_BYTES: Final = 32 * 1024 * 1024
"""Bytes waiting for one member that does not read. They are references to batches that all members share,
so a hundred slow members cost one backlog, not a hundred. Beyond it the member is disconnected with a
reason; it resumes from history when it comes back."""

ALL_SHARED_BYTES: Final = 64 * 1024 * 1024
"""Memory of the shared batches in all backlogs together, each counted once. Two of the longest backlogs:
members in different channels have different batches. Beyond it the member with the longest must go."""

OWN_BYTES: Final = 1024 * 1024
"""Memory of what waits for one member only: its greeting, a piece of its replay, answers. Each of these stops
long before; beyond it the member is disconnected."""

ALL_OWN_BYTES: Final = 32 * 1024 * 1024
"""The same for all members together: 150 that read nothing fill it with what each may have. Beyond it the
member with the most is disconnected."""

ANSWERS_BYTES: Final = 64 * 1024
"""A member that leaves more of its answers unread is not read either. Hundreds of answers; a member that
reads has none waiting."""

PIECE_BYTES: Final = 64
"""What a piece in a send buffer takes beside its bytes: the head of the object, and what the allocator rounds
up to. Without it, a backlog of small batches or answers would be three times its size."""

REFERENCE_BYTES: Final = 8
"""What each send buffer needs to refer to a piece."""

STALL_SECONDS: Final = 10.0
"""A member with a backlog that has taken less than STALL_BYTES in this time is disconnected: its reader has
stopped, and its backlog would only grow."""

STALL_BYTES: Final = 2 * 1024
"""The slowest link carries more in STALL_SECONDS; one byte now and then is no reading."""

READING_SECONDS: Final = 0.25
"""Time over which the speed of a reader is measured that is behind: short beside a pause's period."""

READING_RATE: Final = 256 * 1024
"""Bytes a second that a member takes at least who reads: a link of 2 Mbit/s. For a slower reader the talkers
do not wait: in the time of a pause it would receive some lines of thousands."""

FLUSH_BYTES: Final = 256 * 1024
"""Small batches of a backlog go into one send up to this size: fewer system calls, and a copy that takes
microseconds."""

TLS_CHUNK: Final = 16 * 1024
"""Bytes that are encrypted at once, at most: one record of TLS. If the socket does not take them, they wait,
and members cannot share them: so no more than this is encrypted ahead."""

KEY_AGREEMENT: Final = "X25519"
"""How the keys of TLS are agreed on (RFC 7748): the group that clients offer first, and the cheapest for the
server, 0.1 ms. OpenSSL, its forks, SChannel and the libraries of Go, Java and Rust all have it since 2018."""

KEY_AGREEMENT_BEFORE: Final = "prime256v1"
"""The same where Python cannot set that group (3.11.2, of Debian 12): all of them have this one, too. A
client that offers X25519 first is asked again, which costs a round trip."""

TLS_ANSWERS: Final = 64 * 1024
"""Bytes that OpenSSL itself has to say (its handshake, answers to a change of keys) and that a peer does not
read; beyond it the connection is lost. The longest chain of certificates has some 16 KiB."""

TICK_SECONDS: Final = 0.25
"""Pause between two checks of the connections whose deadline runs: half of GOODBYE_SECONDS."""

# --- receiving ------------------------------------------------------------------------------------------

CONTROL_RATE: Final = 100.0
"""What is not a line, each second and connection: PING, PONG, COMMAND, lines that are refused, and scraps.
People and bots need a few; beyond it the connection is read more slowly, and TCP slows the peer."""

CONTROL_BURST: Final = 500
"""So many of these may come at once: a client that comes back may say many lines again that are stored."""

LINES_BURST: Final = 1.0
"""With --rate, the seconds of its rate that a member may save up: a pasted text goes out at once."""

REST_SECONDS: Final = 0.05
"""A connection whose tokens are used up rests at least so long: its thread does not wake for each one."""

DECODE_BYTES: Final = 16 * 1024
"""After decoding so many bytes, a handler looks at the time that it took."""

DECODE_SECONDS: Final = 0.001
"""A handler that has decoded for longer lets other threads go on. Ordinary lines do not take so long: else
their handler would wait for the forwarder after each piece, and batches would be smaller."""

YIELD_SECONDS: Final = 0.00005
"""How long it lets them: as long as a waiting thread needs to wake up. A shorter release of the interpreter
is none: the thread that releases it would be the first to take it again."""

# --- living and dying -----------------------------------------------------------------------------------

GOODBYE_SECONDS: Final = 0.5
"""Time a peer has from the goodbye on to read it and to close. After it the connection is cut, so that a peer
cannot delay a thread, or at the server's end the rest of CLOSE_SECONDS."""

PAUSED_SECONDS: Final = 1.0
"""A flusher that comes so much later than it wanted was stopped with the whole process (a suspended laptop,
SIGSTOP, `docker pause`): what its peers sent meanwhile waits in the sockets."""

WAKING_BYTES: Final = 64
"""Signals that the main thread takes at once: many SIGHUPs are one."""

LIMIT_SECONDS: Final = 1.0
"""How long the start, or a SIGHUP, waits until changed limits are stored: milliseconds, unless the disk is
full. Then they are set as soon as it is not, and the server goes on."""

STATUS_CHARACTERS: Final = 200
"""Of the line that a service manager shows: the addresses where the server listens."""

OWN_SECONDS: Final = 2.0
"""How long the start waits until the owner's code is stored: milliseconds, unless the disk is full. Then the
server starts without a code."""

# --- encryption -----------------------------------------------------------------------------------------

CERTIFICATE_DAYS: Final = 3650
"""Validity of a certificate that the server makes. Clients trust it by its fingerprint, and a new one would
be a change that each of them refuses."""

EXPIRY_WARNING_DAYS: Final = 14
"""A certificate that expires so soon is warned of at the start: authorities renew theirs 30 days before."""

OPENSSL_SECONDS: Final = 30.0
"""Time for openssl's command to make a key: milliseconds, as a rule."""

# --- history --------------------------------------------------------------------------------------------

BUSY_SECONDS: Final = 1.0
"""Time a statement waits while another program (a backup, an sqlite3 shell) has locked the history: longer
than such a lock normally lasts, shorter than the time the server has for closing."""

TEND_SECONDS: Final = 0.5
"""Pause between two rounds of maintenance; a round with nothing to do costs microseconds."""

CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
"""A longer write-ahead log is checkpointed. A thousand pages: tens of thousands of lines share the two fsyncs
of a checkpoint, and recovery after a crash has little to read."""

WAL_BYTES: Final = 32 * 1024 * 1024
"""Above this size the forwarder waits some milliseconds for the end of a checkpoint, so that the write-ahead
log can restart under any load. At a hundred thousand lines a second that happens every few seconds."""

HISTORY_READERS: Final = 8
"""Concurrent reads of the history; more would only share the same disk and processor. Other reads wait."""

READER_CACHE: Final = 512 * 1024
"""Page cache of each reading connection; the operating system caches the rest."""

RETENTION_STEP: Final = 2000
"""Events removed in one transaction: a batch waits at most a few milliseconds for it."""

MAINTENANCE_PAUSE: Final = 0.005
"""Pause between two transactions of the maintenance, in which waiting batches are stored. Over 100,000 events
per second can be removed, as many as a fully loaded server takes in."""

TURN_SECONDS: Final = 5.0
"""Removal and merging stop after this time, so that the other parts of the maintenance have a turn: under a
steady load one of them may find work for ever. Ten times TEND_SECONDS, so that the pauses between the rounds
hardly slow down a removal that is behind."""

MERGE_WINDOW: Final = 2048
"""Blocks within so many seqs are merged, when as many later ones are there. With eight channels that is 256
lines for each, a block of about MERGED_BYTES. Who reads them together needs all blocks of a window in memory,
some 230 KB; a read of the latest events scans at most some thousand blocks, a millisecond."""

CONVERTED_EVENT: Final = 64
"""What an event of a file of version 2 needs in the new file, beside what it had, at most: its packet has 48
bytes before the names, its row had some 30."""

PROGRESS_SECONDS: Final = 3.0
"""How often the operator is told how far the conversion of an old file is: the server listens after it."""

MERGED_BYTES: Final = 32 * 1024
"""Blocks are merged up to this size, some 290 lines. A row costs 57 bytes beside its packets, and half a page
is wasted at its end. In larger rows a read that begins in the middle would cost more."""

AMENDED_BYTES: Final = 2 * MERGED_BYTES
"""A block with longer packets than before may have this size; a larger one is split."""

AMENDED_STEP: Final = 64
"""Amended events that are looked at in one step, to find one that can come into its block."""

ERASED_BYTES: Final = 512 * 1024
"""Bytes of blocks that are looked through in one step for what an erased person has said: some 2 ms."""

ERASED_BLOCKS: Final = 64
"""Blocks that are changed in one such step: small ones that are not merged yet, each in another page."""

SCRUB_PAGES: Final = 64
"""Free pages that are overwritten in one transaction, when somebody is erased: 256 KB, as much as the largest
step of a removal deletes."""

DROPPED_ROWS: Final = 64
"""Rows of an index of the search that are overwritten in one transaction: some 4 KB each."""

INDEX_STEP: Final = 256
"""Rows that are added to the index of places in one transaction: a millisecond."""

SEGMENT_EVENTS: Final = 1_000_000
"""Seqs of one index of the search: it is dropped as a whole, when retention has removed all of them."""

INDEX_BYTES: Final = 1024
"""Bytes of packets that are read at once for the index; a large block is read as a whole."""

INDEX_LINES: Final = 8
"""Lines that come into the index in one transaction: some 0.4 ms, in which lines wait to be stored. With 64
the 99th percentile of the latency was 3.8 ms instead of 2.6, at 1,000 lines a second; without an index it is
1.5."""

INDEX_PAGES: Final = 4
"""Pages of the index that are merged with each such transaction, about as many as it needs in the long run.
SQLite would do it now and then for 30 ms, in which no line could be stored (measured: now 4 ms at most)."""

INDEX_PARTS: Final = 64
"""Parts of one level of the index that SQLite leaves alone: with INDEX_PAGES there are never so many."""

INDEX_REST: Final = 12.0
"""Pause after such a transaction while lines come, as a multiple of the time it took: some 1,500 lines a
second are indexed then. Of faster talk the index falls behind, and what is newer is found by reading it.
While nobody talks, the pause is as long as the step."""

HITS_AT_ONCE: Final = 32
"""Hits of the index that a search reads with one statement: a page has 25 lines, and one more shows that
there are others. Each may be in a block of its own, and one block at a time is in memory."""

RECENT_AMENDMENTS: Final = 64
"""Lines edited lately at which a search looks beside the index: that has their new texts seconds later."""

MAX_RETENTION: Final = 10**15
"""Largest number of days or events for --keep; in practice the same as all."""

STARTS_NOTED: Final = 1000
"""Latest starts of the server that the history remembers when --keep has removed their events: a start a day
for almost three years, in some 25 KB. A client that was away for longer is told of a gap."""

CLOCK_PROOF_SECONDS: Final = 3600
"""Time for which the clock must have been right before --keep removes events by it: who has set it wrong
notices within the hour, and ages are counted in days."""

BLOCKED_SECONDS: Final = 10.0
"""A program that holds a checkpoint back for longer is told to the operator: a backup of a large file may
take a few seconds, and meanwhile the write-ahead log grows."""

LOW_DISK_BYTES: Final = 512 * 1024 * 1024
"""With less room on its disk for the history, operators are told: a hundred people who say a line every ten
seconds need four days to fill it (140 bytes a line), a thousand lines a second an hour. Until then somebody
can make room."""

LOW_DISK_SHARE: Final = 0.1
"""On a small disk it is this share of it: else operators would be told of one of a gigabyte, as in a small
computer at school, for ever."""

DISK_RECOVERED: Final = 1.25
"""There is room again when it is so many times what counts as low: a disk on the edge is told of once."""

DISK_LOOK_SECONDS: Final = 10.0
"""How often the disk is looked at: the call costs microseconds, and as a rule a disk fills in days."""

BACKUP_PAGES: Final = 256
"""Pages of a backup that are copied at once: a megabyte, after which it says how far it is."""

BACKUP_NICE: Final = 10
"""A backup lets others go first by so many steps of nice(2): the server has people who wait."""

# --- metrics --------------------------------------------------------------------------------------------

METRICS_SECONDS: Final = 1.0
"""Time in which whoever reads the metrics must have asked and have taken the answer: over loopback it takes
milliseconds. Readers are served one after the other, so one that dawdles delays the next one by this, and the
server not at all."""

METRICS_REQUEST: Final = 8 * 1024
"""Bytes of such a request: Prometheus sends some 300."""

METRICS_BACKLOG: Final = 8
"""Connections that the kernel keeps until they are read; others are refused by it."""

# --- threads --------------------------------------------------------------------------------------------

STACK_BYTES: Final = 256 * 1024
"""Address space of a thread's C stack. Python frames are not on it; ten thousand threads of the system's
usual 8 MiB would be 80 GB of address space, which some systems refuse."""

SWITCH_SECONDS: Final = 0.1
"""After this time a thread that computes must let another one go on (Python's default: 5 ms). Every thread
that waits for the interpreter wakes once in this time to ask for it; when a thousand members leave at once,
that asking costs more than the leaving (measured: 1,500 leave in 0.2 s, at 1 ms in 2.5 s). Nothing here
computes for long, and a thread that blocks releases the interpreter at once."""

LARGE_BYTES: Final = 1024 * 1024
"""A piece of memory of so many bytes goes back to the system when it is free: the 16 MiB of a password's
hash. Pieces of a batch are smaller (BATCH_PIECE): to get their memory anew each time costs page faults."""

KEPT_BYTES: Final = 2 * LARGE_BYTES
"""Free bytes at the end of a heap that the allocator keeps: some pieces of a batch. glibc's own ratio."""

HEAPS: Final = 2
"""Heaps of the C library, for all threads together. As a rule a thread that allocates holds the interpreter,
so hardly any waits for another one. In two minutes in which 200 people came and went, 16 heaps (glibc's own
number on two cores) had 9 MB that were free and not given back, two had 3 MB."""

GC_OBJECTS: Final = 50_000
"""New objects after which the garbage collector looks for cycles (Python's default: 700). A line makes a
handful of objects that are in no cycle; looking for cycles among them was a tenth of its cost."""

# --- the log --------------------------------------------------------------------------------------------

LOG_SAME: Final = 5
"""Warnings of one kind about one address that are written in LOG_SECONDS; the others are counted. Enough to
see what happens, and a flood of 12,000 refusals is six lines."""

LOG_SECONDS: Final = 10.0
"""Time after which their number is written."""

LEFT_EARLY: Final = 100
"""So many newcomers that close in the middle of the handshake within LEFT_EARLY_SECONDS are told in the log:
health checks come every few seconds, a scan of ports is a handful; a hundred want something."""

LEFT_EARLY_SECONDS: Final = 60.0
"""Time in which they are counted together."""

LOG_KINDS: Final = 1000
"""Kinds and addresses that are counted at once; all others count as one. So the log grows by at most LOG_SAME
such lines in LOG_SECONDS, each of some hundred bytes: 50 kB/s if everybody attacks, usually nothing."""

LOG_LINES: Final = 1000
"""Lines that wait to be written. When a terminal is stopped (Ctrl-S) or a pipe is full, later lines are
dropped, and their number is written once that is possible."""

LOG_BYTES: Final = 4096
"""Bytes of one line, traceback included: a pipe that poll() calls writable takes so many without blocking
(POSIX: PIPE_BUF is at least 512; Linux: 4096)."""

LOG_FIELD: Final = 600
"""Characters of one field of a line in JSON: a path, a host name, the calls that led to an error. Three such
fields fit into LOG_BYTES."""

LOG_CLOSE_SECONDS: Final = 0.2
"""Time to write the rest when the server ends: it ends within CLOSE_SECONDS and this, below 2 s."""

# --- looks at the threads -----------------------------------------------------------------------------------

INSPECT_SECONDS: Final = 0.02
"""A look at the threads comes up to so long after the command: as long as a round of a busy forwarder takes
(ROUND_SECONDS), so that each part of a round is seen as often as it deserves."""

INSPECT_EVERY: Final = 0.1
"""Who looks so soon after somebody else gets the same picture: with 5,000 members a look takes 20 ms, and so
many operators may look as like to, as often as CONTROL_RATE lets them, for a fifth of a processor."""
