"""The screen of a client: keys, line editor, transcript, painting. Pure: state in, text out.

    bytes of keys ──► KeyDecoder ──► Keyboard ──► LineEditor ──► Foot ──┐
    own lines not stored yet, status ───────────────────────────► Foot ──┼──► Painter ──► one string a frame
    events, answers ──► Item ──► Backlog ──► Transcript ─────────────────┘

All text on the screen goes through the function `sanitize`. The clock is passed in; only client/terminal.py
touches a terminal.
"""

from views.actions import Action, Cancelled, Leave, LookBack, Secret, StepFound, Submitted, Suspend
from views.item import plain_line
from views.keys import Jump
from views.layout import Status, Waiting
from views.painter import Repaint
from views.palette import Depth, Ground, depth_of, ground_of
from views.plain_view import PlainView
from views.sanitize import one_line, sanitize
from views.surface import Surface
from views.view import View

__all__ = [
    "Action",
    "Cancelled",
    "Depth",
    "Ground",
    "Jump",
    "Leave",
    "LookBack",
    "PlainView",
    "Repaint",
    "Secret",
    "Status",
    "StepFound",
    "Submitted",
    "Surface",
    "Suspend",
    "View",
    "Waiting",
    "depth_of",
    "ground_of",
    "one_line",
    "plain_line",
    "sanitize",
]
