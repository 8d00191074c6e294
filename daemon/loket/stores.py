"""The parts of a store put together, as the daemon and the commands open it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from loket.config.models import Store
from loket.config.secrets import database_url
from loket.config.snapshot import Snapshot
from loket.core.gate import Caps
from loket.files import ContentReader, FolderFiles
from loket.store.contents import ContentStore
from loket.store.database import Database
from loket.store.desk import DeskStore
from loket.store.intake import IntakeStore
from loket.store.outgoing import OutgoingStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The parts of one opened store."""

    database: Database
    intake: IntakeStore
    outgoing: OutgoingStore
    desk: DeskStore
    contents: ContentReader
    files: FolderFiles

    def free(self) -> int:
        """Octets left where the store writes; of two places, of the fuller one."""
        places = [self.files.root, *([Path(self.database.url.database or ".")] if self.database.sqlite else [])]
        there = (next(path for path in (place, *place.parents) if path.exists()) for place in places)
        return min(shutil.disk_usage(path).free for path in there)


def open_stores(snapshot: Snapshot, now: datetime, *, claim: bool = False) -> Stores:
    """The store of a configuration.

    With `claim`, for this process alone: a newer daemon must not change the schema under one that still runs.
    """
    config = snapshot.config
    files_to = {address: mailbox.file_to is not None for address, mailbox in config.mailboxes.items()}
    caps = Caps(config.responses.per_address, config.responses.total)
    return open_store(config.store, snapshot.root, now, files_to=files_to, caps=caps, claim=claim)


def open_store(
    where: Store, root: Path, now: datetime, *, files_to: Mapping[str, bool], caps: Caps, claim: bool = False
) -> Stores:
    """Open a store and bring its schema up to date; a new one was made `now`. `root` is the folder of config.yaml."""
    database = Database(database_url(where, root))
    files = FolderFiles(root / where.files)
    stores = Stores(
        database,
        IntakeStore(database, files_to, caps),
        OutgoingStore(database),
        DeskStore(database),
        ContentReader(ContentStore(database), files),
        files,
    )
    try:
        if claim:
            database.claim()
        database.migrate()
        stores.desk.founded(now)
    except BaseException:
        database.close()
        raise
    return stores
