"""What the native door says about erasing."""

from __future__ import annotations

from chatroom.outcomes import Code, Outcome


def of_erase_command(command: str, outcome: Outcome) -> str | None:
    """The words for it; None: there are none beside those of the code."""
    code, rows = outcome
    if command != "/erase" or not rows:
        return None
    if code is Code.OK:
        return f"{rows[0]} is erased, with all that {rows[0]} has said"
    if code is Code.BAD_ARGUMENTS:
        return f"{rows[1]} has a role in the whole chatroom: take it first (/deop * {rows[1]})"
    if code is Code.NO_SUCH_NAME:
        return f"there is no account {rows[0]}, and nobody here is called so"
    return None
