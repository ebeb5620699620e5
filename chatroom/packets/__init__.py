"""Packets: the unit on the wire. Bytes in, packets out, and back; no socket anywhere.

Every packet is a header of 20 bytes in network byte order and a payload:

    offset  size  field
    0       1     magic 0xC7, which no text protocol begins with
    1       1     version, 1
    2       1     kind
    3       1     flags: 0 when sent, ignored when received
    4       4     payload length in bytes
    8       8     message id, 0 where there is none
    16      2     part number, from 0
    18      2     part count, from 1

Only SAY and events may have several parts: a long text is split between characters, and every packet
repeats the fields before the text. notes/protocol.md gives every payload byte by byte.
"""

from chatroom.packets.decoder import Decoder
from chatroom.packets.encoder import encode, encode_event, split_text
from chatroom.packets.kinds import (
    HEADER,
    MAGIC,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Code,
    Command,
    Confirm,
    Hello,
    Kind,
    Live,
    Notice,
    Packet,
    Ping,
    Pong,
    Port,
    Say,
    Status,
    Username,
    Welcome,
)

__all__ = [
    "HEADER",
    "MAGIC",
    "NO_TOKEN",
    "SAME_CONNECTION",
    "VERSION",
    "Admit",
    "Bye",
    "Code",
    "Command",
    "Confirm",
    "Decoder",
    "Hello",
    "Kind",
    "Live",
    "Notice",
    "Packet",
    "Ping",
    "Pong",
    "Port",
    "Say",
    "Status",
    "Username",
    "Welcome",
    "encode",
    "encode_event",
    "split_text",
]
