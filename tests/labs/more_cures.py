"""More of what a student tries: each of the wrong ones is refused by a rule of its own in the check.

See `tests/labs/cures.py`.
"""

from __future__ import annotations

from tests.labs.cures import Cure, Wrong

MORE_WRONG: dict[str, list[Wrong]] = {
    "thread_per_message": [
        Wrong(
            "the turn is passed before the text is shown",
            "solution",
            (
                (
                    (
                        "    try:\n"
                        "        text = prepare(message)\n"
                        "        turns.wait(turn)\n"
                        "        show(text)\n"
                        "    finally:\n"
                        "        turns.wait(turn)\n"
                        "        turns.pass_on()\n"
                    ),
                    (
                        "    try:\n"
                        "        text = prepare(message)\n"
                        "    finally:\n"
                        "        turns.wait(turn)\n"
                        "        turns.pass_on()\n"
                        "    show(text)\n"
                    ),
                ),
            ),
            "while the thread of 'first' stands",
        ),
        Wrong(
            "look whose turn it is without the lock",
            "solution",
            (
                (
                    (
                        "        with self._moved:\n"
                        "            while self._passed != turn:\n"
                        "                self._moved.wait()\n"
                    ),
                    (
                        "        while self._passed != turn:\n"
                        "            with self._moved:\n"
                        "                self._moved.wait()\n"
                    ),
                ),
            ),
            "the thread of 'second' waits for ever",
        ),
        Wrong(
            "`if` instead of `while` around wait()",
            "solution",
            (("            while self._passed != turn:", "            if self._passed != turn:"),),
            "these are shown: first, third, second",
        ),
        Wrong(
            "wake one thread, not all",
            "solution",
            (("notify_all()", "notify()"),),
            "the thread of 'third' waits for ever",
        ),
        Wrong(
            "look again each millisecond",
            "solution",
            (
                (
                    (
                        "        with self._moved:\n"
                        "            while self._passed != turn:\n"
                        "                self._moved.wait()\n"
                    ),
                    ("        while self._passed != turn:\n            time.sleep(0.001)\n"),
                ),
                ("import socket\n", ("import socket\nimport time\n")),
            ),
            "the thread of 'second' goes round and round",
        ),
        Wrong(
            "wait a tenth of a second at most, and look again",
            "solution",
            (("self._moved.wait()", "self._moved.wait(0.1)"),),
            "the thread of 'second' goes round and round",
        ),
        Wrong(
            "a string for the tuple of arguments",
            "program",
            (("args=(message,)", "args=(message)"),),
            "a thread has failed: TypeError: process() takes 1 positional argument",
        ),
    ],
    "recv_of_nothing": [
        Wrong(
            "a time limit, after which the handler ends",
            "solution",
            (("    clients.append(client)\n", "    clients.append(client)\n    client.settimeout(0.2)\n"),),
            "ann is there and says nothing for a while",
        ),
    ],
    "lost_members": [
        Wrong(
            "append(), remove() and list(), without a lock",
            "program",
            (
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.append(client)\n"
                        "    clients = everybody\n"
                    ),
                    "    clients.append(client)\n",
                ),
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.remove(client)\n"
                        "    clients = everybody\n"
                    ),
                    "    clients.remove(client)\n",
                ),
                ("    for client in clients:\n", "    for client in list(clients):\n"),
            ),
            "in the middle of append(), join() of bob runs",
        ),
        Wrong(
            "copy the list without the lock",
            "program",
            (
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.append(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    with lock:\n        clients.append(client)\n"),
                ),
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.remove(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    with lock:\n        clients.remove(client)\n"),
                ),
                ("    for client in clients:\n", "    for client in list(clients):\n"),
                ("clients: list", ("lock = threading.Lock()\nclients: list")),
            ),
            "between two items of the list",
        ),
        Wrong(
            "a second name for the list, taken for a copy",
            "program",
            (
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.append(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    with lock:\n        clients.append(client)\n"),
                ),
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.remove(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    with lock:\n        clients.remove(client)\n"),
                ),
                (
                    "    for client in clients:\n",
                    ("    with lock:\n        everybody = clients\n    for client in everybody:\n"),
                ),
                ("clients: list", ("lock = threading.Lock()\nclients: list")),
            ),
            "while broadcast() stands",
        ),
        Wrong(
            "acquire() without release()",
            "program",
            (
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.append(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    lock.acquire()\n    clients.append(client)\n"),
                ),
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.remove(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    lock.acquire()\n    clients.remove(client)\n"),
                ),
                ("    for client in clients:\n", ("    lock.acquire()\n    for client in list(clients):\n")),
                ("clients: list", ("lock = threading.Lock()\nclients: list")),
            ),
            "the file waits for ever in line",
        ),
        Wrong(
            "release() is left out after an error",
            "program",
            (
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.append(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    lock.acquire()\n    clients.append(client)\n    lock.release()\n"),
                ),
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.remove(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    lock.acquire()\n    clients.remove(client)\n    lock.release()\n"),
                ),
                (
                    "    for client in clients:\n",
                    ("    with lock:\n        everybody = list(clients)\n    for client in everybody:\n"),
                ),
                ("clients: list", ("lock = threading.Lock()\nclients: list")),
            ),
            "afterwards join() of bob waits for ever",
        ),
        Wrong(
            "a lock for each function",
            "program",
            (
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.append(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    with lock:\n        clients.append(client)\n"),
                ),
                (
                    (
                        "    global clients\n"
                        "    everybody = list(clients)\n"
                        "    moment()\n"
                        "    everybody.remove(client)\n"
                        "    clients = everybody\n"
                    ),
                    ("    with lock2:\n        clients.remove(client)\n"),
                ),
                (
                    "    for client in clients:\n",
                    ("    with lock:\n        everybody = list(clients)\n    for client in everybody:\n"),
                ),
                ("clients: list", ("lock, lock2 = threading.Lock(), threading.Lock()\nclients: list")),
            ),
            "in the middle of remove(), join() of ann runs",
        ),
    ],
    "lost_wakeup": [
        Wrong(
            "take() under the lock, append() without it",
            "program",
            (
                (
                    (
                        "        if not self.messages:\n"
                        "            moment()\n"
                        "            with self.filled:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                    (
                        "        with self.filled:\n"
                        "            while not self.messages:\n"
                        "                self.filled.wait()\n"
                        "            return self.messages.pop(0)\n"
                    ),
                ),
            ),
            "in the middle of pop(), put() of b runs",
        ),
        Wrong(
            "look under the lock, pop() without it",
            "program",
            (
                (
                    (
                        "        self.messages.append(message)\n"
                        "        with self.filled:\n"
                        "            self.filled.notify()\n"
                    ),
                    (
                        "        with self.filled:\n"
                        "            self.messages.append(message)\n"
                        "            self.filled.notify()\n"
                    ),
                ),
                (
                    (
                        "        if not self.messages:\n"
                        "            moment()\n"
                        "            with self.filled:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                    (
                        "        with self.filled:\n"
                        "            while not self.messages:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                ),
            ),
            "in the middle of pop(), put() of b runs",
        ),
        Wrong(
            "a semaphore counts the messages, and nothing guards the list",
            "program",
            (
                ("self.filled = threading.Condition()", "self.filled = threading.Semaphore(0)"),
                (
                    (
                        "        self.messages.append(message)\n"
                        "        with self.filled:\n"
                        "            self.filled.notify()\n"
                    ),
                    ("        self.messages.append(message)\n        self.filled.release()\n"),
                ),
                (
                    (
                        "        if not self.messages:\n"
                        "            moment()\n"
                        "            with self.filled:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                    ("        self.filled.acquire()\n        return self.messages.pop(0)\n"),
                ),
            ),
            "in the middle of pop()",
        ),
        Wrong(
            "look all the time",
            "program",
            (
                (
                    (
                        "        if not self.messages:\n"
                        "            moment()\n"
                        "            with self.filled:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                    (
                        "        while True:\n"
                        "            with self.filled:\n"
                        "                if self.messages:\n"
                        "                    return self.messages.pop(0)\n"
                    ),
                ),
            ),
            "take() goes round and round",
        ),
        Wrong(
            "notify() without the lock",
            "program",
            (
                (
                    (
                        "        self.messages.append(message)\n"
                        "        with self.filled:\n"
                        "            self.filled.notify()\n"
                    ),
                    ("        self.messages.append(message)\n        self.filled.notify()\n"),
                ),
                (
                    (
                        "        if not self.messages:\n"
                        "            moment()\n"
                        "            with self.filled:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                    (
                        "        with self.filled:\n"
                        "            while not self.messages:\n"
                        "                self.filled.wait()\n"
                        "            return self.messages.pop(0)\n"
                    ),
                ),
            ),
            "RuntimeError: cannot notify on un-acquired lock",
        ),
    ],
    "no_framing": [
        Wrong(
            "splitlines(), for which more is a line end",
            "solution",
            (
                (
                    (
                        '        *lines, rest = (rest + data).split(b"\\n")\n'
                        "        for line in lines:\n"
                        "            yield line.decode()\n"
                    ),
                    (
                        "        rest += data\n"
                        '        while b"\\n" in rest:\n'
                        "            line, *others = rest.splitlines(keepends=True)\n"
                        '            rest = b"".join(others)\n'
                        '            yield line.decode().rstrip("\\n")\n'
                    ),
                ),
            ),
            "with what is a line end for others",
        ),
        Wrong(
            "strip() the line end",
            "solution",
            (("yield line.decode()", "yield line.decode().strip()"),),
            "with what is a line end for others",
        ),
        Wrong(
            "wait until what has come ends with a line end",
            "program",
            (
                (
                    ("    while data := client.recv(1024):\n        yield data.decode()\n"),
                    (
                        "    data = b''\n"
                        "    while piece := client.recv(1024):\n"
                        "        data += piece\n"
                        "        if data.endswith(b'\\n'):\n"
                        "            yield from data.decode().split('\\n')[:-1]\n"
                        "            data = b''\n"
                    ),
                ),
            ),
            "'hello' has come, and a half",
        ),
    ],
    "two_orders": [
        Wrong(
            "a queue, and a thread for each line that takes it out",
            "program",
            (
                (
                    ("    for client in clients:\n        client.sendall(line)\n        moment()\n"),
                    (
                        "    waiting.put(line)\n"
                        "    threading.Thread(target=forward).start()\n"
                        "\n"
                        "\n"
                        "def forward():\n"
                        "    line = waiting.get()\n"
                        "    for client in clients:\n"
                        "        client.sendall(line)\n"
                    ),
                ),
                ("import socket\n", ("import queue\nimport socket\n")),
                ("clients: list", ("waiting = queue.Queue()\nclients: list")),
            ),
            " reads bob and ann",
        ),
    ],
    "check_then_act": [
        Wrong(
            "answer under the lock",
            "program",
            (
                (
                    (
                        "    if name in names:\n"
                        '        client.sendall(b"fail\\n")\n'
                        "        return None\n"
                        "    moment()\n"
                        "    names[name] = client\n"
                        '    client.sendall(b"pass\\n")\n'
                    ),
                    (
                        "    with lock:\n"
                        "        if name in names:\n"
                        '            client.sendall(b"fail\\n")\n'
                        "            return None\n"
                        "        names[name] = client\n"
                        '        client.sendall(b"pass\\n")\n'
                    ),
                ),
                ("def welcome(", ("lock = threading.Lock()\n\n\ndef welcome(")),
            ),
            "while another newcomer does not read, welcome() of bob waits for ever",
        ),
    ],
    "lost_thread": [
        Wrong(
            "join the threads under the lock",
            "solution",
            (
                (
                    (
                        "            threads = list(self._threads)\n"
                        "        for thread in threads:\n"
                        "            thread.join()\n"
                    ),
                    ("            for thread in self._threads:\n                thread.join()\n"),
                ),
            ),
            "close() waits for ever",
        ),
    ],
    "shutdown_hangs": [
        Wrong(
            "join for a tenth of a second",
            "program",
            (("            thread.join()\n", "            thread.join(0.1)\n"),),
            "of the server's threads still live",
        ),
    ],
    "acknowledged_too_early": [
        Wrong(
            "fsync() what was not flushed",
            "program",
            (
                (
                    '            client.sendall(b"ok\\n")\n',
                    ('            os.fsync(history.fileno())\n            client.sendall(b"ok\\n")\n'),
                ),
                ("import signal\n", ("import os\nimport signal\n")),
            ),
            "killed when 1 lines were acknowledged",
        ),
        Wrong(
            "flush when the client has left",
            "program",
            (
                (
                    '            client.sendall(b"ok\\n")\n',
                    ('            client.sendall(b"ok\\n")\n        history.flush()\n'),
                ),
            ),
            "killed when 1 lines were acknowledged",
        ),
    ],
    "reused_number": [
        Wrong(
            "a lock around the look, and not around the write",
            "program",
            (
                (
                    "    number = members.get(name)\n",
                    ("    with lock:\n        number = members.get(name)\n"),
                ),
                (
                    ("    number = members.pop(name)\n    os.close(number)\n"),
                    ("    with lock:\n        number = members.pop(name)\n        os.close(number)\n"),
                ),
                ("members: dict", ("lock = threading.Lock()\nmembers: dict")),
            ),
            "the line for ann has reached eve",
        ),
        Wrong(
            "a lock around the look and the write",
            "program",
            (
                (
                    (
                        "    number = members.get(name)\n"
                        "    if number is None:\n"
                        "        return\n"
                        "    moment()\n"
                        "    os.write(number, line)\n"
                    ),
                    (
                        "    with lock:\n"
                        "        number = members.get(name)\n"
                        "        if number is None:\n"
                        "            return\n"
                        "        os.write(number, line)\n"
                    ),
                ),
                (
                    ("    number = members.pop(name)\n    os.close(number)\n"),
                    ("    with lock:\n        number = members.pop(name)\n        os.close(number)\n"),
                ),
                ("members: dict", ("lock = threading.Lock()\nmembers: dict")),
            ),
            "leave() of ann waits for ever",
        ),
    ],
}

MORE_RIGHT: dict[str, list[Cure]] = {
    "thread_per_message": [
        Cure(
            "each thread joins the one before it",
            "program",
            (
                (
                    "    threading.Thread(target=process, args=(message,)).start()\n",
                    (
                        "    global last\n"
                        "    last = threading.Thread(target=process, args=(message, last))\n"
                        "    last.start()\n"
                    ),
                ),
                ("def process(message: str)", ("last = None\n\n\ndef process(message: str, before)")),
                (
                    ("    text = prepare(message)\n    show(text)\n"),
                    (
                        "    try:\n"
                        "        text = prepare(message)\n"
                        "    except ValueError:\n"
                        "        return\n"
                        "    finally:\n"
                        "        if before is not None:\n"
                        "            before.join()\n"
                        "    show(text)\n"
                    ),
                ),
            ),
        ),
        Cure(
            "an event for each message",
            "program",
            (
                (
                    "    threading.Thread(target=process, args=(message,)).start()\n",
                    (
                        "    global before\n"
                        "    mine, after = before, threading.Event()\n"
                        "    before = after\n"
                        "    threading.Thread(target=process, args=(message, mine, after)).start()\n"
                    ),
                ),
                (
                    "def process(message: str)",
                    ("before = threading.Event()\nbefore.set()\n\n\ndef process(message: str, mine, after)"),
                ),
                (
                    ("    text = prepare(message)\n    show(text)\n"),
                    (
                        "    try:\n"
                        "        text = prepare(message)\n"
                        "        mine.wait()\n"
                        "        show(text)\n"
                        "    finally:\n"
                        "        mine.wait()\n"
                        "        after.set()\n"
                    ),
                ),
            ),
        ),
        Cure(
            "a pool, and one thread that shows",
            "program",
            (
                (
                    "    threading.Thread(target=process, args=(message,)).start()\n",
                    "    results.put(pool.submit(lambda: prepare(message)))\n",
                ),
                (
                    "def receive(",
                    (
                        "def show_all():\n"
                        "    while True:\n"
                        "        try:\n"
                        "            text = results.get().result()\n"
                        "        except ValueError:\n"
                        "            continue\n"
                        "        show(text)\n"
                        "\n"
                        "\n"
                        "results = queue.Queue()\n"
                        "pool = concurrent.futures.ThreadPoolExecutor()\n"
                        "threading.Thread(target=show_all, daemon=True).start()\n"
                        "\n"
                        "\n"
                        "def receive("
                    ),
                ),
                ("import socket\n", ("import concurrent.futures\nimport queue\nimport socket\n")),
            ),
        ),
    ],
    "lost_wakeup": [
        Cure(
            "notify() first, under the same lock",
            "program",
            (
                (
                    (
                        "        self.messages.append(message)\n"
                        "        with self.filled:\n"
                        "            self.filled.notify()\n"
                    ),
                    (
                        "        with self.filled:\n"
                        "            self.filled.notify()\n"
                        "            self.messages.append(message)\n"
                    ),
                ),
                (
                    (
                        "        if not self.messages:\n"
                        "            moment()\n"
                        "            with self.filled:\n"
                        "                self.filled.wait()\n"
                        "        return self.messages.pop(0)\n"
                    ),
                    (
                        "        with self.filled:\n"
                        "            while not self.messages:\n"
                        "                self.filled.wait()\n"
                        "            return self.messages.pop(0)\n"
                    ),
                ),
            ),
        ),
    ],
    "no_framing": [
        Cure(
            "byte by byte",
            "program",
            (
                (
                    ("    while data := client.recv(1024):\n        yield data.decode()\n"),
                    (
                        "    rest = b''\n"
                        "    while piece := client.recv(1):\n"
                        "        if piece == b'\\n':\n"
                        "            yield rest.decode()\n"
                        "            rest = b''\n"
                        "        else:\n"
                        "            rest += piece\n"
                    ),
                ),
            ),
        ),
    ],
}
