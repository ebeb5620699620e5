"""Passwords, device tokens and one-time codes: what is stored of them, and how they are compared with it.

A person chooses a password, so it can be guessed, and its hash must be slow to compute (scrypt, RFC 7914).
Tokens and codes are random, so a plain hash is enough. These functions have no random number and no lock:
salts and tokens are given, and `HashPool` says when a thread may hash a password.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from base64 import b32encode
from typing import Final, NamedTuple

from chatroom.limits import (
    CODE_BYTES,
    HASH_BYTES,
    PASSWORD_BYTES,
    PASSWORD_LEAST,
    PASSWORD_TYPED,
    SALT_BYTES,
    SCRYPT_BYTES,
    SCRYPT_LOG_N,
    SCRYPT_P,
    SCRYPT_R,
)

_KIND = "scrypt"
_STORED = re.compile(r"scrypt\$([0-9]{1,2})\$([0-9]{1,3})\$([0-9]{1,3})\$([0-9a-f]+)\$([0-9a-f]+)")
_GROUP = 4  # characters of a code between two dashes
# What persons read and type instead of a letter of base32, which has no 0, 1 and 8 (RFC 4648, section 6).
_TYPED = str.maketrans({"0": "O", "1": "I", "8": "B", "-": None})


# --- passwords --------------------------------------------------------------------------------------------


def tidy(password: str) -> str:
    """The password as it is hashed: one form for each character, however a keyboard makes it.

    The profile OpaqueString of RFC 8265: every space is the ASCII space, then NFC. Case and width count.
    A text that is longer than any password is left as it is: to order its marks could take seconds, in which
    no other thread goes on.
    """
    if len(password) > PASSWORD_TYPED:
        return password
    spaced = "".join(" " if unicodedata.category(one) == "Zs" else one for one in password)
    return unicodedata.normalize("NFC", spaced)


def is_allowed(password: str) -> bool:
    """Whether somebody may choose this password: its length, and no control characters."""
    text = tidy(password)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    controls = any(unicodedata.category(one) == "Cc" for one in text)
    return PASSWORD_LEAST <= size <= PASSWORD_BYTES and not controls


def hash_password(password: str, salt: bytes) -> str:
    """What is stored of a password: the way of hashing, its parameters, the salt and the hash.

    salt: SALT_BYTES random bytes, new for each password
    """
    parameters = _Parameters(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, salt, b"")
    return parameters._replace(hash=parameters.of(password)).text()


def check_password(password: str, stored: str) -> bool:
    """Whether the password has this hash. The time depends on the parameters, not on the answer.

    What cannot be read, or would need more than SCRYPT_BYTES, is the hash of no password.
    """
    parameters = _parameters(stored)
    if parameters is None:
        return False
    return hmac.compare_digest(parameters.of(password), parameters.hash)


class _Parameters(NamedTuple):
    log_n: int
    r: int
    p: int
    salt: bytes
    hash: bytes

    @property
    def memory(self) -> int:
        """Bytes that scrypt needs (RFC 7914, section 2)."""
        return 128 * self.r * ((1 << self.log_n) + self.p + 2)

    def of(self, password: str) -> bytes:
        """The hash of a password with these parameters."""
        data, n = tidy(password).encode(errors="replace"), 1 << self.log_n
        return hashlib.scrypt(
            data, salt=self.salt, n=n, r=self.r, p=self.p, maxmem=SCRYPT_BYTES, dklen=HASH_BYTES
        )

    def text(self) -> str:
        return f"{_KIND}${self.log_n}${self.r}${self.p}${self.salt.hex()}${self.hash.hex()}"


def _parameters(stored: str) -> _Parameters | None:
    match = _STORED.fullmatch(stored)
    if match is None or len(match[4]) % 2 or len(match[5]) != 2 * HASH_BYTES:
        return None
    salt, digest = bytes.fromhex(match[4]), bytes.fromhex(match[5])
    found = _Parameters(int(match[1]), int(match[2]), int(match[3]), salt, digest)
    usable = found.log_n >= 1 and found.r >= 1 and 1 <= found.p <= _MOST_PARTS
    return found if usable and found.memory <= SCRYPT_BYTES else None


_MOST_PARTS = 16  # each part takes the time of one; scrypt allows many millions

DUMMY: Final = _Parameters(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, bytes(SALT_BYTES), bytes(HASH_BYTES)).text()
"""A hash that no password has. A password for an account that does not exist is compared with it: so the
answer takes as long as for one that does, and nobody learns by the time which accounts there are."""


# --- what is random ---------------------------------------------------------------------------------------


def device_secret(token: bytes) -> str:
    """What is stored of a device token."""
    return hashlib.blake2b(token, digest_size=HASH_BYTES, person=b"chatroom device").hexdigest()


def write_code(random: bytes) -> str:
    """A one-time code as a person reads it: XXXX-XXXX-XXXX-XXXX. random: CODE_BYTES random bytes."""
    assert len(random) == CODE_BYTES, len(random)
    letters = b32encode(random).decode()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def code_secret(code: str) -> str:
    """What is stored of a one-time code, however it is typed: case, spaces, dashes, 0 for O do not count."""
    letters = "".join(code.split()).upper().translate(_TYPED)
    return hashlib.sha256(letters.encode(errors="replace")).hexdigest()


def server_secret(password: str) -> str:
    """What is stored of the server's password: a word that many know, as a channel's key."""
    data = tidy(password).encode(errors="replace")
    return hashlib.blake2b(data, digest_size=HASH_BYTES, person=b"chatroom server").hexdigest()


def channel_secret(key: str) -> str:
    """What is stored of a channel's key: a word that many know. Who reads the file might guess it, but it is
    not there to be read by chance."""
    data = tidy(key).encode(errors="replace")
    return hashlib.blake2b(data, digest_size=HASH_BYTES, person=b"chatroom channel").hexdigest()
