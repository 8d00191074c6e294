"""Offices of one mailbox or several, as the intake's tests have them."""

from tests.intake.conftest import bureau, proxy

__all__ = ["bureau", "proxy"]
