"""Cures of the labs' bugs beside the solutions: some that seem right and are not, and others that are right.

Each is a change of a lab's program or of its solution: some text in it, and what stands there instead.
"""

from __future__ import annotations

from typing import NamedTuple

Changes = tuple[tuple[str, str], ...]


class Cure(NamedTuple):
    """What a reader makes of the program.

    idea:    in words
    base:    what is changed: "program" or "solution"
    changes: text, and what stands there instead
    """

    idea: str
    base: str
    changes: Changes


class Wrong(NamedTuple):
    """A cure that does not cure.

    says:    what the check must say, in part
    or_says: what else it may say, when chance decides which thread has a lock first
    """

    idea: str
    base: str
    changes: Changes
    says: str
    or_says: str = ""


WRONG: dict[str, list[Wrong]] = {
    "no_framing": [
        Wrong(
            "split each piece, and forget the rest",
            "program",
            (("        yield data.decode()\n", "        yield from data.decode().splitlines()\n"),),
            "when they come in two pieces, cut after 1 bytes",
        ),
        Wrong(
            "a larger buffer, so that all comes at once",
            "program",
            (
                ("recv(1024)", "recv(1 << 20)"),
                ("        yield data.decode()\n", '        yield from data.decode()[:-1].split("\\n")\n'),
            ),
            "when they come in two pieces",
        ),
        Wrong(
            "decode the pieces, then join them",
            "solution",
            (
                ('rest = b""', 'rest = ""'),
                ('(rest + data).split(b"\\n")', '(rest + data.decode()).split("\\n")'),
                ("yield line.decode()", "yield line"),
            ),
            "UnicodeDecodeError",
        ),
    ],
    "recv_of_nothing": [
        Wrong(
            "rest a moment",
            "program",
            (
                (
                    "        data = receive(client)\n",
                    "        data = receive(client)\n        time.sleep(0.01)\n",
                ),
            ),
            "and it asks again",
        ),
        Wrong(
            "what is blank is the end",
            "solution",
            (("while data := receive(client):", "while (data := receive(client)).strip():"),),
            r"hears b''",
        ),
        Wrong(
            "end, and stay in the list",
            "program",
            (
                (
                    "        data = receive(client)\n",
                    "        data = receive(client)\n        if not data:\n            break\n",
                ),
            ),
            "still in the list of clients",
        ),
        Wrong(
            "the list is tidied up, but not after an error",
            "solution",
            (
                (
                    "    except OSError:\n        pass  # the connection was cut: the end, too\n",
                    "    except ValueError:\n        pass\n",
                ),
            ),
            "ConnectionResetError",
        ),
    ],
    "lost_members": [
        Wrong(
            "a lock in join() alone",
            "solution",
            (
                (
                    "    with lock:\n"
                    "        everybody = list(clients)\n"
                    "        moment()\n"
                    "        everybody.remove(client)\n"
                    "        clients = everybody\n",
                    "    everybody = list(clients)\n    everybody.remove(client)\n    clients = everybody\n",
                ),
            ),
            "leave() of carol",
        ),
        Wrong(
            "each call makes a lock of its own",
            "program",
            (
                (
                    "    everybody = list(clients)\n    moment()\n    everybody.append(client)\n"
                    "    clients = everybody\n",
                    "    with threading.Lock():\n        clients = [*clients, client]\n",
                ),
            ),
            "bob is in the room and hears nothing",
        ),
        Wrong(
            "a lock around append() and remove(), and none around the loop",
            "program",
            (
                (
                    "    global clients\n    everybody = list(clients)\n    moment()\n"
                    "    everybody.append(client)\n    clients = everybody\n",
                    "    with lock:\n        clients.append(client)\n",
                ),
                (
                    "    global clients\n    everybody = list(clients)\n    moment()\n"
                    "    everybody.remove(client)\n    clients = everybody\n",
                    "    with lock:\n        clients.remove(client)\n",
                ),
                ("clients: list", "lock = threading.Lock()\nclients: list"),
            ),
            "while broadcast() stands",
        ),
    ],
    "slow_reader": [
        Wrong(
            "copy the list under the lock, and send outside it",
            "program",
            (
                (
                    "    with lock:\n        for client in clients:\n            client.sendall(line)\n",
                    "    with lock:\n        everybody = list(clients)\n"
                    "    for client in everybody:\n        client.sendall(line)\n",
                ),
            ),
            "broadcast() waits for ever",
        ),
        Wrong(
            "an outbox without a bound",
            "solution",
            (("MOST_WAITING = 1 << 20", "MOST_WAITING = 1 << 40"),),
            "nothing has bounded that",
        ),
        Wrong(
            "send without waiting, and drop what does not fit",
            "program",
            (
                (
                    "            client.sendall(line)\n",
                    "            try:\n"
                    "                client.send(line, socket.MSG_DONTWAIT)\n"
                    "            except BlockingIOError:\n"
                    "                pass\n",
                ),
            ),
            "bob reads, and has got",
        ),
    ],
    "thread_per_message": [
        Wrong(
            "a lock around all that the thread does",
            "program",
            (
                (
                    "    text = prepare(message)\n    show(text)\n",
                    "    with lock:\n        text = prepare(message)\n        show(text)\n",
                ),
                ("def receive(", "lock = threading.Lock()\n\n\ndef receive("),
            ),
            "is not called before another message is shown",
            "these are shown: second, first",
        ),
        Wrong(
            "start the thread, and wait for it",
            "program",
            (
                (
                    "    threading.Thread(target=process, args=(message,)).start()\n",
                    "    thread = threading.Thread(target=process, args=(message,))\n"
                    "    thread.start()\n    thread.join()\n",
                ),
            ),
            "it must not wait until a message is prepared",
        ),
        Wrong(
            "the thread takes its turn itself",
            "solution",
            (
                ("args=(turns.take(), message)", "args=(message,)"),
                ("def process(turn: int, message: str) -> None:", "def process(message: str) -> None:"),
                (
                    "    try:\n        text = prepare",
                    "    turn = turns.take()\n    try:\n        text = prepare",
                ),
            ),
            "begins to run first",
        ),
        Wrong(
            "the turn is not passed after an error",
            "solution",
            (
                (
                    "    try:\n        text = prepare(message)\n        turns.wait(turn)\n"
                    "        show(text)\n    finally:\n        turns.wait(turn)\n        turns.pass_on()\n",
                    "    text = prepare(message)\n    turns.wait(turn)\n"
                    "    show(text)\n    turns.pass_on()\n",
                ),
            ),
            "prepare() of the second of three messages fails, and these are shown: first",
        ),
        Wrong(
            "__del__ passes the turn, as a destructor does",
            "solution",
            (
                (
                    "turns = Turns()\n",
                    "class Guard:\n"
                    "    def __init__(self, turn: int) -> None:\n        self.turn = turn\n\n"
                    "    def __del__(self) -> None:\n"
                    "        turns.wait(self.turn)\n        turns.pass_on()\n\n\n"
                    "turns = Turns()\n",
                ),
                (
                    "    try:\n        text = prepare(message)\n        turns.wait(turn)\n"
                    "        show(text)\n    finally:\n        turns.wait(turn)\n        turns.pass_on()\n",
                    "    guard = Guard(turn)\n    text = prepare(message)\n    turns.wait(turn)\n"
                    "    show(text)\n",
                ),
            ),
            "waits for ever in line",  # which one: a look at the threads keeps a guard, too
        ),
        Wrong(
            "a future for each, and the error of one comes out of it in the next",
            "program",
            (
                (
                    "    threading.Thread(target=process, args=(message,)).start()\n",
                    "    global latest\n    latest = pool.submit(process, message, latest)\n",
                ),
                (
                    "def process(message: str)",
                    "pool = ThreadPoolExecutor(9)\nlatest = None\n\n\ndef process(message: str, before)",
                ),
                (
                    "    show(text)\n",
                    "    if before is not None:\n        before.result()\n    show(text)\n",
                ),
                (
                    "import threading\n",
                    "import threading\nfrom concurrent.futures import ThreadPoolExecutor\n",
                ),
            ),
            "these are shown: first; what was to show 'third' has ended (does result() raise an error?)",
        ),
    ],
    "two_orders": [
        Wrong(
            "a lock for each send",
            "program",
            (
                ("        client.sendall(line)\n", "        with lock:\n            client.sendall(line)\n"),
                ("clients: list", "lock = threading.Lock()\nclients: list"),
            ),
            " reads bob and ann",
        ),
        Wrong(
            "go through a copy of the list",
            "program",
            (
                (
                    "for client in clients:\n        client.sendall",
                    "for client in list(clients):\n        client.sendall",
                ),
            ),
            " reads bob and ann",
        ),
    ],
    "check_then_act": [
        Wrong(
            "a lock to look, and a lock to write",
            "solution",
            (
                (
                    "        is_free = name not in names\n        if is_free:\n            moment()\n"
                    "            names[name] = client\n",
                    "        is_free = name not in names\n    if is_free:\n        with lock:\n"
                    "            names[name] = client\n",
                ),
            ),
            "both of them is told pass",
        ),
        Wrong(
            "a lock around all of it",
            "program",
            (
                ("def welcome(", "lock = threading.Lock()\n\n\ndef welcome("),
                (
                    "    name = client.recv(100).decode().strip()",
                    "    with lock:\n        return ask(client)\n\n\n"
                    "def ask(client: socket.socket) -> str | None:\n"
                    "    name = client.recv(100).decode().strip()",
                ),
            ),
            "while another newcomer says nothing, welcome() of bob waits for ever",
        ),
    ],
    "lost_thread": [
        Wrong(
            "start first, then register",
            "solution",
            (
                (
                    "            self._threads.append(thread)\n"
                    "            moment()\n"
                    "            thread.start()\n",
                    "        thread.start()\n"
                    "        with self._lock:\n"
                    "            self._threads.append(thread)\n",
                ),
            ),
            "close() returns, and then the thread runs",
        ),
        Wrong(
            "a thread without a number has not started: keep it",
            "program",
            (("if not thread.is_alive():", "if thread.ident is not None and not thread.is_alive():"),),
            "after close(), spawn() does not raise",
        ),
        Wrong(
            "the same, and close() refuses new threads",
            "program",
            (
                ("if not thread.is_alive():", "if thread.ident is not None and not thread.is_alive():"),
                (
                    "        for thread in list(self.threads):\n            thread.join()\n",
                    "        self.closed = True\n"
                    "        for thread in list(self.threads):\n"
                    "            if thread.ident is not None:\n                thread.join()\n",
                ),
                (
                    "        self.threads.append(thread)\n",
                    "        if self.closed:\n            raise RuntimeError\n"
                    "        self.threads.append(thread)\n",
                ),
                (
                    "self.threads: list[threading.Thread] = []\n",
                    "self.threads = []\n        self.closed = False\n",
                ),
            ),
            "close() returns, and then the thread runs",
        ),
        Wrong(
            "forget no thread",
            "solution",
            (("if thread.is_alive()]", "]"),),
            "after reap() the reaper owns 4",
        ),
    ],
    "no_ticket": [
        Wrong(
            "look at the address",
            "program",
            (
                (
                    "    client, _ = listener.accept()\n    client.recv(TICKET_BYTES)\n    return client\n",
                    "    while True:\n        client, address = listener.accept()\n"
                    '        if address[0] == "127.0.0.1":\n            client.recv(TICKET_BYTES)\n'
                    "            return client\n        client.close()\n",
                ),
            ),
            "a stranger is let in",
        ),
        Wrong(
            "one after the other",
            "program",
            (
                (
                    "    client, _ = listener.accept()\n    client.recv(TICKET_BYTES)\n    return client\n",
                    "    while True:\n        client, _ = listener.accept()\n"
                    "        if client.recv(TICKET_BYTES, socket.MSG_WAITALL) == ticket:\n"
                    "            return client\n        client.close()\n",
                ),
            ),
            "a stranger comes before ann and says nothing: admit() waits for ever",
        ),
        Wrong(
            "take the beginning of a ticket for the ticket",
            "solution",
            (
                (
                    "if secrets.compare_digest(shown[guest], ticket):",
                    "if data and ticket.startswith(shown[guest]):",
                ),
            ),
            "a stranger is let in",
        ),
        Wrong(
            "read more than the ticket",
            "solution",
            (
                ("hear(guest, len(ticket) - len(shown[guest]))", "hear(guest, 4096)"),
                (
                    "compare_digest(shown[guest], ticket)",
                    "compare_digest(shown[guest][: len(ticket)], ticket)",
                ),
                ("len(shown[guest]) == len(ticket)", "len(shown[guest]) >= len(ticket)"),
            ),
            "right behind her ticket",
        ),
    ],
    "lost_wakeup": [
        Wrong(
            "look under the lock, but once",
            "solution",
            (("            while not self.messages:", "            if not self.messages:"),),
            "IndexError",
        ),
        Wrong(
            "look again every tenth of a second",
            "program",
            (
                (
                    "        if not self.messages:\n            moment()\n            with self.filled:\n"
                    "                self.filled.wait()\n        return self.messages.pop(0)\n",
                    "        with self.filled:\n            while not self.messages:\n"
                    "                self.filled.wait(0.1)\n            return self.messages.pop(0)\n",
                ),
            ),
            "it polls",
        ),
        Wrong(
            "a flag that is set and cleared",
            "program",
            (
                ("self.filled = threading.Condition()", "self.filled = threading.Event()"),
                (
                    "        with self.filled:\n            self.filled.notify()\n",
                    "        self.filled.set()\n",
                ),
                (
                    "        if not self.messages:\n            moment()\n            with self.filled:\n"
                    "                self.filled.wait()\n        return self.messages.pop(0)\n",
                    "        while not self.messages:\n            self.filled.wait()\n"
                    "            self.filled.clear()\n        return self.messages.pop(0)\n",
                ),
            ),
            "take()",
        ),
    ],
    "shutdown_hangs": [
        Wrong(
            "do not wait for the threads",
            "program",
            (("        for thread in self.threads:\n            thread.join()\n", ""),),
            "of the server's threads still live",
        ),
        Wrong(
            "wake accept() alone",
            "solution",
            (("        for client in self.clients:\n            shut_down(client)\n", ""),),
            "ann is there and says nothing: close() waits for ever",
        ),
        Wrong(
            "shut the clients down while somebody may still come",
            "solution",
            (
                ("        self.threads[0].join()  # from now on there is no new client\n", ""),
                ("while self.running and (data := client.recv(4096)):", "while data := client.recv(4096):"),
            ),
            "while the accepting thread stands",
        ),
    ],
    "acknowledged_too_early": [
        Wrong(
            "acknowledge, then flush",
            "program",
            (
                (
                    '            client.sendall(b"ok\\n")\n',
                    '            client.sendall(b"ok\\n")\n            history.flush()\n',
                ),
            ),
            "killed when 1 lines were acknowledged",
        ),
        Wrong(
            "a thread flushes each hundredth of a second",
            "program",
            (
                (
                    "        for line in lines:\n            history.write",
                    "        threading.Thread(target=tidy, args=(history,), daemon=True).start()\n"
                    "        for line in lines:\n            history.write",
                ),
                (
                    "import tempfile\n",
                    "import tempfile\nimport threading\nimport time\nfrom typing import Any\n",
                ),
                (
                    "def handle(",
                    "def tidy(history: Any) -> None:\n    while True:\n        time.sleep(0.01)\n"
                    "        history.flush()\n\n\ndef handle(",
                ),
            ),
            "killed when 1 lines were acknowledged",
        ),
        Wrong(
            "go on when the disk is full",
            "solution",
            (
                (
                    "            history.flush()  # now the kernel has it",
                    "            try:\n                history.flush()\n"
                    "            except OSError:\n                pass  #",
                ),
            ),
            "the disk is full",
        ),
    ],
    "reused_number": [
        Wrong(
            "look once more before the write",
            "program",
            (
                (
                    "    moment()\n    os.write(number, line)\n",
                    "    if members.get(name) == number:\n        os.write(number, line)\n",
                ),
            ),
            "the line for ann has reached eve",
        ),
        Wrong(
            "catch the error",
            "program",
            (
                (
                    "    os.write(number, line)\n",
                    "    try:\n        os.write(number, line)\n    except OSError:\n        pass\n",
                ),
            ),
            "the line for ann has reached eve",
        ),
        Wrong(
            "a lock, and no shutdown()",
            "solution",
            (
                (
                    "        try:\n            self._client.shutdown(socket.SHUT_RDWR)\n"
                    "        except OSError:\n            pass  # the peer was faster\n",
                    "",
                ),
            ),
            "while deliver() waits for ann, leave() of ann waits for ever",
        ),
    ],
}

