"""Says in a channel what other programs tell: the lines of a pipe, or what is sent to a port of this machine.

make 2>&1 | .venv/bin/python notes/bots/announcer.py --channel build
.venv/bin/python notes/bots/announcer.py --channel build --port 8080
curl --data 'the build is green' http://127.0.0.1:8080
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from client import Client, Form, as_program
from client.bots import bot_client, bot_parser

LARGEST = 16 * 1024  # characters of a line, bytes of a POST
PATIENCE = 5.0  # seconds for a program that has connected and sends nothing


def announce(client: Client, text: str) -> None:
    for line in text.splitlines():
        if line.strip():
            client.say(line[:LARGEST], form=Form.BOT)


def webhook(client: Client, port: int) -> HTTPServer:
    """Serves one program at a time, on loopback. Web pages may not speak: their browsers send an Origin."""

    class Hook(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if "Origin" in self.headers:
                self.send_error(HTTPStatus.FORBIDDEN, "web pages may not speak here")
            elif not length.isdecimal() or not 0 < int(length) <= LARGEST:
                self.send_error(HTTPStatus.BAD_REQUEST, f"send text, 1 to {LARGEST} bytes")
            else:
                announce(client, self.rfile.read(int(length)).decode(errors="replace"))
                self.send_response(HTTPStatus.NO_CONTENT)
                self.end_headers()

    return HTTPServer(("127.0.0.1", port), Hook)


parser = bot_parser("say in a channel what other programs tell")
parser.add_argument("--port", type=int, help="take POSTs there; without it, say the lines of the input")
with as_program(), bot_client(parser, "announcer") as (options, bot):
    if bot.people == 1:
        print(f"announcer.py: nobody else is in {bot.channel} now", file=sys.stderr)
    if options.port is None:
        for line in sys.stdin:
            announce(bot, line)
    else:
        with webhook(bot, options.port) as hook:
            print(f"listening on http://127.0.0.1:{hook.server_port}", flush=True)
            hook.serve_forever()
