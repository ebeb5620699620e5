"""client/waiting.py"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import time

import pytest

from client.waiting import wait_for


def test_those_that_are_ready() -> None:
    """Only descriptors that can be read or written to are told, each for what it was asked for."""
    source, feed = os.pipe()
    try:
        assert wait_for([source], [feed]) == (set(), {feed})
        os.write(feed, b"x")
        assert wait_for([source], [feed]) == ({source}, {feed})
        assert wait_for([source]) == ({source}, set())
    finally:
        os.close(source)
        os.close(feed)


def test_one_descriptor_for_both() -> None:
    """A terminal, or a socket, may be waited for in both directions at once."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = ours.fileno()
        assert wait_for([number], [number]) == (set(), {number})
        theirs.send(b"x")
        assert wait_for([number], [number]) == ({number}, {number})


def test_the_end_of_the_other_side_can_be_read() -> None:
    """A closed pipe ends the wait: reading gives the end, writing gives the error."""
    source, feed = os.pipe()
    os.close(feed)
    assert wait_for([source]) == ({source}, set())
    os.close(source)
    source, feed = os.pipe()
    os.close(source)
    assert wait_for([], [feed]) == (set(), {feed})
    os.close(feed)


def test_the_time_is_over() -> None:
    """After the time nothing is told, and not before."""
    source, feed = os.pipe()
    began = time.monotonic()
    assert wait_for([source], seconds=0.02) == (set(), set())
    assert time.monotonic() - began >= 0.02
    assert wait_for([source], seconds=0) == (set(), set())
    os.close(source)
    os.close(feed)


def test_a_descriptor_that_is_not_open() -> None:
    """It is an error: a wait for it would not end, or spin."""
    source, feed = os.pipe()
    os.close(source)
    with pytest.raises(OSError, match="Bad file descriptor"):
        wait_for([source, feed])
    os.close(feed)


def test_numbers_above_those_of_select() -> None:
    """Descriptors above 1,023 can be waited for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip("this system does not allow so many descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    source, feed = os.pipe()
    high = fcntl.fcntl(feed, fcntl.F_DUPFD, 1100)
    try:
        assert wait_for([source], [high]) == (set(), {high})
    finally:
        for number in (source, feed, high):
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
