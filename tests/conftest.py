"""Rules for every test: it ends in time, and leaves no thread, socket or descriptor behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from chatroom.passwords import DUMMY
from tests.support.bytecode import (  # noqa: F401  pytest finds its hooks here
    pytest_configure,
    pytest_sessionstart,
)
from tests.support.certificates import Certificates
from tests.support.watchdog import (  # noqa: F401  pytest finds its hooks here
    pytest_addoption,
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    pytest_unconfigure,
)

LEAK_SECONDS = 3.0
"""Seconds that the threads of a test may need to end after it: more than a program's own closing time."""


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end: thousands of tests, and the modules behind them."""
    gc.collect()
    gc.freeze()


settings.register_profile(
    "suite",
    deadline=None,  # a shared machine stalls now and then; the watchdog bounds the whole test
    max_examples=50,
    derandomize=bool(os.environ.get("CI")),  # a red CI run must be red again when it is repeated
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs read and write no file of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of passwords in this process cost nothing: for tests that do not ask what they cost."""
    monkeypatch.setattr("chatroom.passwords.SCRYPT_LOG_N", 1)
    monkeypatch.setattr("chatroom.logins.DUMMY", DUMMY.replace("scrypt$14$", "scrypt$1$"))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of servers; fails where openssl's command is missing."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The programs find no options, preferences and tokens of whoever runs the tests, and change none."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(("CHATROOM_SERVER_", "CHATROOM_CLIENT_"))]:
        del os.environ[name]
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fails the test when it leaves a thread or a descriptor behind."""
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    yield
    end = time.monotonic() + LEAK_SECONDS
    left = _join_all(set(threading.enumerate()) - threads, end)
    if left:
        pytest.fail(f"threads left behind: {', '.join(sorted(thread.name for thread in left))}")
    leaked = _new_descriptors(descriptors, end)
    if leaked:
        pytest.fail(f"descriptors left open: {', '.join(leaked)}")


def open_descriptors() -> dict[int, str]:
    """Each open descriptor of this process and its target; empty where the system has no /proc."""
    found: dict[int, str] = {}
    try:
        numbers = [int(entry) for entry in os.listdir("/proc/self/fd")]
    except FileNotFoundError:
        return found
    for number in numbers:
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # listdir's own descriptor, closed by now
            continue
    return found


def _join_all(threads: set[threading.Thread], end: float) -> list[threading.Thread]:
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]


def _new_descriptors(before: dict[int, str], end: float) -> list[str]:
    """Descriptors opened since; a wider fixture's server may need a moment to see that a peer left."""
    pause = threading.Event()
    while True:
        now = open_descriptors()
        leaked = [f"{number} → {what}" for number, what in now.items() if before.get(number) != what]
        if not leaked or time.monotonic() > end:
            return leaked
        gc.collect()  # a socket that is garbage reports itself by a ResourceWarning
        pause.wait(0.01)
