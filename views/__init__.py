"""What the screen shows: keys, line editor, transcript, painting. Pure: state in, text out.

    bytes of keys ──► KeyDecoder ──► LineEditor ──┐
    events, notices ──► Transcript ───────────────┼──► Block and rows ──► render ──► one string a frame
    own lines on their way, status ───────────────┘

Everything that is drawn goes through `harmless.sanitize`. The clock is passed in; what touches a terminal is
client/terminal.py.
"""

from views.harmless import one_line, sanitize
from views.transcript import plain_line
from views.view import Action, Leave, Repaint, Submitted, Suspend, View

__all__ = [
    "Action",
    "Leave",
    "Repaint",
    "Submitted",
    "Suspend",
    "View",
    "one_line",
    "plain_line",
    "sanitize",
]
