"""Certificates for tests, made by openssl's command: good ones, and ones that must be refused."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from server.tls_files import TlsFiles, self_made

NO_OPENSSL = "the command openssl is missing: these tests make their certificates with it"


class Certificates:
    """Makes each certificate once, when it is asked for. folder: where the files are"""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("openssl"), NO_OPENSSL
        self._folder = folder

    @property
    def good(self) -> TlsFiles:
        """For localhost, 127.0.0.1 and ::1; signed by itself."""
        return self._self_made("good")

    @property
    def other(self) -> TlsFiles:
        """The same names, another key."""
        return self._self_made("other")

    def _self_made(self, name: str) -> TlsFiles:
        return self_made(self._folder / name, "127.0.0.1")

    @property
    def elsewhere(self) -> TlsFiles:
        """For chat.example.org only."""
        files = self._files("elsewhere")
        if not files.certificate.exists():
            self._openssl(
                *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-subj", "/CN=chat.example.org", "-addext", "subjectAltName=DNS:chat.example.org"),
                *("-keyout", files.key, "-out", files.certificate),
            )
        return files

    @property
    def expired(self) -> TlsFiles:
        """The good key in a certificate that has expired."""
        files = TlsFiles(self._folder / "expired.cert.pem", self.good.key)
        if not files.certificate.exists():
            # Of no day: it ends in the second in which it begins.
            self._openssl(
                *("x509", "-in", self.good.certificate, "-signkey", files.key, "-days", "0"),
                *("-out", files.certificate),
            )
        return files

    @property
    def signed(self) -> TlsFiles:
        """For localhost and 127.0.0.1, signed by `authority`, which the file does not hold."""
        files = self._files("signed")
        if not files.certificate.exists():
            request, names = self._folder / "signed.csr", self._folder / "signed.names"
            names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
            self._openssl(
                *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-subj", "/CN=localhost", "-keyout", files.key, "-out", request),
            )
            authority = self._authority()
            self._openssl(
                *("x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key),
                *("-set_serial", "1", "-days", "30", "-extfile", names, "-out", files.certificate),
            )
        return files

    @property
    def authority(self) -> Path:
        """Signs `signed`."""
        return self._authority().certificate

    def _authority(self) -> TlsFiles:
        files = self._files("authority")
        if not files.certificate.exists():
            self._openssl(
                *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-subj", "/CN=authority", "-keyout", files.key, "-out", files.certificate),
            )
        return files

    def _files(self, name: str) -> TlsFiles:
        return TlsFiles(self._folder / f"{name}.cert.pem", self._folder / f"{name}.key.pem")

    def _openssl(self, *arguments: str | Path) -> None:
        command = ["openssl", *map(str, arguments)]
        made = subprocess.run(command, capture_output=True, text=True, timeout=30.0, check=False)
        assert made.returncode == 0, made.stderr


def client_context(
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, trusted: Path | None = None
) -> ssl.SSLContext:
    """What a client needs for TLS of just this version. trusted: a certificate; None: it checks nothing"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    if trusted is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(trusted)
    return context


def server_context(files: TlsFiles, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A server's, as Python makes it; of just this version. The chat's own is in server/certificate.py."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


VERSIONS = [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2]
