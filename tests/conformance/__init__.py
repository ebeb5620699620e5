"""The conformance run: does a server or client, in any language, keep the rules of notes/protocol.md?

notes/conformance.md says how to run it and how to read its report. It talks raw bytes: it may use
chatroom.packets to build and parse good packets, and nothing of server/ or client/.

rules.py      the numbered rules of the page
check.py      what a check is, and how it fails
watches.py    what is looked at in every packet that comes
wire.py       one connection: sends anything, judges and remembers all that comes
program.py    the program under test, as a process
room.py       for checks of a server: the run plays the clients
host.py       for checks of a client: the run plays the server
server_*.py, client_*.py   the checks; catalogue.py knows all
commands.py   commands and lines, for the checks of a server with channels
run.py        runs them side by side
report.py     what is printed
faulty.py     our programs with a fault, for the run's own tests
"""
