"""What the native door says about moderation."""

from __future__ import annotations

import pytest

from chatroom.outcomes import Code, Outcome
from server import words
from server.moderation_words import banned_at_the_door, of_moderation_command

UNTIL = 1_769_862_896_789  # 2026-01-31 12:34 UTC


@pytest.mark.parametrize(
    ("command", "outcome", "said"),
    [
        ("/kick", Outcome(Code.OK, ("eve", "#tea")), "eve is out of #tea"),
        ("/kick", Outcome(Code.OK, ("eve", "*")), "all programs of eve are ended"),
        (
            "/kick",
            Outcome(Code.NEED_ROLE, ("/kick", "owner", "dora")),
            "dora has a role as high as yours, or higher",
        ),
        ("/kick", Outcome(Code.NEED_ROLE, ("/kick", "operator")), "/kick needs the role operator"),
        (
            "/ban",
            Outcome(Code.OK, ("+eve", "#tea", UNTIL)),
            "+eve is banned from #tea until 2026-01-31 12:34 UTC",
        ),
        (
            "/ban",
            Outcome(Code.OK, ("bbo", "#tea", UNTIL, "nobody")),
            "nobody is called bbo now; "
            "who comes with this name is banned from #tea until 2026-01-31 12:34 UTC",
        ),
        (
            "/mute",
            Outcome(Code.OK, ("all", "#tea", 0, "nobody")),
            "nobody is called all now; who comes with this name is muted in #tea; /hush is for all",
        ),
        ("/mute", Outcome(Code.OK, ("all", "#tea", 0)), "all is muted in #tea"),
        (
            "/kick",
            Outcome(Code.BAD_ARGUMENTS, ("no time", "bob", 600, "#tea")),
            "a kick has no time; /ban bob 10m",
        ),
        (
            "/kick",
            Outcome(Code.BAD_ARGUMENTS, ("no time", "bob", 60, "*")),
            "a kick has no time; /ban * bob 1m",
        ),
        (
            "/kick",
            Outcome(Code.OK, ("bob", "#tea", "no time")),
            "bob is out of #tea; a kick has no time: /ban bob 10m keeps bob out",
        ),
        (
            "/kick",
            Outcome(Code.OK, ("bob", "*", "no time")),
            "all programs of bob are ended; a kick has no time: /ban * bob 10m keeps bob out",
        ),
        (
            "/ban",
            Outcome(Code.OK, ("eve", "#tea", 0, "guest")),
            "eve is banned from #tea; eve is a guest, who can come back under another name: "
            "/ban +eve means the network",
        ),
        (
            "/mute",
            Outcome(Code.OK, ("eve", "*", 0, "guest", "guard")),
            "eve is muted in this chatroom; eve is a guest, who can come back under another name: "
            "/mute * +eve means the network, /guard accounts keeps guests out",
        ),
        ("/ban", Outcome(Code.NOT_IN, ("#tea",)), "you are not in #tea"),
        ("/mute", Outcome(Code.OK, ("all", "#tea", 0, "guest")), "all is muted in #tea; all is a guest, …"),
        ("/ban", Outcome(Code.OK, ("eve", "*", 0)), "eve is banned from this chatroom"),
        (
            "/ban",
            Outcome(Code.BAD_ARGUMENTS, ("own network", "192.0.2.7")),
            "192.0.2.7: your own network is in it; /guard accounts keeps guests out, wherever they come from",
        ),
        (
            "/mute",
            Outcome(Code.BAD_ARGUMENTS, ("duration", "10", 864_000)),
            "10 is no duration: write 30s, 10m, 2h or 7d, at most 10d; without one it is for ever",
        ),
        (
            "/ban",
            Outcome(Code.NEED_ROLE, ("192.0.2.7", "operator of the chatroom")),
            "192.0.2.7 needs the role operator of the chatroom",
        ),
        ("/suspend", Outcome(Code.BAD_ARGUMENTS), "usage: /suspend WHO [DURATION] [REASON]"),
        ("/ban", Outcome(Code.TOO_LONG, (256,)), "the reason is too long: 256 bytes at most"),
        ("/ban", Outcome(Code.TOO_MANY, ("eve", "#tea", 0)), "there are too many on the lists of #tea"),
        ("/unban", Outcome(Code.ALREADY, ("eve", "*")), "eve is not banned from this chatroom"),
        ("/bans", Outcome(Code.OK), "nobody is banned, muted or exempt"),
        (
            "/bans",
            Outcome(
                Code.OK,
                (("ban", "+eve", "dora", UNTIL, UNTIL, "spam"), ("mute", "bob", "", UNTIL, 0, ""), 7),
            ),
            "banned, muted or exempt: 9\n"
            "  ban   +eve  until 2026-01-31 12:34 UTC\n"
            "      by dora, 2026-01-31 12:34 UTC: spam\n"
            "  mute  bob   for ever\n"
            "      2026-01-31 12:34 UTC\n"
            "  and 7 more",
        ),
        (
            "/bans",
            Outcome(Code.OK, (("mute", "bob", "", UNTIL, 0, "", "bobby"),)),
            "banned, muted or exempt: 1\n  mute  bob (now bobby)  for ever  2026-01-31 12:34 UTC",
        ),
        (
            "/join",
            Outcome(Code.BANNED, ("#tea", UNTIL, "spam")),
            "you are banned from #tea until 2026-01-31 12:34 UTC: spam",
        ),
        ("/nick", Outcome(Code.BANNED, ("*", 0, "")), "this name is banned from this chatroom"),
    ],
)
def test_words(command: str, outcome: Outcome, said: str) -> None:
    """An ellipsis stands for the rest of the words."""
    told, _ = words.answer(command, outcome)
    assert told.startswith(said[:-1]) if said.endswith("…") else told == said


def test_at_the_door() -> None:
    """A person understands it, who perhaps has done nothing: the name or the network may be meant."""
    begin = "you, this name or your network is banned from this chatroom"
    for left, told in ((0, ""), (90, " for another 1 minute 30 seconds"), (-5, " for another 1 second")):
        rows = ("*", UNTIL if left else 0, "spam")
        assert banned_at_the_door(rows, UNTIL - left * 1000) == f"{begin}{told}: spam"
    assert words.goodbye(Code.KICKED, "killed by dora: spam") == (
        "an operator has ended your programs: killed by dora: spam"
    )
    assert words.goodbye(Code.BANNED, "") == "you are banned"


def test_other_commands() -> None:
    """What is not about moderation is somebody else's business."""
    assert of_moderation_command("/topic", Outcome(Code.NO_SUCH_NAME, ("eve",))) is None
