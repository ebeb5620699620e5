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

# --- passwords ------------------------------------------------------------------------------------------

PASSWORD_LEAST: Final = 8
"""UTF-8 bytes of a password at least. Guessing over the network is slowed, so eight are enough against that;
fewer would fall to the first thousands of any list."""

PASSWORD_BYTES: Final = 256
"""UTF-8 bytes of a password at most: the longest passphrase. Two of them, percent-encoded, fit into one
COMMAND."""

PASSWORD_TYPED: Final = 4 * PASSWORD_BYTES
"""Characters of a password before it is brought into one form: a character is typed as at most four
(Unicode's FAQ on normalization), and has at least one byte."""

SALT_BYTES: Final = 16
"""Random bytes beside each password (RFC 7914 and NIST SP 800-132 ask for 128 bits): equal passwords have
different hashes, and no table of hashes helps."""

HASH_BYTES: Final = 32
"""Bytes of a hash: nobody finds another password with the same one."""

SCRYPT_LOG_N: Final = 14
"""scrypt's cost: 2**14 rounds of 1 KiB are 16 MiB and some 60 ms. A thief of the file pays them for each
guess; two at a time cost a small server 32 MiB. The values are stored with each hash, so they may grow."""

SCRYPT_R: Final = 8
"""scrypt's size of a block, in 128 bytes (RFC 7914 recommends 8)."""

SCRYPT_P: Final = 1
"""scrypt's parallel parts: one, so the memory is used once."""

SCRYPT_BYTES: Final = 128 * 1024 * 1024
"""Memory of one hash at most. A file with greater parameters is not computed: it could stop the server."""

HASHES_AT_ONCE: Final = 2
"""Hashes that are computed at the same time: 32 MiB together, and not all cores of a larger machine."""

NETWORK_HASHES: Final = 64
"""Threads of one network that wait for a hash: a class of 60 behind one address logs in at once."""

FAVOURS: Final = 4
"""Hashes of one network at once that go before those of strangers, for accounts that were used there: the
programs of a family. Of a class the others wait with everybody, while there is a flood."""

FAVOUR_SECONDS: Final = 60.0
"""Then one more in so many seconds: only some thousand networks with accounts fill that line."""

MAX_FAVOURED: Final = 4096
"""Networks whose favours are remembered; the one that came longest ago is forgotten first, and has all
again."""

HASH_SECONDS: Final = 10.0
"""How long a command waits for its turn to hash. Below HANDSHAKE_SECONDS, which bounds a login."""

DEVICE_TOKEN_BYTES: Final = 32
"""Random bytes of a device token: a plain hash of so many is enough, and nobody guesses them."""

CODE_BYTES: Final = 10
"""Random bytes of a one-time code: 80 bits in 16 characters, which a person can type. Nobody guesses them,
however often: a thousand connections with a hundred commands a second each need a billion centuries."""

CODE_SECONDS: Final = 7 * 24 * 3600.0
"""How long a one-time code is valid: its owner may be away for some days."""

GUESSES: Final = 5
"""Wrong passwords for one account from one network at once: a person who has forgotten which one it was."""

GUESS_SECONDS: Final = 60.0
"""Then one more in so many seconds: half a million a year, of the thousands of millions that are likely."""

NETWORK_GUESSES: Final = 64
"""Wrong passwords from one network at once, for whatever accounts: a class of 60 behind one address."""

NETWORK_GUESS_SECONDS: Final = 10.0
"""Then one more in so many seconds: one password of a list tried with each name is slow, too."""

ROOM_GUESSES: Final = 64
"""Wrong passwords of the server at once from a network that has lately shown the right one: a class of 60
that mistypes at the same moment."""

ROOM_GUESS_SECONDS: Final = 0.1
"""Then one more in so many seconds. Five pupils who each try twice a second keep nobody out of the room.
Whoever guesses there shares a network with people who know the password: 864,000 a day find a word of a list,
and need centuries for three random words of a dictionary, or eight random letters."""

ROOM_SECONDS: Final = 7 * 24 * 3600.0
"""How long a network counts as such a room after the right password: a class meets once a week."""

