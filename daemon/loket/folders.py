"""Folder names: as people write them, and as each server wants them (RFC 2342, RFC 9051 section 5.1)."""

from __future__ import annotations

from typing import Any

from imapclient.exceptions import IMAPClientError


def named(client: Any, wanted: str) -> str:
    """What the server behind a logged-in imapclient calls the folder; raises what the session raises.

    Some servers have all folders of a person below `INBOX`, with a dot between them, where others have them side by
    side; mail programs hide that, so nobody who writes `Arsip/2026` knows of it. What the server has under the very
    name stays what it is. `\\Archive`, `\\All` and the like name a folder by its use (RFC 6154), whatever a provider
    calls it in whichever language.
    """
    if wanted.startswith("\\"):
        found = client.find_special_folder(wanted.encode("ascii", "replace"))
        if not found:
            raise IMAPClientError(f"the server names no folder for {wanted}")
        return str(found)
    if wanted.upper() == "INBOX" or not client.has_capability("NAMESPACE"):
        return wanted
    spaces = client.namespace()
    prefix, delimiter = (spaces.personal or [("", "/")])[0]
    elsewhere = [space[0] for space in [*(spaces.other or ()), *(spaces.shared or ())]]
    name = translated(wanted, prefix or "", delimiter, elsewhere)
    return wanted if name != wanted and client.folder_exists(wanted) else name


def sent(client: Any) -> str:
    """The folder of sent mail: the one that the server names so (RFC 6154), else one called Sent, made if missing."""
    found = client.find_special_folder(b"\\Sent")
    if found:
        return str(found)
    name = named(client, "Sent")
    if not client.folder_exists(name):
        client.create_folder(name)
    return name


def translated(wanted: str, prefix: str, delimiter: str | None, elsewhere: list[str]) -> str:
    """A name below the personal namespace, its `/` the server's delimiter; names of other namespaces stay."""
    if any(space and wanted.startswith(space) for space in elsewhere):
        return wanted
    name = wanted.replace("/", delimiter) if delimiter else wanted
    return name if name.startswith(prefix) else prefix + name
