"""Packets: the unit on the wire. Bytes in, packets out, and back; no socket anywhere.

Every packet is a header of 20 bytes in network byte order and a payload:

    offset  size  field
    0       1     magic 0xC7, which no text protocol begins with
    1       1     version, 2
    2       1     kind
    3       1     flags: 0 when sent, ignored when received
    4       4     payload length in bytes
    8       8     message id, 0 where there is none
    16      2     part number, from 0
    18      2     part count, from 1

SAY, ANSWER, CHANNEL and events may have several parts: a long text is split between characters, a long list
of members between its rows, and every part repeats the fields before. notes/protocol.md gives every payload
byte by byte.
"""

from chatroom.packets.decoder import Decoder
from chatroom.packets.encoder import encode, encode_event, encode_refusal_v1, encode_said, split_text
from chatroom.packets.kinds import (
    EVENT_KINDS,
    HEADER,
    MAGIC,
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Answer,
    Burst,
    Bye,
    Channel,
    Command,
    Credential,
    Form,
    Hello,
    Info,
    Kind,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Present,
    Replay,
    Resumed,
    Role,
    Say,
    Skipped,
    Status,
    Username,
    Verdict,
    Welcome,
)
from chatroom.packets.rows import split_rows

__all__ = [
    "EVENT_KINDS",
    "HEADER",
    "MAGIC",
    "NO_IDENTITY",
    "NO_TOKEN",
    "SAME_CONNECTION",
    "VERSION",
    "Admit",
    "Answer",
    "Burst",
    "Bye",
    "Channel",
    "Command",
    "Credential",
    "Decoder",
    "Form",
    "Hello",
    "Info",
    "Kind",
    "Live",
    "Packet",
    "Ping",
    "Pong",
    "Port",
    "Present",
    "Replay",
    "Resumed",
    "Role",
    "Say",
    "Skipped",
    "Status",
    "Username",
    "Verdict",
    "Welcome",
    "encode",
    "encode_event",
    "encode_refusal_v1",
    "encode_said",
    "split_rows",
    "split_text",
]
