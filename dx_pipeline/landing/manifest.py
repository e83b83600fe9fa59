"""The manifest of one landed batch: what it holds, where it came from, and the hash of every file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dx_pipeline.errors import LandedFileLost

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class LandedFile:
    """One Parquet file of a batch; ``sha256`` is the hex digest of its bytes."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A landed batch.

    Attributes:
        row_count: rows in all files together.
        columns: name and Arrow type of each column, in order.
        facts: what the extractor told: contract version, window, source rows, schema fingerprint,
            cursor_high, source position ...
        directory: where the batch lies (not stored in the file, so that a landing zone can be moved).
    """

    system: str
    dataset: str
    batch_id: int
    row_count: int
    columns: tuple[tuple[str, str], ...]
    files: tuple[LandedFile, ...]
    facts: Mapping[str, Any]
    created_at: str
    dx_version: str
    directory: Path = field(compare=False)

    @property
    def label(self) -> str:
        """Name for messages: dataset and batch."""
        return f"{self.system}.{self.dataset} batch {self.batch_id}"

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)

    def to_json(self) -> str:
        """The text of ``manifest.json``."""
        document = {"format_version": FORMAT_VERSION} | asdict(self)
        del document["directory"]
        return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=False, default=str) + "\n"


def read_manifest(directory: Path, label: str) -> Manifest:
    """Read the manifest in a batch directory.

    Args:
        label: names the batch in messages.

    Raises:
        LandedFileLost: there is none, or it is damaged.
    """
    path = directory / MANIFEST_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format version {document['format_version']}, this release reads {FORMAT_VERSION}")
        return Manifest(
            system=document["system"],
            dataset=document["dataset"],
            batch_id=int(document["batch_id"]),
            row_count=int(document["row_count"]),
            columns=tuple((name, kind) for name, kind in document["columns"]),
            files=tuple(LandedFile(**item) for item in document["files"]),
            facts=document["facts"],
            created_at=document["created_at"],
            dx_version=document["dx_version"],
            directory=directory,
        )
    except FileNotFoundError:
        raise LandedFileLost(
            f"{label}: no landed batch is at {directory}",
            next_step="land the dataset again; an unfinished batch is never kept",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LandedFileLost(
            f"{label}: {path} is damaged: {error}",
            next_step="restore it from a backup, or land the dataset again",
        ) from None
