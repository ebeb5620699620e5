"""Passwords, tokens and codes: what is stored says nothing, and what comes is compared whole."""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.limits import (
    CODE_BYTES,
    MAX_PAYLOAD,
    PASSWORD_BYTES,
    PASSWORD_LEAST,
    SALT_BYTES,
    SCRYPT_BYTES,
    SCRYPT_LOG_N,
)
from chatroom.passwords import (
    DUMMY,
    channel_secret,
    check_password,
    code_secret,
    device_secret,
    hash_password,
    is_allowed,
    server_secret,
    tidy,
    write_code,
)

SALT = bytes(range(SALT_BYTES))


def test_the_hash_is_scrypt_with_its_parameters() -> None:
    """Another program can check what is stored: scrypt of the UTF-8 bytes, with what stands before it."""
    digest = hashlib.scrypt(b"correct horse", salt=SALT, n=1 << SCRYPT_LOG_N, r=8, p=1, dklen=32)
    assert hash_password("correct horse", SALT) == f"scrypt${SCRYPT_LOG_N}$8$1${SALT.hex()}${digest.hex()}"


def test_the_vector_of_the_rfc() -> None:
    """The function is that of RFC 7914, section 12 (the first 32 bytes of its third vector)."""
    digest = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    stored = f"scrypt$14$8$1${b'SodiumChloride'.hex()}${digest}"
    assert check_password("pleaseletmein", stored)
    assert not check_password("pleaseletmeiN", stored)


@pytest.mark.usefixtures("cheap_hashes")
@settings(max_examples=200)
@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_password_fits(one: str, other: str) -> None:
    """A password fits its own hash; another one does, only if it is the same one written otherwise.

    NULs at the end do not count: HMAC fills a short key with them (RFC 2104, section 2). No password has one.
    """
    stored = hash_password(one, SALT)
    assert check_password(one, stored)
    first, second = (tidy(text).encode(errors="replace").rstrip(b"\0") for text in (one, other))
    assert check_password(other, stored) == (first == second)


@pytest.mark.usefixtures("cheap_hashes")
def test_no_password_ends_with_a_nul() -> None:
    """So nobody has one that fits another's hash: see above."""
    assert check_password("secret\0", hash_password("secret", SALT))
    assert not is_allowed("long enough\0")


@pytest.mark.usefixtures("cheap_hashes")
def test_one_password_from_every_keyboard() -> None:
    """An ä in two characters, or a no-break space, is the same password; case and width are not."""
    stored = hash_password("grün ist gut", SALT)
    assert check_password("gru\u0308n\u00a0ist gut", stored)
    assert not check_password("Grün ist gut", stored)
    assert not check_password("ｇｒün ist gut", stored)


@pytest.mark.usefixtures("cheap_hashes")
def test_the_salt_makes_equal_passwords_differ() -> None:
    assert hash_password("the same", SALT) != hash_password("the same", SALT[::-1])


