"""Says lines that are followed. The handler of whoever asks waits until everybody has the line."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from chatroom.commands import Permitted
from chatroom.errors import Closed
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.limits import TRACE_SECONDS
from chatroom.order import Order
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Command
from chatroom.proposals import Proposal, ProposalKind
from chatroom.trace import Step, Trace


class Tracing:
    """The traces that somebody waits for: one for each handler at most."""

    def __init__(self, forwarder: Forwarder, order: Order, flow: Flow) -> None:
        self._forwarder = forwarder
        self._order = order
        self._flow = flow
        # Guards the fields below.
        self._lock = Lock()
        self._traces: set[Trace] = set()
        self._closed = False

    def run(self, origin: int, command: Command, task: Permitted, read: float) -> Outcome | None:
        """Say the line, and follow it; its steps, or None: it was refused, which is answered already.

        read: when the command was read
        Raises Closed.
        """
        assert task.command.follow is not None
        text = task.command.follow(task.asker, task.rest)
        if isinstance(text, Outcome):
            return text
        trace = Trace(origin, command.id, read)
        with self._lock:
            if self._closed:
                raise Closed("the chatroom is closing")
            self._traces.add(trace)
        try:
            return self._follow(trace, Burst(command.channel, [command.id], [text.encode()]))
        finally:
            with self._lock:
                self._traces.discard(trace)
            with suppress(Closed):
                self._forwarder.forget(trace)

    def _follow(self, trace: Trace, burst: Burst) -> Outcome | None:
        trace.note(Step.READ, at=trace.read)
        self._forwarder.follow(trace).result()  # before the line comes: so it is not missed
        self._flow.wait_for_readers()
        trace.queue()
        self._order.put(Proposal(trace.origin, 0, ProposalKind.LINES, burst))
        return Outcome(Code.OK, trace.rows()) if trace.wait(TRACE_SECONDS) else None

    def close(self) -> None:
        """Let no thread wait any more. Any thread."""
        with self._lock:
            self._closed, traces = True, list(self._traces)
        for trace in traces:
            trace.stop()
