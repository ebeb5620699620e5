"""The server's certificate: read, and looked at as clients will, before anybody connects."""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from pathlib import Path
from typing import Final

from chatroom.errors import ConfigError
from chatroom.event_log import EventLog
from server.limits import EXPIRY_WARNING_DAYS, KEY_AGREEMENT, KEY_AGREEMENT_BEFORE
from server.tls_files import TlsFiles

log = EventLog(__name__)


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """What TLS needs of the server. Says the certificate's fingerprint, and whether clients will refuse it.

    Raises ConfigError when the files cannot be used.
    """
    first = _first_certificate(files.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # A ticket lets a client resume. Here each connection lasts, and keys that live longer only weaken it.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    _choose_group(context)
    try:
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except ssl.SSLError as error:
        raise ConfigError(_why_not(files, error)) from None
    except OSError as error:
        raise ConfigError(f"cannot read the key {files.key}: {error.strerror}") from None
    log.notice(
        "certificate",
        "= the SHA-256 fingerprint of the certificate is %(fingerprint)s",
        fingerprint=fingerprint(first),
    )
    _warn_of_dates(context, first, files.certificate)
    return context


def _choose_group(context: ssl.SSLContext) -> None:
    """Let keys be agreed on in one group only.

    OpenSSL would also agree on keys by large prime numbers: with ffdhe8192 each first message of a stranger,
    who computes nothing, costs 120 ms of processor time (CVE-2002-20001). Python can set one group only, and
    Python 3.11.2, which Debian 12 has, does not know the best one.
    """
    try:
        context.set_ecdh_curve(KEY_AGREEMENT)
    except ssl.SSLError:
        context.set_ecdh_curve(KEY_AGREEMENT_BEFORE)


def fingerprint(certificate: str) -> str:
    """SHA-256 of a certificate in PEM, as `openssl x509 -fingerprint -sha256` writes it: AB:CD:…"""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest().hex(":").upper()


_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


def _first_certificate(path: Path) -> str:
    """The server's own certificate, in PEM. Raises ConfigError."""
    try:
        found = _CERTIFICATE.search(path.read_text("ascii", "replace"))
    except OSError as error:
        raise ConfigError(f"cannot read the certificate {path}: {error.strerror}") from None
    if found is None:
        raise ConfigError(f"{path} holds no certificate in PEM")
    return found[0]


def _why_not(files: TlsFiles, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the certificate {files.certificate} and the key {files.key} do not belong together"
    try:
        key = files.key.read_text("ascii", "replace")
    except OSError as unreadable:
        return f"cannot read the key {files.key}: {unreadable.strerror}"
    if "PRIVATE KEY-----" not in key:
        return f"{files.key} holds no private key in PEM"
    if "ENCRYPTED" in key:
        return f"the key {files.key} has a password; the server needs one without"
    reason = (error.reason or "they are damaged").lower().replace("_", " ")
    return f"the certificate {files.certificate} and the key {files.key} cannot be used: {reason}"


# --- what clients will think of it ----------------------------------------------------------------------

_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


def _warn_of_dates(context: ssl.SSLContext, certificate: str, path: Path) -> None:
    """Let a client in memory look at the certificate: Python has no other way to read its dates."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    try:
        client.load_verify_locations(cadata=certificate)
        seen = _shown(context, client)
    except ssl.SSLError as error:
        log.warning(
            "certificate_doubtful",
            "= clients may refuse the certificate %(file)s: %(error)s",
            file=path,
            error=error,
        )
        return
    begin, end = (ssl.cert_time_to_seconds(str(seen[name])) for name in ("notBefore", "notAfter"))
    now = time.time()
    if end <= now:
        log.warning(
            "certificate_expired",
            "= the certificate %(file)s has expired: clients refuse it since %(end)s",
            file=path,
            end=seen["notAfter"],
        )
    elif begin > now:
        log.warning(
            "certificate_early",
            "= the certificate %(file)s is not valid before %(begin)s: is the clock right?",
            file=path,
            begin=seen["notBefore"],
        )
    elif end <= now + EXPIRY_WARNING_DAYS * 86400:
        log.warning(
            "certificate_expires",
            "= the certificate %(file)s expires soon: clients refuse it from %(end)s on",
            file=path,
            end=seen["notAfter"],
        )


def _shown(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, object]:
    """The certificate that a client sees. Raises SSLError when it refuses it."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)]
    while True:
        try:
            ends[0].do_handshake()
        except ssl.SSLWantReadError:
            pass
        else:
            if not ends[0].server_side:
                return dict(ends[0].getpeercert() or {})
        ends.reverse()
