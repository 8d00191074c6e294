"""Intake against a real Dovecot: every mail gets its one end, whatever clients, servers and mails do."""
