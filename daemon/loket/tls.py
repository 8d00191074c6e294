"""TLS for both protocols: verified against the system's authorities or the office's own, nothing below 1.2."""

from __future__ import annotations

import ssl
from functools import lru_cache


@lru_cache(maxsize=16)
def context(ca_file: str | None) -> ssl.SSLContext:
    """A verifying client context; `ca_file` is a PEM of the office's own authority."""
    made = ssl.create_default_context(cafile=ca_file)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
