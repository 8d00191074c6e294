"""Loket: a daemon that works an office's mailboxes."""

__version__ = "0.1.0"
