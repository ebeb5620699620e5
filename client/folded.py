"""Updates for plain lines: joins and leaves in a row are one line, printed when the run is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chatroom.events import Event
from client.limits import RUN_MOMENT, RUN_MOST
from client.talker import Talker
from client.updates import Ended, Update
from views.folding import Folding, Run


def folded(client: Talker, shows: Callable[[Update], bool] = lambda _: True) -> Iterator[Update | Run]:
    """The updates to Ended that are shown; a run stands for joins and leaves in a row.

    The run comes when something else comes, when nothing came for RUN_MOMENT, or when it took RUN_MOST.
    """
    folding, over = Folding(), False
    run: Run | None = None
    while not over:
        waits = run is not None
        for update in client.updates(RUN_MOMENT if waits else None):
            over = over or isinstance(update, Ended)
            if not shows(update):
                continue
            before, run = run, _taken(folding, update, client.name)
            if before is not None and before is not run:
                yield before
            if run is None:
                yield update
            elif run.last - run.began > RUN_MOST * 1000:
                yield run
                folding.end()
                run = None
            if waits is not (run is not None):
                break  # from now on the next update is waited for in another way
        else:
            if run is None:
                return  # the client was closed
            yield run
            folding.end()
            run = None


def _taken(folding: Folding, update: Update, own_name: str) -> Run | None:
    if isinstance(update, Event):
        return folding.take(update, own_name)
    folding.end()
    return None
