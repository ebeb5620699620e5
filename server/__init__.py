"""The server: sockets, disk and the command line around the Chatroom."""
