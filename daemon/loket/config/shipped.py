"""The office that Loket ships with: its config.yaml, and the rules and templates that another begins from."""

from __future__ import annotations

from pathlib import Path


class ShippedMissing(Exception):
    """The installation lacks them."""


def shipped_office() -> Path:
    """The folder of the shipped config.yaml and rules: inside an installed wheel, or the top of a checkout."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "demo/office", here.parents[3]):
        if (folder / "config.yaml").is_file() and (folder / "rules").is_dir():
            return folder
    message = "the shipped config.yaml and rules are neither in this package nor above it; install Loket again"
    raise ShippedMissing(message)
