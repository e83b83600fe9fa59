"""The provinces of one host: their settings, and their datasets brought to their warehouses one province at a time.

A province is a folder ``DX_PROVINCES/<code>``, which is its ``DX_HOME``: keys, landing zone, ``connections.env`` and
``dx.env`` (mode 0600) with ``DX_WAREHOUSE_URL`` and whatever else differs from the host's settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError, SettingsError
from dx_pipeline.orchestration.process import open_road
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.marts import Mart, dependent_marts, refresh_mart

_CODE = re.compile(r"^[0-9]{2}\Z")


@dataclass(frozen=True)
class ProvinceReport:
    """What a province was brought: batches and rows of the datasets that came, messages of those that did not."""

    batches: int
    accepted: int
    quarantined: int
    failures: tuple[str, ...]


def province_codes(settings: Settings) -> tuple[str, ...]:
    """Codes of the provinces that this host serves, in order.

    Raises:
        SettingsError: there is no such folder, or a connection is set for the host instead of for a province.
    """
    root = settings.provinces
    if root is None or not root.is_dir():
        raise SettingsError(
            f"DX_PROVINCES {'is not set' if root is None else f'({root}) is no folder'}",
            next_step="set it to the folder with one folder per province (docs/scale.md)",
        )
    shared = sorted(name for name in os.environ if name.startswith("DX_CONNECTION_"))
    if shared:
        raise SettingsError(
            f"{shared[0]} is set for the whole host: every province would read that source",
            next_step=f"write it into {root}/<code>/connections.env of the province it belongs to",
        )
    there = sorted(path.name for path in root.iterdir() if _CODE.match(path.name))
    lost = sorted(set(settings.provinces_here).difference(there))
    if lost or not there:
        raise SettingsError(
            f"{root} has no folder {lost[0] if lost else 'of a province'}",
            next_step="make it, named by the two digits of the province's code, or correct DX_PROVINCES_HERE",
        )
    return tuple(sorted(set(settings.provinces_here))) or tuple(there)


def province_settings(root: Path, code: str) -> Settings:
    """The settings of one province: those of the host, with what its folder says.

    Raises:
        SettingsError: a setting in its ``dx.env`` cannot be used.
    """
    home = root / code
    own = {
        name.removeprefix("DX_").lower(): value
        for name, value in dotenv_values(home / "dx.env").items()
        if name.startswith("DX_")
    }
    try:
        return Settings(**{"warehouse_url": None, **own, "home": home})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"{home / 'dx.env'}: DX_{str(first['loc'][0]).upper()}: {first['msg']}", next_step="correct it or remove it"
        ) from None


def bring_province(
    settings: Settings,
    catalog: Catalog,
    contracts: Sequence[Contract],
    marts: Sequence[Mart],
    *,
    month: date,
    run_id: str,
) -> ProvinceReport:
    """Land, stage and publish datasets of one province and refresh its marts; a dataset that fails stops no other.

    Raises:
        DxError: the warehouse of the province cannot be opened.
    """
    road = open_road(settings, catalog)
    batches, failures = [], []
    try:
        for contract in contracts:
            try:
                landed = road.land(contract, run_id=run_id, month=month)
                batches.append(road.publish(contract, road.stage(contract, landed).batch).batch)
            except DxError as error:
                failures.append(f"{contract.id}: {error.what}")
        for mart in dependent_marts(marts, {contract.id for contract in contracts}):
            try:
                refresh_mart(road.warehouse, mart, only_if_changed=True)
            except DxError as error:
                failures.append(f"mart {mart.name}: {error.what}")
    finally:
        road.warehouse.close()
    return ProvinceReport(
        len(batches),
        sum(batch.accepted or 0 for batch in batches),
        sum(batch.quarantined or 0 for batch in batches),
        tuple(failures),
    )
