"""How the client makes sure that it talks to the right server: authorities, or trust on first use."""

from __future__ import annotations

import hashlib
import logging
import ssl

from chatroom.errors import CertificateFault, CertificateRefused, ConfigError
from client.address import address_key
from client.known_servers import KnownServers
from client.tls import TlsOptions

log = logging.getLogger(__name__)


class ServerTrust:
    """What a client wants of the certificate of its server.

    host, port: of the lobby, as the user knows it
    Raises ConfigError when a file cannot be used.
    """

    def __init__(self, options: TlsOptions, host: str, port: int) -> None:
        if options.trust and options.authorities is not None:
            raise ConfigError("either authorities or trust on first use, not both")
        self.server = address_key(host, port)
        self._host = host.partition("%")[0]  # a certificate names no interface
        self._known = KnownServers(options.known) if options.trust else None
        self._told = options.told or _log_trust
        self._context = _context(options)

    def wrap(self, came: ssl.MemoryBIO, going: ssl.MemoryBIO) -> ssl.SSLObject:
        """TLS for one connection. Raises ConfigError: the host cannot be in a certificate."""
        try:
            return self._context.wrap_bio(came, going, server_hostname=self._host)
        except (ValueError, UnicodeError):
            raise ConfigError(f"{self._host} cannot be the name of a server with TLS") from None

    def check(self, fingerprint: str) -> None:
        """With trust on first use: raises CertificateRefused when the certificate was another one before."""
        if self._known is None:
            return
        before = self._known.remember(self.server, fingerprint)
        if before is None:
            self._told(self.server, fingerprint)
        elif before != fingerprint:
            raise CertificateRefused(
                f"THE CERTIFICATE OF {self.server} HAS CHANGED: somebody may be between you and the server."
                f" It was {before}, now it is {fingerprint}. Ask whoever runs the server. Only if the new one"
                f" is right, forget the old one: chatroom-client {self.server} --tls-forget",
                CertificateFault.CHANGED,
            )

    def refusal(self, error: ssl.SSLCertVerificationError) -> CertificateRefused:
        """What the user is told when OpenSSL has refused the certificate."""
        fault = _FAULTS.get(error.verify_code, CertificateFault.OTHER)
        words = {
            CertificateFault.UNKNOWN: "is of no authority that is known here: see --tls-ca and --tls-trust",
            CertificateFault.WRONG_HOST: f"is not for {self._host}",
        }.get(fault, f"is refused: {error.verify_message}")
        return CertificateRefused(f"the certificate of {self.server} {words}", fault)


class ServerIdentity:
    """Both connections of a handshake must lead to the same server. Confined to the thread that connects."""

    def __init__(self, trust: ServerTrust) -> None:
        self.trust = trust
        self._fingerprint = ""  # of the lobby's certificate, once it is known

    def check(self, tls: ssl.SSLObject) -> None:
        """After the handshake of TLS: raises CertificateRefused when it is not the right server."""
        fingerprint = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").digest().hex(":").upper()
        if not self._fingerprint:
            self.trust.check(fingerprint)
            self._fingerprint = fingerprint
        elif self._fingerprint != fingerprint:
            text = f"{self.trust.server} sends its clients to a server with another certificate"
            raise CertificateRefused(text, CertificateFault.CHANGED)


def _log_trust(server: str, fingerprint: str) -> None:
    log.warning("trusting %s from now on; its certificate is %s", server, fingerprint)


_FAULTS = {
    # OpenSSL's X509_V_ERR_…
    **dict.fromkeys((2, 18, 19, 20, 21), CertificateFault.UNKNOWN),
    **dict.fromkeys((9, 10), CertificateFault.EXPIRED),
    **dict.fromkeys((62, 64), CertificateFault.WRONG_HOST),
}


def _context(options: TlsOptions) -> ssl.SSLContext:
    """Raises ConfigError when the file of authorities cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if options.trust:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the fingerprint says it all
    elif options.authorities is None:
        context.load_default_certs()
    else:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the server's own certificate will do
        try:
            context.load_verify_locations(options.authorities)
        except ssl.SSLError:
            raise ConfigError(f"{options.authorities} holds no certificate in PEM") from None
        except OSError as error:
            raise ConfigError(f"cannot read {options.authorities}: {error.strerror}") from None
    return context
