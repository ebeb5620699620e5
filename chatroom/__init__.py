"""The heart of the chat: events, packets, queue, forwarder, reaper. No sockets, no disk, no screen."""