RIGHT: dict[str, list[Cure]] = {
    "no_framing": [
        Cure(
            "makefile()",
            "program",
            (
                (
                    "    while data := client.recv(1024):\n        yield data.decode()\n",
                    '    with client.makefile("rb") as lines:\n        for line in lines:\n'
                    '            yield line.decode().removesuffix("\\n")\n',
                ),
            ),
        ),
    ],
    "recv_of_nothing": [
        Cure(
            "makefile()",
            "solution",
            (
                (
                    "        while data := receive(client):\n"
                    '            *lines, rest = (rest + data).split(b"\\n")\n'
                    "            for line in lines:\n"
                    '                broadcast(line + b"\\n")\n',
                    '        for line in client.makefile("rb"):\n            broadcast(line)\n',
                ),
            ),
        ),
    ],
    "lost_members": [
        Cure(
            "a list that is replaced, and whose name broadcast() reads once",
            "solution",
            (
                (
                    "    with lock:\n"
                    "        everybody = clients  # never changed, only replaced: so no copy is needed\n"
                    "    for client in everybody:\n",
                    "    for client in clients:\n",
                ),
            ),
        ),
        Cure(
            "one list, and a copy of it under the lock",
            "solution",
            (
                (
                    "        everybody.append(client)\n        clients = everybody\n",
                    "        clients.append(client)\n",
                ),
                (
                    "        everybody.remove(client)\n        clients = everybody\n",
                    "        clients.remove(client)\n",
                ),
                (
                    "everybody = clients  # never changed, only replaced: so no copy is needed\n",
                    "everybody = list(clients)\n",
                ),
            ),
        ),
    ],
    "two_orders": [
        Cure(
            "a lock around the whole loop",
            "program",
            (
                (
                    "    for client in clients:\n        client.sendall(line)\n        moment()\n",
                    "    with lock:\n        for client in clients:\n            client.sendall(line)\n",
                ),
                ("clients: list", "lock = threading.Lock()\nclients: list"),
            ),
        ),
    ],
    "check_then_act": [
        Cure(
            "setdefault()",
            "program",
            (
                ("    if name in names:\n", "    if names.setdefault(name, client) is not client:\n"),
                ("    moment()\n    names[name] = client\n", ""),
            ),
        ),
    ],
    "lost_thread": [
        Cure(
            "each thread reports its own end",
            "solution",
            (
                ("target=target)", "target=self._run, args=(target,))"),
                (
                    "            self._threads = [thread for thread in self._threads if thread.is_alive()]\n",
                    "            ended, self._ended = self._ended, []\n"
                    "            for thread in ended:\n"
                    "                thread.join()\n"
                    "                self._threads.remove(thread)\n\n"
                    "    def _run(self, target: Callable[[], None]) -> None:\n"
                    "        try:\n"
                    "            target()\n"
                    "        finally:\n"
                    "            self._ended.append(threading.current_thread())\n",
                ),
                (
                    "        self._closed = False\n",
                    "        self._closed = False\n        self._ended = []\n",
                ),
            ),
        ),
    ],
    "no_ticket": [
        Cure(
            "a thread for each guest",
            "program",
            (
                (
                    "    client, _ = listener.accept()\n    client.recv(TICKET_BYTES)\n    return client\n",
                    "    guests, found = [], []\n\n"
                    "    def hear(guest: socket.socket) -> None:\n"
                    "        try:\n"
                    "            if guest.recv(TICKET_BYTES, socket.MSG_WAITALL) == ticket:\n"
                    "                found.append(guest)\n"
                    "                listener.shutdown(socket.SHUT_RDWR)\n"
                    "        except OSError:\n"
                    "            pass\n\n"
                    "    while not found:\n"
                    "        try:\n"
                    "            guest, _ = listener.accept()\n"
                    "        except OSError:\n"
                    "            break\n"
                    "        guests.append(guest)\n"
                    "        threading.Thread(target=hear, args=(guest,), daemon=True).start()\n"
                    "    for guest in guests:\n"
                    "        if guest not in found:\n"
                    "            shut_down(guest)\n"
                    "            guest.close()\n"
                    "    return found[0]\n\n\n"
                    "def shut_down(guest: socket.socket) -> None:\n"
                    "    try:\n"
                    "        guest.shutdown(socket.SHUT_RDWR)\n"
                    "    except OSError:\n"
                    "        pass\n",
                ),
            ),
        ),
    ],
    "lost_wakeup": [
        Cure(
            "the queue of the standard library",
            "program",
            (
                ("        self.messages: list[str] = []\n", "        self.queue = queue.Queue()\n"),
                (
                    "        self.messages.append(message)\n"
                    "        with self.filled:\n"
                    "            self.filled.notify()\n",
                    "        self.queue.put(message)\n",
                ),
                (
                    "        if not self.messages:\n            moment()\n            with self.filled:\n"
                    "                self.filled.wait()\n        return self.messages.pop(0)\n",
                    "        return self.queue.get()\n",
                ),
                ("import threading\n\n\nclass", "import queue\nimport threading\n\n\nclass"),
            ),
        ),
        Cure(
            "a semaphore counts the messages of a deque, which promises that its steps are whole",
            "program",
            (
                ("messages: list[str] = []", "messages = collections.deque()"),
                ("return self.messages.pop(0)", "return self.messages.popleft()"),
                ("import threading\n\n\nclass", "import collections\nimport threading\n\n\nclass"),
                ("self.filled = threading.Condition()", "self.filled = threading.Semaphore(0)"),
                (
                    "        with self.filled:\n            self.filled.notify()\n",
                    "        self.filled.release()\n",
                ),
                (
                    "        if not self.messages:\n            moment()\n            with self.filled:\n"
                    "                self.filled.wait()\n",
                    "        self.filled.acquire()\n",
                ),
            ),
        ),
    ],
    "acknowledged_too_early": [
        Cure("no buffer", "program", (('open(path, "ab")', 'open(path, "ab", buffering=0)'),)),
        Cure(
            "open and close for each line",
            "program",
            (
                ('as lines, open(path, "ab") as history:', "as lines:"),
                (
                    "            history.write(line)\n",
                    '            with open(path, "ab") as history:\n                history.write(line)\n',
                ),
            ),
        ),
    ],
    "reused_number": [
        Cure(
            "sockets instead of numbers",
            "program",
            (
                ("members[name] = client.detach()", "members[name] = client"),
                (
                    "    os.write(number, line)\n",
                    "    try:\n        number.sendall(line)\n    except OSError:\n        pass\n",
                ),
                ("    os.close(number)\n", "    number.shutdown(socket.SHUT_RDWR)\n    number.close()\n"),
            ),
        ),
    ],
}
"""Other cures that are right."""
