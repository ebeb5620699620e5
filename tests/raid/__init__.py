"""A raid: 200 connections from 20 addresses do what they may, and one command ends it. What members feel.

    python -m tests.raid                          against each command, one after the other
    python -m tests.raid --against "/guard accounts"

host.py     the server, in which a newcomer is none any more after some seconds instead of ten minutes
raiders.py  the raiders, a process of their own
members.py  thirty members with accounts, each of whom says a line a second
stage.py    the phases: calm, the raid, after the command
"""
