"""`make soak`: hours of disconnects in front of a running daemon; not part of `make test`."""
