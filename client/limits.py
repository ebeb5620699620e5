"""The limits of the client, each with its reason. Sizes are in bytes and times in seconds, unless said."""

from typing import Final

# --- delivering -----------------------------------------------------------------------------------------

REPLAY_LINES: Final = 50
"""Lines shown to a newcomer: two screens."""

MOST_LINES: Final = 0xFFFF
"""Lines of history that a client can ask for: two bytes in ADMIT."""

# --- the screen -----------------------------------------------------------------------------------------

KEPT_LINES: Final = 300
"""Lines of one place that are kept for the user who comes to it: five screens."""

KEPT_CHARACTERS: Final = 200_000
"""Characters of these lines, for long texts: at most 0.8 MB."""

KEPT_PLACES: Final = 64
"""Places whose lines are kept, those used last: more than a person follows. The server has the rest."""

READ_SECONDS: Final = 10.0
"""The least time between two read markers, unless the user leaves the place: other programs of the person
need no more, and each is an entry in the server's history."""

BESIDE_PAGE: Final = 5
"""Rows of the screen that PageUp leaves beside the lines of a page: two rules, the status, the input, and one
row of what was there."""

LEAST_PAGE: Final = 5
"""Lines of a page on a very low screen: fewer would be a question to the server for nearly each line."""

LEAVE_SECONDS: Final = 1.0
"""Who leaves right after Enter waits this long for the line to be stored, or is told that it was not."""

HELD_BYTES: Final = 16 * 1024 * 1024
"""Events held until it is known whose lines the user ignores, about as many as may wait in the inbox: more
than any greeting has that a terminal asks for. A server that talks on and does not answer fills no memory."""

LATEST_AGAIN: Final = 3600
"""Seconds until a line may be said again, at most: the longest that a slow channel has. A longer time comes
from a clock that is wrong, and is not told."""

LONGEST_WAIT: Final = 3600.0
"""The longest wait for the end of a mute, before it is looked at again: no timer takes every number."""

BELL_SECONDS: Final = 3.0
"""The least time between two bells. Several lines that come together ring once; a person who is called again
and again hears it, and nobody can make a terminal ring all the time."""

KEPT_CALLS: Final = 200
"""Lines that called the user, the latest: more than a person reads again."""

KEPT_RENAMES: Final = 200
"""Earlier names of which the present one is known, the latest: who writes to one has just seen it."""

LEAVE_AGAIN_SECONDS: Final = 2.0
"""For so long a second Ctrl-C on an empty line leaves: who presses it later has another reason for it."""

HELD_ONCE: Final = 32
"""Lines that were held once, the latest: what was typed again so much later may be another mistake."""

PRIVATE_NEWS: Final = 3
"""Conversations that have a row of their own when somebody begins to write there. Of more at once the
number is told."""

SHOWN_CALLS: Final = 10
"""Of them shown at once: they fit the screen with what stands around them."""

CALL_CHARACTERS: Final = 200
"""Characters shown of such a line: three rows of a screen."""

MAX_KEYWORDS: Final = 50
"""Keywords of the user: each is looked for in every line that comes."""

KEYWORD_CHARACTERS: Final = 64
"""Characters of a keyword: longer than any word."""

KEPT_NAMES: Final = 100
"""Servers of which the name used last is kept, the latest: more than a person uses."""

PREFERENCES_BYTES: Final = 96 * 1024
"""A file of preferences is not larger: 50 keywords take 13 KB at most, 100 names at addresses 40 KB. A larger
one is some other file."""

FETCHED_UPDATES: Final = 200
"""Updates that the screen takes between two looks at the keyboard: 2 ms, some 20 with long texts."""

# --- places ---------------------------------------------------------------------------------------------

MAX_ROOMS: Final = 1000
"""Places that a client knows: MAX_CHANNELS channels, and direct conversations, which a server may have kept
for years. More are not shown."""

COUNTED_LINES: Final = 1000
"""Unread lines that are remembered (seq and person) for each place, to count those behind a read marker, and
to take off those of ignored persons: some 120 KB. With more, neither changes the number of older ones."""

PAST_BYTES: Final = 1024 * 1024
"""Bytes of the events that answer one command. A server sends at most a quarter of it."""

ASK_SECONDS: Final = 15.0
"""How long `Client.ask` and the calls like it wait unless said: longer than a search of a large history."""

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

TLS_CHUNK: Final = 16 * 1024
"""Bytes that are encrypted at once: one record of TLS has no more."""

TLS_ANSWERS: Final = 64 * 1024
"""Bytes that OpenSSL itself has to say (its handshake, answers to a change of keys) and that the server does
not take; beyond it the connection is lost. It is 2,500 answers; honest servers ask for new keys every few
hours."""

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

GREETING_SECONDS: Final = 2.0
"""How long connect() waits for the places of the client's person, at most: they come right behind WELCOME. A
program that has to have them looks whether they are there."""

# --- accounts -------------------------------------------------------------------------------------------

SECRET_TRIES: Final = 3
"""How often a question for a password or code is asked: for a slip or two."""

SETTLE_SECONDS: Final = 2.0
"""How long a login waits for the lines and commands on their way: less than the STEP_SECONDS for which the
server keeps the way in. Who logs in while the server is that slow is told to try again."""

PART_SECONDS: Final = 1.0
"""How long the old connection may take to end after a login: the server answers BYE at once; one that does
not must not keep the new connection waiting."""

LABEL_BYTES: Final = 64
"""Bytes of the name under which a computer is remembered: as many as a host name has."""

TOKENS_TRIED: Final = 3
"""Kept device tokens that are tried for one name: one for each history that a server at this address has had.
A server takes NAME_TRIES questions."""

KEPT_TOKENS: Final = 1000
"""Device tokens in the file, the latest: more accounts than a person has."""

SERVER_TOKENS: Final = 50
"""Of them for one server. It says for which account each is, and must not push out those of other servers."""

TOKEN_FILE_BYTES: Final = 1024 * 1024
"""A file of tokens is not larger: 1,000 tokens take 250 KB. A larger one is some other file."""

KEPT_SERVER_PASSWORDS: Final = 100
"""Passwords of servers in their file, the latest: more servers than a person visits."""

LOCK_SECONDS: Final = 3.0
"""How long to wait for other programs that change files of the user's, which takes each some milliseconds."""

PASSWORD_FILE_BYTES: Final = 4096
"""What is read of a file that holds a password: a password has at most MAX_CREDENTIALS bytes."""

WATCH_SECONDS: Final = 1.0
"""From one look at the server's threads to the next: a person cannot read faster, and a look costs the server
some milliseconds of one thread."""

WATCH_LATE: Final = 2.5
"""After so long without an answer to a look the screen says so: more than one look has been missed."""

WATCH_COLUMNS: Final = 100
"""Columns of a line where no terminal says how many it has: every word is whole."""
