"""The files for TLS: those that the operator names, or those that openssl's command makes here."""

from __future__ import annotations

import os
import re
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from chatroom.errors import ConfigError
from server.limits import CERTIFICATE_DAYS, OPENSSL_SECONDS


class TlsFiles(NamedTuple):
    """Files in PEM, perhaps one file. certificate: the server's own, then those of authorities in between"""

    certificate: Path
    key: Path


_CONFIG = """\
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = chatroom
[extensions]
subjectAltName = {names}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
"""
"""For openssl, instead of the system's. The certificate is for this server only: it vouches for no other."""


def files_beside(data: Path) -> TlsFiles:
    """Where certificate and key of the history `data` are, if --tls-self has made them."""
    return TlsFiles(data.with_name(data.name + ".cert.pem"), data.with_name(data.name + ".key.pem"))


def self_made(data: Path, host: str) -> TlsFiles:
    """The certificate and key beside the history `data`; they are made if they are not there yet.

    host: where the server listens; clients may connect by this name, too
    Raises ConfigError: openssl's command is missing, or the folder cannot be written.
    """
    files = files_beside(data)
    if not files.certificate.exists():
        import tempfile  # slow to import, and needed once

        try:
            data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The folder is for this user alone: nobody else sees the key while it is made.
            with tempfile.TemporaryDirectory(prefix=".tls-", dir=data.parent) as folder:
                _make(Path(folder), files, ",".join(_names(host)))
        except OSError as error:
            raise ConfigError(f"cannot make {files.certificate}: {error.strerror}") from None
    return files


def _names(host: str) -> list[str]:
    """What clients may call this server."""
    names = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]
    for name in (socket.gethostname(), host):
        try:
            address = ip_address(name.partition("%")[0])
        except ValueError:
            if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", name):
                names.append(f"DNS:{name}")
        else:
            if not address.is_unspecified:  # that means every address
                names.append(f"IP:{address}")
    return list(dict.fromkeys(names))


def _make(folder: Path, files: TlsFiles, names: str) -> None:
    """Make both in `folder`, then give them their names. Raises ConfigError, OSError."""
    import subprocess

    certificate, key, config = folder / "cert.pem", folder / "key.pem", folder / "openssl.cnf"
    config.write_text(_CONFIG.format(names=names))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-sha256", "-days", str(CERTIFICATE_DAYS), "-config", str(config)]
    command += ["-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=OPENSSL_SECONDS,
            umask=0o077,
        )
    except FileNotFoundError:
        raise ConfigError(
            "--tls-self needs the command openssl: install it, or give --tls-cert and --tls-key"
        ) from None
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        raise ConfigError(f"openssl cannot make a certificate: {said[-1] if said else error}") from None
    key.chmod(0o600)
    certificate.chmod(0o644)  # everybody may have it
    for made, name in ((key, files.key), (certificate, files.certificate)):  # the certificate last: it counts
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(name)