@pytest.mark.parametrize(
    ("password", "allowed"),
    [
        ("a" * (PASSWORD_LEAST - 1), False),
        ("a" * PASSWORD_LEAST, True),
        ("ä" * (PASSWORD_LEAST // 2), True),
        ("a" * PASSWORD_BYTES, True),
        ("a" * (PASSWORD_BYTES + 1), False),
        ("ä" * (PASSWORD_BYTES // 2 + 1), False),
        ("with spaces at both ends ", True),
        ("a tab\tin it", False),
        ("a line\nend", False),
        ("a nul\0byte", False),
        ("half a pair \ud800", False),
        ("ひらがなで", True),
    ],
)
def test_which_passwords_are_allowed(password: str, allowed: bool) -> None:
    """Lengths are in bytes of UTF-8; control characters are refused, because not each keyboard has them."""
    assert is_allowed(password) is allowed


@pytest.mark.usefixtures("cheap_hashes")
def test_a_text_that_is_no_password_costs_nothing() -> None:
    """Thousands of marks, which would have to be put in order: no other thread would go on meanwhile."""
    marks = "\u0301" * 15_000 + "\u0323" * 15_000
    stored, began = hash_password("correct horse", SALT), time.thread_time()
    assert not is_allowed(marks) and not check_password(marks, stored)
    assert time.thread_time() - began < 0.5


def test_the_longest_password_may_be_typed_in_pieces() -> None:
    """Each of its letters may come as a letter and its marks: Greek letters of four characters."""
    typed = "\u03b1\u0313\u0300\u0345" * (PASSWORD_BYTES // 3)
    assert len(tidy(typed)) == PASSWORD_BYTES // 3 and is_allowed(typed)


@given(st.text())
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "scrypt",
        "scrypt$14$8$1$00",
        f"scrypt$14$8$1${SALT.hex()}$00",
        f"scrypt$14$8$1$0${'00' * 32}",
        f"scrypt$0$8$1${SALT.hex()}${'00' * 32}",
        f"scrypt$14$0$1${SALT.hex()}${'00' * 32}",
        f"scrypt$14$8$0${SALT.hex()}${'00' * 32}",
        f"scrypt$14$8$999${SALT.hex()}${'00' * 32}",
        f"scrypt$30$8$1${SALT.hex()}${'00' * 32}",
        f"scrypt$99$999$1${SALT.hex()}${'00' * 32}",
        f"bcrypt$14$8$1${SALT.hex()}${'00' * 32}",
        f" scrypt$14$8$1${SALT.hex()}${'00' * 32}",
        f"scrypt$14$8$1${SALT.hex()}${'00' * 32}\n",
    ],
)
def test_a_damaged_hash_fits_no_password(stored: str) -> None:
    """Neither does a hash that would need too much memory or time: a file cannot stop the server."""
    began = time.thread_time()
    assert not check_password("password", stored)
    assert time.thread_time() - began < 0.02


@given(st.text(max_size=60))
def test_whatever_is_stored_raises_nothing(stored: str) -> None:
    assert not check_password("password", stored)


def test_the_dummy_costs_what_a_hash_costs() -> None:
    """It has the parameters of a new hash, so that comparing takes as long, and fits no password."""
    real = hash_password("correct horse", SALT)
    assert DUMMY.split("$")[:4] == real.split("$")[:4] and len(DUMMY) == len(real)
    assert not check_password("correct horse", DUMMY)


def test_the_memory_is_bounded() -> None:
    """The parameters of a new hash are far below what is refused."""
    assert 128 * 8 * (1 << SCRYPT_LOG_N) == 16 * 2**20 < SCRYPT_BYTES / 4


def test_two_passwords_fit_into_a_command() -> None:
    """/passwd OLD NEW with the longest passwords, percent-encoded, is one payload."""
    assert len("/passwd ") + 2 * 3 * PASSWORD_BYTES + 200 < MAX_PAYLOAD


@given(st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES))
def test_a_code_is_read_as_it_is_typed(random: bytes) -> None:
    """Case, dashes, spaces and digits that look like letters do not count."""
    code = write_code(random)
    assert len(code) == len("XXXX-XXXX-XXXX-XXXX") and set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-")
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), code.translate(_MISREAD)):
        assert code_secret(typed) == code_secret(code)


_MISREAD = str.maketrans("OIB", "018")


@given(
    st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES), st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES)
)
def test_each_code_has_its_own_secret(one: bytes, other: bytes) -> None:
    assert (code_secret(write_code(one)) == code_secret(write_code(other))) == (one == other)


@given(st.text())
def test_whatever_is_typed_as_a_code_has_a_secret(text: str) -> None:
    assert len(code_secret(text)) == 64


def test_the_secrets_do_not_show_what_they_are_of() -> None:
    """What is stored of a token is a hash; a token and a code with the same bytes have other ones."""
    token = bytes(range(32))
    assert token.hex() not in device_secret(token) and len(device_secret(token)) == 64
    assert device_secret(token) != hashlib.blake2b(token, digest_size=32).hexdigest()


def test_what_is_stored_of_the_servers_password() -> None:
    """Another text than of a channel's key, so that none tells that both are the same word."""
    assert len(server_secret("sesame")) == 64
    assert server_secret("sesame") != channel_secret("sesame") and "sesame" not in server_secret("sesame")
    assert server_secret("e\u0301") == server_secret("\u00e9") and server_secret("\ud800")


def test_what_is_stored_of_a_channels_key() -> None:
    """Case counts; how a character is made does not; a one-time code or token has another secret."""
    assert channel_secret("café") == channel_secret("cafe\u0301") != channel_secret("Café")
    assert channel_secret("\ud800") and channel_secret("key") != device_secret(b"key")
    assert "sesame" not in channel_secret("sesame")
