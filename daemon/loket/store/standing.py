"""How a store stands, asked without making, migrating or claiming it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from loket.store.database import HEAD, Database, is_unavailable
from loket.store.postgres import StoreUnfit


@dataclass(frozen=True, slots=True)
class Standing:
    """`new` has no tables yet, `other` a schema that this version does not work with; `place` is SQLite's file."""

    state: Literal["ready", "new", "other", "gone", "unfit"]
    said: str
    place: Path | None = None


def standing(url: str) -> Standing:
    """Look at the store of a URL."""
    parts = make_url(url)
    named = Path(parts.database) if parts.get_backend_name() == "sqlite" and parts.database else None
    if named is not None and not named.exists():
        return Standing("new", f"{named} is made at the first start", named)
    shown = str(named or parts.render_as_string(hide_password=True))
    try:
        database = Database(url)
        try:
            with database.read() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return Standing("new", f"{shown} is empty", named)
                version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        finally:
            database.close()
    except StoreUnfit as error:
        return Standing("unfit", str(error), named)
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", error)).splitlines()[0]
        return Standing("gone" if is_unavailable(error) else "unfit", f"{shown}: {said}", named)
    if version == HEAD:
        return Standing("ready", shown, named)
    return Standing("other", f"{shown} has the schema {version}, this version works with {HEAD}", named)
