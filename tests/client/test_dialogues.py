"""client/dialogues.py"""

from __future__ import annotations

import pytest

from chatroom.errors import ConfigError, NeedEncryption
from client.dialogues import HOW_TO_GO_BACK, dialogue_of
from client.limits import SECRET_TRIES

NEW = "longhorse"


class Sent:
    """A talker that notes what is sent."""

    def __init__(self, account: str = "", error: Exception | None = None) -> None:
        self.name, self.account = "ann", account
        self.sent: list[object] = []
        self._error = error

    def command(self, text: str, channel: str | None = None) -> int:
        if self._error is not None:
            raise self._error
        self.sent.append((text, channel) if channel else text)
        return 1

    def begin_login(self, name: str, password: str | None = None) -> None:
        self.sent.append((name, password))


def play(text: str, *answers: str, account: str = "") -> tuple[list[str], list[object]]:
    """The questions of a dialogue, without what they all end with; and what was sent."""
    talker, questions = Sent(account), []
    dialogue = dialogue_of(text, talker)  # type: ignore[arg-type]
    assert dialogue is not None
    left = list(answers)
    try:
        question = next(dialogue)
        while True:
            assert question.endswith(" (not shown, Ctrl-C cancels):") or question == HOW_TO_GO_BACK
            questions.append(question.removesuffix(" (not shown, Ctrl-C cancels):"))
            assert left, questions
            question = dialogue.send(left.pop(0))
    except StopIteration:
        assert not left
    return questions, talker.sent


@pytest.mark.parametrize(
    ("text", "answers", "questions", "sent"),
    [
        (
            "/register",
            ["long horse", "long horse"],
            ["a password for ann, at least 8 characters", "the same again"],
            "/register long%20horse",
        ),
        ("/Register p w", [], [], "/register p%20w"),
        ("/unregister", ["pw"], ["the password of ann"], "/unregister pw"),
        ("/unregister pw", [], [], "/unregister pw"),
        (
            "/passwd",
            ["a", NEW, NEW],
            ["the present password of ann", "the new password, at least 8 characters", "the same again"],
            f"/passwd a {NEW}",
        ),
        (
            "/passwd a",
            [NEW, NEW],
            ["the new password, at least 8 characters", "the same again"],
            f"/passwd a {NEW}",
        ),
        ("/passwd a b c", [], [], "/passwd a b%20c"),
        (
            "/recover dora",
            ["A-B", NEW, NEW],
            ["the code for dora", "a new password for dora, at least 8 characters", "the same again"],
            f"/recover dora A-B {NEW}",
        ),
        (
            "/recover",
            ["A-B", NEW, NEW],
            ["the code for ann", "a new password for ann, at least 8 characters", "the same again"],
            f"/recover ann A-B {NEW}",
        ),
        ("/recover dora A-B n", [], [], "/recover dora A-B n"),
        ("/owner", ["A-B"], ["the code of the owner"], "/owner A-B"),
        ("/owner A-B", [], [], "/owner A-B"),
        ("/login dora", ["p w"], ["the password of dora"], ("dora", "p w")),
        ("/login dora p w", [], [], ("dora", "p w")),
        ("/login", [""], ["the password of ann"], ("ann", None)),
    ],
)
def test_what_is_asked_and_what_is_sent(
    text: str, answers: list[str], questions: list[str], sent: object
) -> None:
    """What the line does not have is asked for, and new passwords twice."""
    assert play(text, *answers) == (questions, [sent])


def test_the_account_is_asked_for_by_its_name() -> None:
    """Which may differ from the name that its person has."""
    assert play("/unregister", "pw", account="dora")[0] == ["the password of dora"]
    assert play("/login", "pw", account="dora")[1] == [("dora", "pw")]


