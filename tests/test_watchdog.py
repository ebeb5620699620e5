"""The watchdog fails a test that hangs, and names it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = "pytester"

ROOT = Path(__file__).resolve().parent.parent
HOOKS = "from tests.support.watchdog import *"


@pytest.fixture
def watched(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of tests with the watchdog, in which a test may take 0.2 s."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # starts faster
    pytester.makeconftest(HOOKS)
    pytester.makeini("[pytest]\ntest_seconds = 0.2\nslow_test_seconds = 5\nmarkers = slow: takes longer")
    return pytester


def run(pytester: pytest.Pytester) -> pytest.RunResult:
    """A run in a process of its own: a run that hangs fails here, after ten seconds."""
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=10)


def test_a_wake_up_that_never_comes_fails(watched: pytest.Pytester) -> None:
    """A test whose threads wait for ever fails by name, with every thread's stack; the run goes on."""
    watched.makepyfile(
        test_hanging="""
        import threading
        changed = threading.Condition()

        def wait_for_ever():
            with changed:
                changed.wait()

        def test_hanging():
            thread = threading.Thread(target=wait_for_ever, name="sleeper", daemon=True)
            thread.start()
            wait_for_ever()

        def test_last():
            pass
        """
    )
    result = run(watched)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*TookTooLong: test_hanging.py::test_hanging took longer than 0.2 s",
            "*thread sleeper:*",
            "*in wait_for_ever*",
            "*changed.wait()*",
        ]
    )


@pytest.mark.slow
def test_a_fixture_that_hangs_fails(watched: pytest.Pytester) -> None:
    """A fixture that waits for ever, before or after its test, is an error of that test."""
    watched.makepyfile(
        """
        import pytest, threading

        @pytest.fixture
        def never():
            threading.Event().wait()

        @pytest.fixture
        def never_again():
            yield
            threading.Event().wait()

        def test_one(never): pass
        def test_two(never_again): pass
        """
    )
    run(watched).assert_outcomes(passed=1, errors=2)


def test_slow_tests_may_take_longer(watched: pytest.Pytester) -> None:
    """A test marked `slow` has a bound of its own."""
    watched.makepyfile(
        """
        import pytest, threading

        @pytest.mark.slow
        def test_slow():
            threading.Event().wait(0.3)
        """
    )
    run(watched).assert_outcomes(passed=1)


def test_a_thread_that_hangs_does_not_keep_the_run_from_ending(watched: pytest.Pytester) -> None:
    """A non-daemon thread that waits for ever does not keep the interpreter from exiting."""
    watched.makeconftest(f"{HOOKS}\nfrom tests.support import watchdog\nwatchdog.EXIT_SECONDS = 0.1")
    watched.makepyfile(
        """
        import threading

        def test_hanging():
            threading.Thread(target=threading.Event().wait).start()
            threading.Event().wait()
        """
    )
    result = run(watched)
    assert result.ret == 1
    result.stderr.fnmatch_lines(["*Timeout*"])
