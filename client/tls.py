"""What a user says about encryption. It does without ssl, which costs much of the start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TlsOptions:
    """That a connection is encrypted, and how the server shows that it is the right one.

    Without an option, an authority that the system knows must have signed the server's certificate.

    authorities: a file with certificates in PEM: of authorities, or the server's own
    trust:       trust the certificate that the server shows first, and from then on no other
    known:       the file that keeps their fingerprints; None: the user's, see `KnownServers`
    told:        called with HOST:PORT and the fingerprint of a certificate that is trusted from now on; None:
                 it is a line of the log
    """

    authorities: Path | None = None
    trust: bool = False
    known: Path | None = None
    told: Callable[[str, str], None] | None = field(default=None, compare=False)
