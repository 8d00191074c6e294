"""Real servers for the tests: a private Postfix in front of a private Dovecot, other IMAP servers, a PostgreSQL."""

from tests.servers.hosts import Host, ImapHost, as_named
from tests.servers.mailservers import PASSWORD, MailServers, ServersUnavailable
from tests.servers.postgres import DATABASE_PASSWORD, Postgres

__all__ = [
    "DATABASE_PASSWORD",
    "PASSWORD",
    "Host",
    "ImapHost",
    "MailServers",
    "Postgres",
    "ServersUnavailable",
    "as_named",
]
