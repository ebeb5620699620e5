"""server/reloading.py"""

from __future__ import annotations

import dataclasses
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from chatroom.errors import ConfigError, HistoryFull
from chatroom.event_log import NOTICE
from chatroom.history import MemoryHistory
from chatroom.packets import Info, Say
from server.app import App
from server.config import Config
from server.quotas import Quotas
from server.reloading import NEED_A_RESTART
from server.tls_files import TlsFiles, files_beside
from tests.server.test_app import CONFIG
from tests.support.certificates import Certificates, client_context
from tests.support.patience import eventually
from tests.support.peer import Peer


class Host:
    """A server whose configuration changes between two reloads. level: of the log, after the latest"""

    def __init__(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.folder = folder
        self._caplog = caplog
        self.config = dataclasses.replace(CONFIG, reread=self._reread)
        self.error: ConfigError | None = None
        self.app: App | None = None

    def start(self, **changes: Any) -> App:
        self.config = dataclasses.replace(self.config, **changes)
        self.app = App(self.config, MemoryHistory())
        self.app.start()
        return self.app

    def _reread(self) -> Config:
        if self.error is not None:
            raise self.error
        return self.config

    def reload(self, **changes: Any) -> list[str]:
        """Reload with these changes; what the log says."""
        assert self.app is not None
        self.config = dataclasses.replace(self.config, **changes)
        self._caplog.clear()
        with self._caplog.at_level(NOTICE):
            self.app._reloader.reload()
            self.level = logging.getLogger().level
        return self._caplog.messages

    def write(self, text: str) -> Path:
        path = self.folder / "motd"
        path.write_text(text)
        return path


@pytest.fixture
def host(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Host]:
    host = Host(tmp_path, caplog)
    root, level = logging.getLogger(), logging.getLogger().level
    yield host
    root.setLevel(level)
    if host.app is not None:
        host.app.close()


def motd_for(app: App, name: str) -> str:
    """The message of the day that a newcomer gets; the server tells nobody anything else unasked."""
    with Peer.come_in(app.address, name) as peer:
        return str(peer.receive_until(lambda packet: isinstance(packet, Info)).words)


def limits(app: App) -> dict[str, int]:
    return app.chatroom._forwarder.look(lambda state: state.set_limits).result()


def test_nothing_new(host: Host) -> None:
    """Then it says that."""
    host.start()
    assert host.reload() == ["= reloaded: nothing new; a restart is needed for: nothing"]


def test_a_new_message_of_the_day(host: Host) -> None:
    """Who comes in from then on reads the new one; a bad one keeps the old."""
    app = host.start(motd=host.write("first"))
    assert motd_for(app, "ann") == "first"
    host.write("second")
    assert host.reload() == ["= reloaded: motd; a restart is needed for: nothing"]
    assert motd_for(app, "bob") == "second"
    host.write("x" * 10_000)
    first, second = host.reload()
    assert first.startswith("= not reloaded, the old one stays: the message of the day ")
    assert second == "= reloaded: nothing new; a restart is needed for: nothing"
    assert motd_for(app, "eve") == "second"


def test_limits_and_quotas(host: Host) -> None:
    """They count at once, and the log names the options."""
    app = host.start(limits={"edit": 1000, "hold": 5000})
    assert limits(app)["edit"] == 1000
    said = host.reload(
        limits={"edit": 2000, "hold": 5000}, quotas=Quotas(members=9, address_rate=7), rate=3.0
    )
    assert said == [
        "= reloaded: edit-for, max-members, address-rate, rate (of who comes from now on);"
        " a restart is needed for: nothing"
    ]
    assert (limits(app)["edit"], limits(app)["hold"]) == (2000, 5000)


def test_fewer_members_than_there_are(host: Host) -> None:
    """Who is in stays in; the next one is refused."""
    app = host.start()
    with Peer.enter(app.address, "ann") as ann, Peer.enter(app.address, "bob"):
        host.reload(quotas=Quotas(members=1))
        with Peer.connect(app.address) as late:
            assert "full" in late.ask("eve").reason
        ann.send(Say(1, "#general", "still here"))
        assert ann.said(1)


def test_what_cannot_be(host: Host) -> None:
    """More members than the system has descriptors for: the old number stays, and the rest is taken."""
    app = host.start()
    first, second = host.reload(quotas=Quotas(members=10**6), limits={"hold": 7000})
    assert "1000000 members need more than" in first
    assert second == "= reloaded: hold; a restart is needed for: nothing"
    assert limits(app)["hold"] == 7000


def test_a_bad_configuration(host: Host) -> None:
    """The old one stays; the other files are read all the same."""
    app = host.start(motd=host.write("first"))
    host.error = ConfigError("x.toml: prot: there is no such option")
    host.write("second")
    assert host.reload(limits={"hold": 1}) == [
        "= not reloaded, the old one stays: x.toml: prot: there is no such option",
        "= reloaded: motd; a restart is needed for: nothing",
    ]
    assert limits(app)["hold"] != 1


@pytest.mark.parametrize(("field", "option"), NEED_A_RESTART.items())
def test_what_needs_a_restart(host: Host, field: str, option: str) -> None:
    """It is named, each time."""
    host.start()
    for _ in range(2):
        assert host.reload(**{field: "other"}) == [
            f"= reloaded: nothing new; a restart is needed for: {option}"
        ]


def test_tls_needs_a_restart(host: Host) -> None:
    """A server without encryption does not begin with it."""
    host.start()
    assert host.reload(tls="self") == ["= reloaded: nothing new; a restart is needed for: tls"]


def test_a_new_certificate(host: Host, certificates: Certificates) -> None:
    """New connections see it; who is in stays in. Bad files keep the old one."""
    app = host.start(tls=certificates.good)
    with Peer.enter(app.address, "ann", tls=client_context(trusted=certificates.good.certificate)) as ann:
        fingerprint, said = host.reload(tls=certificates.other)
        assert fingerprint.startswith("= the SHA-256 fingerprint of the certificate is ")
        assert said == "= reloaded: certificate; a restart is needed for: nothing"
        with Peer.enter(app.address, "bob", tls=client_context(trusted=certificates.other.certificate)):
            assert ann.receive() is not None
        missing = TlsFiles(Path("/nowhere"), Path("/nowhere"))
        first, _ = host.reload(tls=missing)
        assert first.startswith("= not reloaded, the old one stays: cannot read the certificate /nowhere: ")
        with Peer.enter(app.address, "eve", tls=client_context(trusted=certificates.other.certificate)):
            pass


def test_what_nobody_expects(host: Host, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system or OpenSSL refuses keeps the old one, too: the server goes on."""
    app = host.start(tls=certificates.good)
    monkeypatch.setattr(
        ssl.SSLContext, "load_cert_chain", mock.Mock(side_effect=OSError(24, "Too many open files"))
    )
    first, second = host.reload(limits={"hold": 7000})
    assert first.startswith("= not reloaded, the old one stays: ") and "Too many open files" in first
    assert second == "= reloaded: hold; a restart is needed for: nothing"
    monkeypatch.undo()
    with Peer.enter(app.address, "ann", tls=client_context(trusted=certificates.good.certificate)):
        pass


def test_a_certificate_between_two_connections(host: Host, certificates: Certificates) -> None:
    """A newcomer who knows the old one finds it at its admission port, too."""
    app = host.start(tls=certificates.good)
    old = client_context(trusted=certificates.good.certificate)
    with Peer.connect(app.address, tls=old) as lobby:
        lobby.ask("ann")
        offer = lobby.take_port()
        host.reload(tls=certificates.other)
        with Peer.connect(app.address, offer.number, tls=old) as member:
            member.admit("ann", offer.ticket)


def test_a_bad_message_at_the_start(host: Host) -> None:
    """The server does not start, and leaves nothing open."""
    with pytest.raises(ConfigError, match="cannot read the message of the day"):
        host.start(motd=Path("/nowhere"))
    host.app = None


def test_the_log_level(host: Host) -> None:
    """With verbose, every join is in the log."""
    host.start()
    assert host.reload(verbose=True)[-1] == "= reloaded: verbose; a restart is needed for: nothing"
    assert host.level == logging.INFO


class Full(MemoryHistory):
    """Takes nothing while it is full."""

    full = False

    def append(self, *arguments: Any, **more: Any) -> None:
        if self.full:
            raise HistoryFull("no space")
        super().append(*arguments, **more)


def test_a_full_disk(host: Host, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits wait for it; the main thread does not."""
    monkeypatch.setattr("server.reloading.LIMIT_SECONDS", 0.05)
    history = Full()
    host.app = App(host.config, history)
    host.app.start()
    history.full = True
    said = host.reload(limits={"hold": 7000})
    assert "the limits wait until the history can be written" in said
    history.full = False
    assert limits(host.app)["hold"] == 7000


def test_a_disk_that_is_full_already(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits wait behind what cannot be stored, as the log says."""
    monkeypatch.setattr("server.reloading.LIMIT_SECONDS", 0.05)
    history = Full()
    app = host.app = App(host.config, history)
    app.start()
    with Peer.enter(app.address, "ann") as ann:
        history.full = True
        ann.send(Say(1, "#general", "x"))
        eventually(lambda: app.chatroom.figures.read().holding, "it waits for the disk")
        assert "the limits wait until the history can be written" in host.reload(limits={"hold": 7000})
        history.full = False
        assert limits(app)["hold"] == 7000


def test_a_queue_without_room(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that could not even be proposed are no lie in the log, and the next reload takes them."""
    host.start()
    assert host.app is not None
    with monkeypatch.context() as patch:
        patch.setattr(host.app.chatroom._order, "put", mock.Mock(side_effect=TimeoutError("no room")))
        first, second = host.reload(limits={"hold": 7000})
    assert first.startswith("= not reloaded, the old one stays: ")
    assert second == "= reloaded: nothing new; a restart is needed for: nothing"
    assert host.reload()[-1] == "= reloaded: hold; a restart is needed for: nothing"
    assert limits(host.app)["hold"] == 7000


def test_another_history_needs_a_restart_for_its_certificate(
    host: Host, certificates: Certificates, tmp_path: Path
) -> None:
    """The certificate beside the history that counts from the next start on is not made, nor taken."""
    for name, made in (("one.db", certificates.good), ("two.db", certificates.other)):
        found = files_beside(tmp_path / name)
        found.certificate.write_bytes(made.certificate.read_bytes())
        found.key.write_bytes(made.key.read_bytes())
    app = host.start(data=str(tmp_path / "one.db"), tls="self")
    assert host.reload(data=str(tmp_path / "two.db"))[-1].endswith("a restart is needed for: data")
    with Peer.enter(app.address, "ann", tls=client_context(trusted=certificates.good.certificate)):
        pass
