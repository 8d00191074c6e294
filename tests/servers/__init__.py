"""Real mail servers for the tests: a private Postfix in front of a private Dovecot, on loopback ports of their own."""

from tests.servers.mailservers import PASSWORD, MailServers, ServersUnavailable

__all__ = ["PASSWORD", "MailServers", "ServersUnavailable"]
