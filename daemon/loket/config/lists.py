"""List files that conditions look things up in; their text counts in the rules' hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MAX_LIST = 5_000_000


@dataclass(slots=True)
class Lists:
    """Reads list files beside the rules, each once; `texts` is what was read, by name."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)

    def read(self, name: str) -> str:
        """The file's text; ValueError says to a person why there is none."""
        if name not in self.texts:
            self.texts[name] = self._read(name)
        return self.texts[name]

    def _read(self, name: str) -> str:
        path = self.folder / name
        try:
            if path.stat().st_size > MAX_LIST:
                raise ValueError(f"{path} is longer than {MAX_LIST} octets")
            return path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ValueError(f"the list {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise ValueError(f"the list {path} is not UTF-8 at byte {error.start + 1}") from None
