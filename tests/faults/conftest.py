"""Offices of one mailbox or several, as the intake's tests have them."""

from tests.intake.conftest import bureau, host, hosts, proxy

__all__ = ["bureau", "host", "hosts", "proxy"]
