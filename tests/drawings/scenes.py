"""What happens in which thread, as lists of steps. A test looks whether every function in them exists."""

from __future__ import annotations

from typing import Final

from tests.drawings.sequence import Scene, Step


def _line() -> Scene:
    keys, sender = "ann: main", "ann: client-sender"
    handler, forwarder = "server: handler ann", "server: forwarder"
    link, burst, screen = "bob: client-connection", "bob: client-burst", "bob: main"
    return Scene(
        "line",
        "The way of one line, by thread",
        (keys, sender, handler, forwarder, link, burst, screen),
        (
            Step(keys, keys, "keys become a line", "views/view.py:keys"),
            Step(keys, sender, "it waits until it is settled", "client/pending_lines.py:say"),
            Step(sender, handler, "SAY", "client/link.py:_send"),
            Step(handler, handler, "bytes become a burst", "chatroom/packets/decoder.py:feed"),
            Step(handler, forwarder, "a proposal into the queue", "chatroom/queue.py:put"),
            Step(forwarder, forwarder, "takes all that waits", "chatroom/queue.py:take"),
            Step(forwarder, forwarder, "the line gets its seq", "chatroom/lines.py:say"),
            Step(forwarder, forwarder, "stored", "chatroom/forwarder.py:_store"),
            Step(forwarder, link, "the same bytes to all, ann too", "chatroom/presence.py:deliver"),
            Step(link, burst, "a thread, and a turn", "client/link.py:_hand_over"),
            Step(burst, burst, "waits for its turn", "client/sequencer.py:wait"),
            Step(burst, screen, "an update", "client/inbox.py:put"),
            Step(screen, screen, "a frame: one write", "views/view.py:tick"),
        ),
    )


def _join() -> Scene:
    handler, forwarder = "server: handler bob", "server: forwarder"
    catch_up, flusher, peer = "server: catch-up", "server: flusher", "bob: client-connection"
    return Scene(
        "join",
        "A member comes in and has missed much, by thread",
        (handler, forwarder, catch_up, flusher, peer),
        (
            Step(handler, handler, "what has it missed?", "chatroom/lookups.py:missed"),
            Step(handler, forwarder, "proposes ENTER", "chatroom/chatroom.py:_converse"),
            Step(forwarder, forwarder, "JOINED gets its seq, is stored", "chatroom/forwarder.py:forward"),
            Step(forwarder, peer, "WELCOME, then the channels", "chatroom/newcomers.py:welcome"),
            Step(forwarder, catch_up, "the tail does not have all", "chatroom/catch_up.py:begin"),
            Step(catch_up, catch_up, "reads a slice of history", "chatroom/catch_up.py:_send_slice"),
            Step(catch_up, peer, "what the socket takes", "server/stream.py:send"),
            Step(flusher, peer, "the rest, as the peer reads", "server/stream.py:flush"),
            Step(flusher, catch_up, "taken: the next slice, in turn", "server/stream.py:when_taken"),
            Step(catch_up, forwarder, "the tail has the rest: a task", "chatroom/forwarder.py:go_live"),
            Step(forwarder, peer, "the rest from the tail, LIVE", "chatroom/newcomers.py:_go_live"),
            Step(forwarder, peer, "from now on each batch", "chatroom/presence.py:deliver"),
        ),
    )


def _slow() -> Scene:
    forwarder, flusher, handler = "server: forwarder", "server: flusher", "server: handler bob"
    peer = "bob, who does not read"
    return Scene(
        "slow-reader",
        "A reader that stops reading, by thread",
        (forwarder, flusher, handler, peer),
        (
            Step(forwarder, peer, "a batch: the socket takes a part", "server/stream.py:send"),
            Step(forwarder, flusher, "bytes wait: look after them", "server/flusher.py:watch"),
            Step(forwarder, forwarder, "later batches: only references", "server/send_buffer.py:append"),
            Step(flusher, flusher, "the deadline passes: too little was taken", "server/stream.py:tick"),
            Step(flusher, flusher, "OPEN → PARTING: drops what was not begun", "server/stream.py:part"),
            Step(flusher, peer, "BYE, if the socket takes it", "server/stream.py:_send_buffered"),
            Step(flusher, flusher, "the next deadline: → CUT", "server/stream.py:cut"),
            Step(flusher, handler, "wakes it", "server/transport.py:abort"),
            Step(handler, handler, "ConnectionLost, with the reason", "server/stream.py:receive"),
            Step(handler, forwarder, "proposes LEAVE: the session is held", "chatroom/chatroom.py:_handle"),
            Step(handler, flusher, "released: it is done", "server/stream.py:release"),
            Step(flusher, flusher, "closes the socket, last", "server/stream.py:close"),
        ),
    )


def _shutdown() -> Scene:
    main, accept, handler = "main", "accept", "handler ann"
    forwarder, flusher, peer = "forwarder", "flusher", "ann: client-connection"
    return Scene(
        "shutdown",
        "The end of the server, by thread",
        (main, accept, handler, forwarder, flusher, peer),
        (
            Step(main, main, "SIGTERM: a byte in a socket pair", "server/app.py:wait"),
            Step(main, accept, "shutdown() wakes it: it ends", "server/server.py:close"),
            Step(main, forwarder, "the queue is closed", "chatroom/queue.py:close"),
            Step(forwarder, forwarder, "takes and stores what was accepted", "chatroom/forwarder.py:run"),
            Step(forwarder, peer, "BYE to every member", "chatroom/chatroom.py:_forward"),
            Step(forwarder, main, "has ended", "chatroom/chatroom.py:_forward"),
            Step(main, flusher, "stop: what is left has its deadline", "server/flusher.py:stop"),
            Step(peer, handler, "closes: nothing more comes", "client/link.py:_deliver_bye"),
            Step(handler, flusher, "released", "server/stream.py:release"),
            Step(flusher, flusher, "closes sockets, cuts who is late", "server/flusher.py:finish"),
            Step(main, main, "joins every thread", "chatroom/reaper.py:close"),
            Step(main, main, "closes the history", "chatroom/chatroom.py:close"),
        ),
    )


def _thread() -> Scene:
    starter, register, own, reaper = (
        "who starts it",
        "the register (a lock)",
        "the new thread",
        "server-reaper",
    )
    return Scene(
        "thread",
        "The life of a thread",
        (starter, register, own, reaper),
        (
            Step(starter, register, "registered, before it starts", "chatroom/reaper.py:spawn"),
            Step(starter, own, "start()", "chatroom/reaper.py:spawn"),
            Step(own, own, "does its work", "chatroom/reaper.py:_run"),
            Step(own, own, "if it fails: logged, told if vital", "chatroom/reaper.py:_guard"),
            Step(own, register, "reports its end, as its last act", "chatroom/reaper.py:_run"),
            Step(reaper, register, "once a second: who has reported?", "chatroom/reaper.py:reap"),
            Step(reaper, own, "join(): microseconds", "chatroom/reaper.py:reap"),
            Step(reaper, register, "takes it out", "chatroom/reaper.py:reap"),
        ),
    )


SCENES: Final = (_line(), _join(), _slow(), _shutdown(), _thread())
