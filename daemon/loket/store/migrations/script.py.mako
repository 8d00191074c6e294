"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import loket.store.schema

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply the change."""
    ${upgrades if upgrades else "pass"}