MAX_ROOMS: Final = 1000
"""Rooms that are remembered, some 200 KB. Only who knows the password makes one; the one that has shown it
longest ago is forgotten first, and is as slow as others until it shows it again."""

STRANGE_GUESSES: Final = 30
"""Wrong passwords for one account at once from networks that it was never used from, all together: a few
tries in a few places while its owner travels."""

STRANGE_GUESS_SECONDS: Final = 60.0
"""Then one more in so many seconds: thousands of machines together guess no faster than one."""

MAX_GUESSED: Final = 10_000
"""Buckets of guesses that are remembered, some 3 MB. Those that are full soonest are forgotten first. A guess
keeps two of them for a minute, and needs a hash: at 33 hashes a second some 4,000 are not full."""

# --- the waiting queue ----------------------------------------------------------------------------------

MAX_WAITING: Final = 8192
"""Requests other than lines in the waiting queue: each comes from another thread, as a rule. When there are
more, their threads wait."""

LINE_WEIGHT: Final = 96
"""What a line weighs in the waiting queue beside its bytes. One weight is the cost of a byte that is sent to
some hundred members. A line has 48 bytes and two names before its text, and to apply, encode and store it
costs the forwarder about as much as some 40 bytes more."""

APART_WEIGHT: Final = 2048
"""The same of a line that is looked at alone: a direct one, one with a form or an extra, an edit. Two persons
get bytes of their own, which costs as much as some twenty lines of a burst. With the weight of those, a
first round of direct lines would take half a second."""

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
"""Pause after each slice while the forwarder has something to do, as a multiple of the time the slice took:
all members that catch up get together at most half of the GIL's time."""

CATCH_UP_BREATH: Final = 0.0001
"""Pause after each slice in any case: threads that wait for the GIL need about half of it to wake up."""

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

LONGEST_HOLD: Final = 3600.0
"""Up to which HOLD_SECONDS can be set: a name that is held is nobody's, and to others its member is here."""

HOLDS_PER_TICK: Final = 100
"""Sessions whose time is over and that end in one tick: a cut network with a thousand members is no storm."""

SWEPT_PER_TICK: Final = 2000
"""Persons who are judged in one entry, when a network was banned in a place: some milliseconds."""

MAX_PLACES: Final = 10_000
"""Channels that are founded at most: they are durable, so somebody could fill the disk with them."""

NETWORK_PLACES: Final = 3000
"""Of them from one network, so that no address takes all: a class of 60 behind one address, each in
MAX_CHANNELS channels of their own."""

MAX_PLACE_NUMBERS: Final = 2**31 - 2
"""Numbers of places that a history gives: the next one is that of the audit trail. Somebody who founds
and leaves channels as fast as a connection may needs eight months for them, and hundreds of gigabytes."""

MAX_PERSON_NUMBERS: Final = 2**32 - 1
"""Numbers of persons: they have four bytes on the wire. From one address, ADDRESS_RATE uses them up in four
years."""

MAX_OWNED: Final = MAX_CHANNELS
"""Channels that one person owns, to found one more. One that an account owns stays when it is empty, so
somebody could found and leave channel after channel until there is none left for others."""

MAX_LEFT: Final = 50
"""Channels that a person has left and whose stays are still remembered; the one that was left first is
forgotten first. Else somebody who founds channel after channel and leaves it would fill the disk."""

MAX_PLACE_LISTED: Final = 1000
"""Persons on the lists of one channel (voice, invited and so on): as many as its list of members shows."""

MAX_SLOW: Final = 3600
"""Seconds in which each member of a slow channel says one line, at most: an hour. Longer is moderated."""

MAX_ANNOUNCEMENT: Final = 1024
"""UTF-8 bytes of what an operator tells all: a few lines of explanation, as in a reason."""

MAX_PACED: Final = 20_000
"""Persons and places of which the state remembers when somebody spoke: in slow channels, and of who is new.
More than speak within a minute; some hundred bytes each. Those that end last give way."""

MAX_PACED_OF_PERSON: Final = 60
"""Of them for one person: MAX_CHANNELS channels that are all slow, and some more. Who has spoken in more
waits until one is forgotten."""

MASK_BITS: Final[dict[int, int]] = {4: 8, 6: 32}
"""By IP version: the bits that a network on a list has at least. 0.0.0.0/0 would be everybody, by a slip."""

