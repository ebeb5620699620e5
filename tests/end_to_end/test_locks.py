"""No thread holds two locks, but for one pair in one order: so no two threads wait for each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WATCH = r'''
"""Every lock of ours notes which others its holder holds."""
import sys, threading

ROOT, plain, mine, nested, made = sys.argv[1], threading.Lock, threading.local(), set(), set()


class Watched:
    def __init__(self):
        code = sys._getframe(1).f_code
        self.lock, self.place = plain(), f"{code.co_filename.removeprefix(ROOT)} {code.co_name}"
        self.ours = code.co_filename.startswith((f"{ROOT}/chatroom/", f"{ROOT}/server/", f"{ROOT}/client/"))
        if self.ours:
            made.add(self.place)

    def acquire(self, *arguments, **options):
        got = self.lock.acquire(*arguments, **options)
        if got and self.ours:
            held = mine.__dict__.setdefault("held", [])
            nested.update((one.place, self.place) for one in held)
            held.append(self)
        return got

    def release(self):
        if self.ours:
            mine.held.remove(self)
        self.lock.release()

    def locked(self):
        return self.lock.locked()

    def _is_owned(self):
        return self.lock.locked()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *error):
        self.release()


threading.Lock = Watched
from client import Client, TlsOptions
from tests.chaos.proxy import Proxy
from tests.end_to_end.in_process import port_of, running
from tests.support.peer import Peer
from tests.support.person import Person, by_password

if "--nest" in sys.argv:
    import itertools
    from chatroom.flow import Flow
    other, minutes = Flow(), itertools.count(0, 60)
    one = Flow(lambda: other.fell_behind() or next(minutes))  # it looks at the clock while it holds its lock
    one.fell_behind()
    one.wait_for_readers()
files = tls = None
if "--tls" in sys.argv:
    from pathlib import Path
    from server.tls_files import self_made
    files = self_made(Path(sys.argv[2]), "127.0.0.1")
    tls = TlsOptions(files.certificate)
with running("same" if tls else "any", data=sys.argv[2], dead_after=0.3, tls=files) as app:
    port = port_of(app)
    proxy = Proxy()
    proxy.lobby = port
    ann = Client(port=proxy.port, name="ann", dead_after=0.3, tls=tls)
    with ann, Client(port=port, name="bob", tls=tls) as bob:
        for number in range(200):
            (ann, bob)[number % 2].say(f"line {number}")
        ann.command("/who")
        if tls:
            ann.command("/register correct%20horse")
        else:
            with Person.come(app.address, "dora") as dora:
                dora.do("/register", "correct horse")
                dora.do("/device laptop")
                app.chatroom.own("", "my code", 2**62, 5.0)
                dora.do("/owner", "my code")
                dora.do("/trace hello")
                Person.come(app.address, "dora", by_password("correct horse")).close()
                Person.refused(app.address, "dora", by_password("wrong horse"))
        assert proxy.reset(0)  # the connection breaks: resume
        ann.say("after it").wait(5)
        for event in bob:
            if event.text == "after it":
                break
        Peer.connect(port).close()
    proxy.close()
print("made:", *sorted(made), sep="\n  ")
print("nested:", *sorted(nested), sep="\n  ")
'''


def watch(data: Path, *options: str) -> tuple[list[str], list[str]]:
    """Run a chat with watched locks; where locks were made, and which were held together."""
    command = [sys.executable, "-c", WATCH, str(ROOT), str(data), *options]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert output.returncode == 0, output.stderr
    made, _, nested = output.stdout.partition("nested:")
    return made.splitlines()[1:], nested.splitlines()[1:]


def test_nobody_holds_two_locks(tmp_path: Path) -> None:
    """In a chat with history, logins, commands, a resume, only the history's write lock is a second one."""
    made, nested = watch(tmp_path / "history.db")
    assert len(made) > 10, made
    # SqliteHistory: append() holds _appending and _write_lock.
    assert nested in ([], ["  ('/server/storage.py __init__', '/server/storage.py __init__')"])


def test_with_tls_there_is_one_more_pair(tmp_path: Path) -> None:
    """Over TLS, a stream sends under its own lock and that of its transport, always in this order."""
    made, nested = watch(tmp_path / "history.db", "--tls")
    assert any("client/tls_socket.py" in place for place in made), made
    history = "  ('/server/storage.py __init__', '/server/storage.py __init__')"
    assert set(nested) - {history} == {"  ('/server/stream.py __init__', '/server/tls.py __init__')"}


def test_the_watch_can_fail(tmp_path: Path) -> None:
    """Two locks that are held together are found."""
    _, nested = watch(tmp_path / "history.db", "--nest")
    assert nested
