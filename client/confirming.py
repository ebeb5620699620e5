"""What the client does not send before it is said once more: the end of a channel cannot be taken back."""

from __future__ import annotations


def to_confirm(typed: str, channel: str) -> str:
    """What to tell instead of sending a command; empty: it may be sent. channel: where it is given

    The name of the channel confirms. In a direct conversation the server says that it is none.
    """
    word, *rest = typed.split(None, 2)
    if word.lower() != "/close" or (rest and rest[0].startswith("#")) or not channel.startswith("#"):
        return ""
    again = " ".join(["/close", channel, *rest])
    return (
        f"this ends {channel} for all, with all that was said there, its bans and its log: "
        f"{again} does it; /hush only makes it quiet"
    )