WHOM_BYTES: Final = NAME_BYTES + 1
"""Of whom an entry of a list means, as typed: a name, perhaps with a + before it, or a network."""

LIST_REASON: Final = 256
"""Bytes of the reason of a ban, mute or kick: bans are kept, so the sum of their reasons matters."""

MAX_BAN_SECONDS: Final = 10 * 366 * 24 * 3600
"""The longest ban or mute that ends by itself. Who means longer than ten years leaves the duration out."""

MAX_ALL_LISTED: Final = 100_000
"""Of them in sum: they are durable, some hundred bytes each. One for each account that there may be. Those
of the chatroom and of kept channels do not count: operators fill their lists, and must always be able to."""

NETWORK_LISTED: Final = 10_000
"""Of them on lists of channels that were founded from one network, so that no address takes all: ten persons
in each of a thousand channels."""

LISTED_BYTES: Final = 24 * 1024
"""Bytes of the rows of /channels: the words beside them have about as many, and an answer is 64 KiB."""

KEY_BYTES: Final = 64
"""UTF-8 bytes of a channel's key: a word that members tell each other."""

MAX_INTERVALS: Final = 20
"""Stays of one person in one channel that are remembered, so that a client that comes and goes for ever does
not fill the disk. A client that comes back asks for the latest of them."""

# --- accounts --------------------------------------------------------------------------------------------

MAX_SESSIONS_OF_PERSON: Final = 16
"""Sessions of one person that are not absent: laptop, phone and some bots. Each gets everything."""

MAX_ABSENT_OF_PERSON: Final = 32
"""Sessions of one person that are absent: its programs of the last days. /sessions lists all of them in one
answer, and a login looks at each."""

MAX_MARKERS: Final = 200
"""Read markers of one person: MAX_CHANNELS channels and many conversations. One more forgets that of the
place that was read up to the earliest line."""

MAX_SOFTWARE: Final = 64
"""UTF-8 bytes of a client's name and version, as others see it in /whois."""

MAX_ACCOUNTS: Final = 100_000
"""Accounts in sum: they are durable, and each is some hundred bytes in memory."""

NETWORK_ACCOUNTS: Final = 100
"""Of them registered from one network: a school behind one address, but not a script that takes all names."""

MAX_DEVICES: Final = 8
"""Devices that an account remembers. One more forgets the one that was not used for the longest time."""

LOGIN_NETWORKS: Final = 8
"""Networks of the latest logins that are remembered: home, school, phone, and what came between. From these,
guesses that others make from elsewhere do not slow the owner down."""

MAX_SECRET: Final = 512
"""Bytes of a stored secret: the longest text that `chatroom/passwords.py` makes is a third of that."""

MAX_LABEL: Final = 64
"""UTF-8 bytes of a device's label: a host name."""

# --- against strangers ------------------------------------------------------------------------------------

NEWCOMER_SECONDS: Final = 600.0
"""For how long somebody without a role counts as new: a raid comes within minutes, and who has talked for ten
is known to the others. Longer, and people who belong would be ended with the raiders."""

MAX_NEWCOMER_LINES: Final = 60
"""Lines a minute to which newcomers can be limited: nobody types more, and when each was said is stored."""

# --- direct conversations and amendments ---------------------------------------------------------------

MAX_CONVERSATIONS: Final = 50_000
"""Direct conversations in sum: they are durable, and each is some hundred bytes in memory. One ends when
neither of the two is known any more."""

NETWORK_CONVERSATIONS: Final = 2000
"""Of them begun from one network: a class of 60 behind one address, where everybody writes to 30 others."""

CONVERSATIONS_BEGUN: Final = 200
"""That one person has begun: one for each other whom it knows, and no script that writes to everybody."""

CONVERSATIONS_OF_PERSON: Final = 1000
"""That one person is in. Each greeting describes all of them, in some 100 bytes each. When there are more,
the oldest one ends whose other person is not known any more."""

NETWORK_WRITERS: Final = 100
"""Of them begun by others from one network: a class of 60 behind one address writes to its teacher. Guests of
one address could else take all places, for ever: then nobody could begin to write to that person."""

