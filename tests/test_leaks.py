"""The guard against leaks finds leaks, and only leaks."""

from __future__ import annotations

import pytest

from tests import conftest

pytest_plugins = "pytester"

GUARD = "from tests.conftest import nothing_leaks\n"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            "threading.Thread(target=stop.wait, name='forgotten', daemon=True).start()",
            "threads left behind: forgotten",
        ),
        ("kept.append(socket.socket())", "descriptors left open: *socket*"),
        ("kept.append(open(__file__))", "descriptors left open: *test_leaky.py*"),
    ],
)
def test_a_leak_fails_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str, complaint: str
) -> None:
    """A test that leaves a thread, a socket or a file behind fails with an error that names it."""
    # The guard of this test has its own time back when it looks: monkeypatch ends before it.
    monkeypatch.setattr(conftest, "LEAK_SECONDS", 0.05)
    pytester.makeconftest(GUARD)
    pytester.makepyfile(
        test_leaky=f"""
        import socket, threading
        stop, kept = threading.Event(), []
        def test_leaky():
            {body}
        def test_last():
            stop.set()
            [one.close() for one in kept]
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines([f"*{complaint}*"])


def test_a_tidy_test_passes(pytester: pytest.Pytester) -> None:
    """A test without a leak passes, even when its thread ends a moment after the test."""
    pytester.makeconftest(GUARD)
    pytester.makepyfile(
        """
        import socket, threading
        def test_tidy():
            with socket.socket():
                threading.Timer(0.05, lambda: None).start()
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
