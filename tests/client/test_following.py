"""client/following.py"""

from __future__ import annotations

import pytest

from chatroom.errors import BadKey, BadPassword, NameRefused, NameTaken, NeedEncryption, NeedLogin
from chatroom.packets import Credential
from client.account import Account
from client.attempt import Attempt
from client.following import Following
from tests.client.test_account import Drawer

NEED, WRONG, TAKEN = NeedLogin("dora is owned"), BadPassword("wrong"), NameTaken("dora is in use")


class User:
    """Answers as the test says, and notes the reasons."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.reasons: list[str] = []

    def __call__(self, reason: str) -> str | None:
        self.reasons.append(reason)
        return self.answers.pop(0) if self.answers else None


def secret(attempt: Attempt) -> bytes:
    return attempt.rows[0][1]


def test_nothing_to_try() -> None:
    """Without proofs and without a user the refusal stands."""
    for refused in (NEED, WRONG, TAKEN):
        with pytest.raises(NameRefused) as raised:
            Following(Account(), "dora")(refused)
        assert raised.value is refused


def test_kept_tokens_are_tried_in_silence() -> None:
    """When none is right, the user is told that a login is needed, not that something was wrong."""
    following = Following(Account(tokens=Drawer(b"a", b"b")), "dora")
    assert secret(following(NEED)) == b"a"
    assert secret(following(WRONG)) == b"b"
    with pytest.raises(NeedLogin) as raised:
        following(WRONG)
    assert raised.value is NEED


def test_an_operator_needs_no_password_of_the_server() -> None:
    """What is kept of the account is tried; when nothing is right, the server's password is missing."""
    closed, user = BadKey("it has a password"), User("typed")
    following = Following(Account(tokens=Drawer(b"a", b"b")), "dora", user, user)
    assert secret(following(closed)) == b"a"
    assert secret(following(WRONG)) == b"b"
    for refused in (WRONG, closed):
        with pytest.raises(BadKey) as raised:
            following(refused)
            following(refused)
        assert raised.value is closed
        following = Following(Account(), "dora", user, user)
    assert user.reasons == []


def test_the_user_is_asked_for_the_password() -> None:
    """First because it is needed, then because it was wrong, until the user gives up."""
    user = User("first", "second")
    following = Following(Account(tokens=Drawer(b"a")), "dora", ask_password=user)
    assert following(NEED).by_device
    attempt = following(WRONG)
    assert (attempt.name, attempt.rows) == ("dora", ((Credential.PASSWORD, b"first"),))
    assert secret(following(WRONG)) == b"second"
    with pytest.raises(BadPassword):
        following(WRONG)
    assert user.reasons == ["dora is owned", "wrong", "wrong"]


def test_who_has_no_password_may_have_another_name() -> None:
    """A user who gives up on the password is asked for a name; that name is asked for without a proof."""
    following = Following(Account(tokens=Drawer(b"a")), "dora", User(None), User("carol", "emil"))
    assert following(NEED).by_device
    assert repr(following(WRONG)) == "<Attempt 'carol'>"
    assert repr(following(TAKEN)) == "<Attempt 'emil'>"
    attempt = following(NEED)
    assert (attempt.name, secret(attempt)) == ("emil", b"a")


def test_a_wrong_password_of_the_program_is_not_sent_again() -> None:
    """It was the first attempt; nothing else is tried behind it."""
    with pytest.raises(BadPassword):
        Following(Account("secret", tokens=Drawer(b"a")), "dora")(WRONG)


def test_the_programs_password_is_tried_when_it_comes_back() -> None:
    """A bot whose session is forgotten logs in again by its password."""
    following = Following(Account("secret"), "dora")
    assert secret(following(NEED)) == b"secret"
    with pytest.raises(NeedLogin):
        following(WRONG)


def test_a_broken_file_of_tokens_is_told_with_the_refusal() -> None:
    """The user learns why the password is needed although it was kept."""
    drawer = Drawer()
    drawer.broken = True
    with pytest.raises(NeedLogin, match="dora is owned; the file is damaged"):
        Following(Account(tokens=drawer), "dora")(NEED)


def test_without_encryption_no_password_is_asked_for() -> None:
    """It could not be sent. Another name helps."""
    user = User("secret")
    refused = NeedEncryption("not encrypted")
    with pytest.raises(NeedEncryption):
        Following(Account(tokens=Drawer(b"a")), "dora", user)(refused)
    assert Following(Account(), "dora", user, User("emil"))(refused).name == "emil"
    assert user.reasons == []


def test_given_proofs_are_all_that_is_tried() -> None:
    """A login tries what it was given, whatever the server asks for."""
    rest = iter([Attempt("dora", device=b"b")])
    following = Following(Account("secret", tokens=Drawer(b"a")), "dora", proofs=(NEED, rest))
    assert secret(following(WRONG)) == b"b"
    for refused in (WRONG, TAKEN):
        with pytest.raises(NameRefused):
            following(refused)
    with pytest.raises(NeedLogin):
        Following(Account("secret"), "dora", proofs=(None, iter(())))(NEED)
