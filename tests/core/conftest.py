"""A limit of time for tests of mail that is made to be slow."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def within() -> Iterator[None]:
    """The test takes at most two seconds (promise P4 gives a mail ten, on a machine that has other work)."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 2