@pytest.mark.parametrize(
    ("text", "question", "sent"),
    [
        ("/set * key", "the password of the server", "/set * key sesame"),
        ("/set key", "the key of #tea", "/set key sesame"),
        ("/set #club KEY ", "the key of #club", "/set #club KEY sesame"),
    ],
)
def test_a_key_that_is_left_out_is_asked_for(text: str, question: str, sent: str) -> None:
    """Twice, and without a word of it on the screen; it is given where the line was typed."""
    talker, questions = Sent(), list[str]()
    dialogue = dialogue_of(text, talker, "#tea")  # type: ignore[arg-type]
    assert dialogue is not None
    with pytest.raises(StopIteration):
        questions.append(next(dialogue))
        while True:
            questions.append(dialogue.send("sesame"))
    assert [one.partition(" (")[0] for one in questions] == [question, "the same again"]
    assert talker.sent == [(sent, "#tea")]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (["a b"], "one word"),
        ([" a"], "one word"),
        (["a", "b"], "not the same"),
        (["off"], "off would end it"),
        (["Off"], "off would end it"),
    ],
)
def test_a_key_that_is_not_sent(answers: list[str], reason: str) -> None:
    """The server would take blanks for something else, and nobody sees a slip."""
    with pytest.raises(ConfigError, match=reason):
        play("/set * key", *answers * SECRET_TRIES, "")


@pytest.mark.parametrize(
    "text", ["/set", "/set *", "/set key off", "/set * key word", "/set * key a b", "/set moderated"]
)
def test_other_settings_have_no_dialogue(text: str) -> None:
    """They are sent as they are."""
    assert dialogue_of(text, Sent(), "#tea") is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["hello", "", " ", "/who", "//register x", "/quit", "register x", "/set key x", "/JOIN #a b", "／who"],
)
def test_other_lines_have_no_dialogue(text: str) -> None:
    """They are said, or sent as they are."""
    assert dialogue_of(text, Sent()) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        " /register secret",
        "\t/login",
        "\n/passwd a b",
        "／register secret",
        "／ＬＯＧＩＮ",
        "／set * key secret",
        "／join #tea secret",
    ],
)
def test_a_command_that_is_nearly_one(text: str) -> None:
    """Behind blanks, or with the wide slash of an East Asian keyboard, it would be said to everybody: it is
    refused, in a line without the secret."""
    with pytest.raises(ConfigError, match="first column") as refused:
        dialogue_of(text, Sent())  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "answers", "reason"),
    [
        ("/register", [NEW, "other"] * SECRET_TRIES, "not the same"),
        ("/register", [""] * SECRET_TRIES, "nothing was typed"),
        ("/register", ["x" * 7] * SECRET_TRIES, "too short"),
        ("/register", ["x" * 257] * SECRET_TRIES, "too long"),
        ("/passwd", ["a", *[""] * SECRET_TRIES], "nothing was typed"),
        ("/recover", [""] * SECRET_TRIES, "nothing was typed"),
    ],
)
def test_what_is_not_sent(text: str, answers: list[str], reason: str) -> None:
    """It is asked for again a few times. Who still types on then types into a question that takes no answer,
    and not into the open line."""
    with pytest.raises(ConfigError, match=reason):
        play(text, *answers, "what was meant as the password")


def test_what_is_no_text_is_not_sent() -> None:
    """Half of a character."""
    with pytest.raises(ConfigError, match="not valid text"):
        play("/register", "\ud800" * 8, "\ud800" * 8)


def test_a_slip_is_asked_about_again() -> None:
    """With what was wrong, as often as it may be."""
    questions, sent = play("/register", "short", NEW, "longhouse", NEW, NEW)
    asked = "a password for ann, at least 8 characters"
    assert questions == [
        asked,
        f"that was too short: {asked}",
        "the same again",
        f"the two are not the same: {asked}",
        "the same again",
    ]
    assert sent == [f"/register {NEW}"]
    questions, sent = play("/owner", "", "A-B")
    assert questions == ["the code of the owner", "nothing was typed: the code of the owner"]
    assert sent == ["/owner A-B"]


def test_a_refusal_of_the_client() -> None:
    """What `command` raises reaches whoever drives the dialogue."""
    dialogue = dialogue_of("/register pw", Sent(error=NeedEncryption("no")))  # type: ignore[arg-type]
    assert dialogue is not None
    with pytest.raises(NeedEncryption):
        next(dialogue)
