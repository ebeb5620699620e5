"""Functions that run in a thread of their own, and whose result the test asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from chatroom.deadline import Deadline
from tests.support.patience import PATIENCE

Result = TypeVar("Result")


class Task(threading.Thread, Generic[Result]):
    """Starts `work` in a thread at once; `result` waits for it and returns or raises its outcome.

    A daemon: a thread that hangs fails its test, but does not keep the interpreter from exiting.
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        super().__init__(daemon=True, name="task")
        self._work = work
        self._values: list[Result] = []
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._values.append(self._work())
        except BaseException as error:  # noqa: BLE001  raised again by result()
            self._error = error

    def result(self, timeout: float = PATIENCE) -> Result:
        """The value that `work` returned; raises its error. Fails when the thread does not end in time."""
        self.join(timeout)
        assert not self.is_alive(), "the thread did not end"
        if self._error is not None:
            raise self._error
        return self._values[0]


def run_all(*functions: Callable[[], object], seconds: float = 30.0) -> None:
    """Run functions at the same time, each in a thread; raise the error of the first one that failed."""
    deadline = Deadline(seconds)
    tasks = [Task(function) for function in functions]
    for task in tasks:
        task.join(deadline.left())
    for task in sorted(tasks, key=Task.is_alive):  # an error explains more than a thread that still runs
        task.result(0)
