"""An hour of a server that people use: who comes, talks, edits, is cut, and comes back. What grows meanwhile?

    python -m tests.long_run --seconds 3600 --members 200 --folder FOLDER

visitor.py  one person: what it knows of the chatroom, and what it does there
crowd.py    all of them, a process of its own
samples.py  what the system and the server say of the server, every few seconds
probe.py    one more member, which measures how long a line takes
stage.py    the server, the crowd, the samples
verdict.py  the first minutes beside the last ones: what has grown, and what may grow
picture.py  the curves
"""
