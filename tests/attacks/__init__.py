"""Attacks on a running server: what those feel who only read and talk. See `python -m tests.attacks --help`.

Each attack is a function in a module of its own, in a process of its own, with addresses of its own. The
honest members are in this process: some read, one says a line ten times a second. The figures are the time
until a talker's own line comes back, the memory of the server, and how soon all is well afterwards.
"""
