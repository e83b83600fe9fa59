"""The ``--project`` option: further project folders for this command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dx_pipeline.errors import SettingsError
from dx_pipeline.settings import get_settings


def add_projects(folders: Sequence[Path] | None) -> None:
    """Add folders to ``DX_EXTRA_PROJECTS`` of this process and its children.

    Raises:
        SettingsError: a folder does not exist or has no ``assets/``.
    """
    for folder in folders or ():
        if not (folder / "assets").is_dir():
            raise SettingsError(
                f"project folder {folder}: there is no assets/ in it",
                next_step="a project folder holds assets/, expectations/ and warehouse_sql/ (see examples/nyc311)",
            )
    if folders:
        known = [part for part in os.environ.get("DX_EXTRA_PROJECTS", "").split(os.pathsep) if part]
        os.environ["DX_EXTRA_PROJECTS"] = os.pathsep.join([*known, *(str(folder.resolve()) for folder in folders)])
        get_settings.cache_clear()