MAX_GONE: Final = 100
"""Of them with others who are not known any more; the one that was begun first ends first. Else guests who
come, write and go would fill CONVERSATIONS_OF_PERSON, and nobody could write to that person any more."""

EDIT_SECONDS: Final = 15 * 60.0
"""How long an author may edit a message: to correct it, and not to make others' answers senseless later."""

DELETE_SECONDS: Final = 24 * 3600.0
"""How long an author may delete a message: until the next day."""

LONGEST_AMENDING: Final = 366 * 24 * 3600.0
"""Up to which EDIT_SECONDS and DELETE_SECONDS can be set: a year, after which nobody remembers a line."""

MAX_REACTION: Final = 64
"""UTF-8 bytes of a reaction: an emoji with all its modifiers, or a word."""

MAX_AMENDED: Final = 2 * MAX_WAITING
"""Amended messages that the state remembers, the latest. A message is looked up before its amendment waits in
the queue: what was amended meanwhile must be among them, and at most MAX_WAITING proposals wait there."""

MAX_ERASED: Final = MAX_WAITING
"""Erased persons that the state remembers, the latest. A message may be looked up before its author is
erased, and be proposed to be amended after that: at most MAX_WAITING proposals wait in the queue between."""

# --- people ----------------------------------------------------------------------------------------------

MAX_AWAY: Final = 200
"""UTF-8 bytes of the text of /away: a sentence. It stands in the answer to /whois, and in one line of the
screen of all who share a channel with its author."""

MAX_IGNORED: Final = 100
"""Persons that one person ignores: more than one meets. The record of a person is some 10 KB at most."""

MAX_IGNORED_IN_SUM: Final = 100_000
"""Of all persons together: some 10 MB, because they are durable."""

NETWORK_IGNORED: Final = 6000
"""Of them by persons of one network: a class of 60 that ignores as many as can be. Else the guests of one
address could take all, and nobody could ignore them."""

# --- the classroom ---------------------------------------------------------------------------------------

MAX_HANDS: Final = 500
"""Raised hands in one channel: a lecture hall. With more nobody gets a turn."""

MAX_VOTES: Final = 2000
"""Votes that are remembered in one channel: twice as many as a channel has members whose names it lists. Each
of them is a record until the poll is revealed."""

MAX_OPTIONS: Final = 10
"""Options of a poll: a screen shows them, and one key votes for each but the last."""

MAX_POLL: Final = 1000
"""UTF-8 bytes of a question with its options: they are shown as a whole, and kept while the poll is open."""

TYPED_OPTION: Final = 256
"""UTF-8 bytes of the beginning of an option as somebody types it to vote: three rows. Text that is compared
without case takes its time: some characters become eighteen. Who copies a longer option types it as it is."""

MAX_QUESTION: Final = 1000
"""UTF-8 bytes of a question without an author: some lines."""

HAND_SECONDS: Final = 5.0
"""Who has raised a hand waits so long before it can be raised again: else somebody whom a moderated channel
silences could fill the others' screens with a hand that goes up and down."""

ASK_SECONDS: Final = 30.0
"""Who has asked a question without an author waits so long before the next: nobody can ignore its author."""

# --- finding what was said -------------------------------------------------------------------------------

FETCH_BYTES: Final = 256 * 1024
"""Bytes of lines in the answer to one /history or /grep: they go out in one send, and wait in memory for a
member that does not read."""

FETCH_LINES: Final = 500
"""Lines of one /history: some screens. Short lines fill FETCH_BYTES with a few more."""

LOG_LINES: Final = 20
"""Acts of a /log that does not say how many: what happened lately, beside the conversation on a screen."""

LOG_SPAN: Final = 4096
"""Seqs among which /log looks for acts first, the latest. Then it looks in four times as many before those,
and so on: few of them are acts, and a step that finds nothing costs as much as one read."""

HISTORY_LINES: Final = 50
"""Lines of a /history that does not say how many: a screen."""

GREP_LINES: Final = 25
"""Lines of one page of /grep: a person looks at so many, and asks for the next page or for other words."""

CONTEXT_LINES: Final = 5
"""Lines before and after the one that /context is about, if it does not say how many."""

SEARCH_WORDS: Final = 16
"""Words of one search: more than anybody remembers of a line. A pair of Chinese characters is one."""

