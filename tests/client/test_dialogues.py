"""client/dialogues.py"""

from __future__ import annotations

import pytest

from chatroom.errors import ConfigError, NeedEncryption
from client.dialogues import dialogue_of


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
            assert question.endswith(" (not shown, Ctrl-C cancels):")
            questions.append(question.removesuffix(" (not shown, Ctrl-C cancels):"))
            assert left, questions
            question = dialogue.send(left.pop(0))
    except StopIteration:
        assert not left
    return questions, talker.sent


@pytest.mark.parametrize(
    ("text", "answers", "questions", "sent"),
    [
        ("/register", ["p w", "p w"], ["a password for ann", "the same again"], "/register p%20w"),
        ("/Register p w", [], [], "/register p%20w"),
        ("/unregister", ["pw"], ["the password of ann"], "/unregister pw"),
        ("/unregister pw", [], [], "/unregister pw"),
        (
            "/passwd",
            ["a", "b", "b"],
            ["the present password of ann", "the new password", "the same again"],
            "/passwd a b",
        ),
        ("/passwd a", ["b", "b"], ["the new password", "the same again"], "/passwd a b"),
        ("/passwd a b c", [], [], "/passwd a b%20c"),
        (
            "/recover dora",
            ["A-B", "n", "n"],
            ["the code for dora", "a new password for dora", "the same again"],
            "/recover dora A-B n",
        ),
        (
            "/recover",
            ["A-B", "n", "n"],
            ["the code for ann", "a new password for ann", "the same again"],
            "/recover ann A-B n",
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
    ("answers", "reason"), [(["a b"], "one word"), ([" a"], "one word"), (["a", "b"], "not the same")]
)
def test_a_key_that_is_not_sent(answers: list[str], reason: str) -> None:
    """The server would take blanks for something else, and nobody sees a slip."""
    with pytest.raises(ConfigError, match=reason):
        play("/set * key", *answers)


@pytest.mark.parametrize(
    "text", ["/set", "/set *", "/set key off", "/set * key word", "/set * key a b", "/set moderated"]
)
def test_other_settings_have_no_dialogue(text: str) -> None:
    """They are sent as they are."""
    assert dialogue_of(text, Sent(), "#tea") is None  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["hello", "", " ", "/who", "//register x", "/quit", "register x"])
def test_other_lines_have_no_dialogue(text: str) -> None:
    """They are said, or sent as they are."""
    assert dialogue_of(text, Sent()) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", [" /register secret", "\t/login", "\n/passwd a b", "／register secret", "／ＬＯＧＩＮ"]
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
        ("/register", ["a", "b"], "not the same"),
        ("/register", [""], "nothing was typed"),
        ("/passwd", ["a", ""], "nothing was typed"),
        ("/recover", [""], "nothing was typed"),
        ("/register", ["\ud800", "\ud800"], "not valid text"),
    ],
)
def test_what_is_not_sent(text: str, answers: list[str], reason: str) -> None:
    """Two answers that differ, an empty one, or one that is no text."""
    with pytest.raises(ConfigError, match=reason):
        play(text, *answers)


def test_a_refusal_of_the_client() -> None:
    """What `command` raises reaches whoever drives the dialogue."""
    dialogue = dialogue_of("/register pw", Sent(error=NeedEncryption("no")))  # type: ignore[arg-type]
    assert dialogue is not None
    with pytest.raises(NeedEncryption):
        next(dialogue)
