"""Attacks on a running server: what those feel who only read and talk. See `python -m tests.attacks --help`.

Each attack is a function that runs in a process of its own, with addresses of its own. The honest members
are in this process: each says a line, waits until it is back, and pauses. The figures are the time
until a talker's own line comes back, the memory of the server, and how soon all is well afterwards.
"""