SEARCH_WORD: Final = 64
"""Characters of a word that count: addresses and hashes are told apart by fewer."""

MAX_MARKS: Final = 30
"""Marks one after the other that count in a search: as many as Unicode allows in its Stream-Safe Text Format
(UAX #15, section 13). No word of any language has more."""

SEARCH_SECONDS: Final = 0.5
"""Time for one page: then it ends, and says that there is more. It reads one state of the history meanwhile,
so a checkpoint gets no further; and the member waits for it."""

SEARCH_PIECE: Final = 4096
"""Bytes of text after which a search lets other threads go on: a millisecond, when the text is not ASCII."""

SEARCH_BREATH_AFTER: Final = 0.001
"""Processor time after which it does. Whoever gets the interpreter may have to give it back for each member
that is sent something, and each time a search would keep it for as long as it reads a block."""

SEARCH_BREATH: Final = 0.0001
"""Pause in which others go on: as CATCH_UP_BREATH."""

SEARCHES_AT_ONCE: Final = 2
"""Searches at the same time, and as many that fetch a page. They share the interpreter with the forwarder."""

SEARCH_REST: Final = 1.0
"""Pause after a search before its turn goes to the next one, as a multiple of the time it took: however many
search, each of the turns uses at most half of the time."""

NETWORK_SEARCHES: Final = 64
"""Threads of one network that wait for their search: a class of 60 behind one address."""

SEARCH_WAIT: Final = 5.0
"""How long a search waits for its turn."""

# --- following a line ------------------------------------------------------------------------------------

TRACE_SECONDS: Final = 2.0
"""How long whoever has said a line with /trace waits until everybody has it: who reads takes it within
milliseconds, and for somebody who does not read nobody wants to wait. Meanwhile the server reads nothing else
of whoever asks."""

TRACE_WATCHED: Final = 256
"""Connections of which it is noted when their socket takes the line, some microseconds each: so the forwarder
needs a millisecond more for it, however many get it. The others are counted."""

TRACE_NAMED: Final = 8
"""Connections that a trace names: the first, and the slowest. With the other steps that is a screen."""

# --- liveness and end -----------------------------------------------------------------------------------

DEAD_AFTER: Final = 45.0
"""A peer that was silent for so long is dead (broken cable, sleeping machine). PING is sent after a third."""

REAP_SECONDS: Final = 1.0
"""How often the reaper joins the threads that have ended (the original's notes: each second)."""

CLOSE_SECONDS: Final = 1.5
"""Time to join all threads when a program ends. The promise to the user is 2 s."""

DISK_RETRY_SECONDS: Final = 0.5
"""Pause between tries to store a batch while the disk is full: new space is noticed soon, at little cost."""

# --- figures --------------------------------------------------------------------------------------------

SECONDS_STEPS: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Steps by which times of rounds are counted: two for each power of ten are enough to see what is slow. A
lone line is stored in some 40 µs; a round that takes longer than a second is a disk that does not answer."""

SIZE_STEPS: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""Steps by which the events of a round are counted, as above."""

# --- the picture of the inside ---------------------------------------------------------------------------

PICTURE_GROUPS: Final = 48
"""Groups of threads in a picture: two screens. A server at rest has a dozen; hundreds of handlers that work
may each stand in another function."""

PICTURE_MEMBERS: Final = 16
"""Members in a picture: a table that a person can read while it changes, and some 2 KB on the wire."""

# --- files of options -------------------------------------------------------------------------------------

CONFIG_BYTES: Final = 64 * 1024
"""Bytes of a file of options: a hundred of them need a tenth of it. Who names another file by mistake is told
so at once."""

# --- the log ----------------------------------------------------------------------------------------------

MAX_FRAMES: Final = 10
"""Calls that the log names for an error that nobody expected, the innermost ones: they fit into one line of
the log, and further out all threads are the same."""

# --- the message of the day -------------------------------------------------------------------------------

MOTD_BYTES: Final = 2048
"""UTF-8 bytes of the message of the day: a screen of 80x24 has 1,920 characters. It fits into one INFO."""

MOTD_LINES: Final = 20
"""Lines of it: the row that says where one is stays on the screen."""
