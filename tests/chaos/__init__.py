"""Chaos: seeded faults under load, and a checker that compares every client's record with history.

records.py     what a talker writes down, and how it is read back
roams.py       … of a rover
checker.py     the judge: records and history in, violations out; no process, file or clock
stays.py       … of who comes and goes
ownership.py   … of accounts
rovers.py      … of who is in several places: which events came, and what was found again
sanctions.py   who was muted, hushed or kicked, and what followed from that
whereabouts.py   who was in which channel or direct conversation, from history
versions.py      what a line said at which time
exports.py     … of exports
wrongs.py      what can be wrong
leaks.py       the search for passwords, tokens and codes in all that a run leaves behind
report.py      what came of a run
proxy.py       a TCP proxy that resets, cuts, stalls and chops connections
schedule.py    which fault happens when, from a seed
programs.py    the real server and clients as child processes
hasty.py       the server program with a shorter hold, and with a planted bug if one is named
disk.py        a disk that can be full or failing
talker.py      a child process around one of the two clients that writes its record
owner.py       the same for somebody with an account: registers, logs in, changes the password, comes and goes
wallet.py      the secrets of an owner, which her programs share
rover.py       a child process that joins, leaves, talks to single persons, takes other names, edits, searches
moderator.py   a child process that kicks, bans, mutes, hushes, gives and takes roles
rover_link.py  … its connection, which speaks the wire by itself
wire.py        a connection that speaks the protocol by itself
stranger.py    a child process that tries to get the names of others
cast.py        owners, rovers and strangers as child processes
run.py         one run: load, faults, healing, judgement
sabotage.py    bugs to plant into the server, to show that the checker can fail
"""
