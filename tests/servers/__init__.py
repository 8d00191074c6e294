"""Real servers for the tests: a private Postfix in front of a private Dovecot, and a private PostgreSQL."""

from tests.servers.mailservers import PASSWORD, MailServers, ServersUnavailable
from tests.servers.postgres import DATABASE_PASSWORD, Postgres

__all__ = ["DATABASE_PASSWORD", "PASSWORD", "MailServers", "Postgres", "ServersUnavailable"]
