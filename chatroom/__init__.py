"""The heart of the chat: events, packets, queue, forwarder, reaper. No sockets, no disk, no screen."""

__version__ = "0.1.0"
