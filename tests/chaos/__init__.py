"""Chaos: seeded faults under load, and a checker that compares every client's record with history.

records.py     what a talker writes down, and how it is read back
checker.py     the judge: records and history in, violations out; no process, file or clock
proxy.py       a TCP proxy that resets, cuts, stalls and chops connections
schedule.py    which fault happens when, from a seed
programs.py    the real server and clients as child processes
hasty.py       the server program with a shorter hold, and with a planted bug if one is named
disk.py        a disk that can be full or failing
talker.py      a child process around one of the two clients that writes its record
run.py         one run: load, faults, healing, judgement
sabotage.py    bugs to plant into the server, to show that the checker can fail
"""
