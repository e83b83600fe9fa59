"""All systems and contracts of an installation: the project's own and those of extra project folders.

Layout of a project folder: ``assets/<system>/system.yaml`` and ``assets/<system>/<dataset>.odcs.yaml``,
``expectations/<system>/<dataset>.yaml``, ``warehouse_sql/load/<system>/<dataset>.sql``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dx_pipeline.contract.loader import CONTRACT_SUFFIX, load_contract
from dx_pipeline.contract.model import Contract, System
from dx_pipeline.errors import ContractError
from dx_pipeline.yaml_document import parse_yaml

SYSTEM_FILE = "system.yaml"


@dataclass(frozen=True)
class Catalog:
    """Systems and contracts by name, and the contracts that could not be read."""

    systems: dict[str, System]
    contracts: dict[str, Contract]
    broken: tuple[ContractError, ...] = ()

    def contract(self, dataset_id: str) -> Contract:
        """The contract of ``system.dataset``.

        Raises:
            ContractError: unknown id; the message lists the known ones.
        """
        if dataset_id not in self.contracts:
            raise ContractError(
                f"dataset {dataset_id!r} is unknown", next_step=f"known: {', '.join(sorted(self.contracts))}"
            )
        return self.contracts[dataset_id]

    def select(self, names: Sequence[str]) -> list[Contract]:
        """Contracts of the named systems or ``system.dataset`` ids, in load order; all when empty."""
        chosen: set[str] = set()
        for name in names:
            if name in self.systems:
                chosen.update(c.id for c in self.contracts.values() if c.system == name)
            else:
                chosen.add(self.contract(name).id)
        wanted = chosen if names else set(self.contracts)
        return [self.contracts[i] for i in load_order(self.contracts.values()) if i in wanted]


def load_order(contracts: Iterable[Contract]) -> list[str]:
    """Dataset ids so that each comes after those it depends on, else by id.

    Raises:
        ContractError: a dependency is unknown or goes in a circle.
    """
    by_id = {contract.id: contract for contract in contracts}
    ordered: list[str] = []
    visiting: list[str] = []

    def visit(dataset_id: str) -> None:
        if dataset_id in ordered:
            return
        if dataset_id in visiting:
            raise ContractError(f"dependsOn goes in a circle: {' -> '.join([*visiting, dataset_id])}")
        visiting.append(dataset_id)
        for needed in sorted(by_id[dataset_id].depends_on):
            if needed not in by_id:
                raise ContractError(f"{by_id[dataset_id].path} at dependsOn: {needed!r} is no known dataset")
            visit(needed)
        visiting.pop()
        ordered.append(dataset_id)

    for dataset_id in sorted(by_id):
        visit(dataset_id)
    return ordered


def load_catalog(roots: Sequence[Path], *, strict: bool = True) -> Catalog:
    """Read every system and contract below the given project folders.

    With ``strict=False`` a broken contract is collected in ``Catalog.broken`` and the others still load,
    so that one department's mistake never stops another's data.

    Raises:
        ContractError: a file is broken (strict), or two folders define the same system or dataset.
    """
    systems: dict[str, System] = {}
    contracts: dict[str, Contract] = {}
    broken: list[ContractError] = []
    for root in roots:
        for system_file in sorted((root / "assets").glob(f"*/{SYSTEM_FILE}")):
            try:
                system = load_system(system_file, root)
                if system.name in systems:
                    raise ContractError(f"{system_file}: system {system.name!r} is already defined elsewhere")
                systems[system.name] = system
            except ContractError as error:
                if strict:
                    raise
                broken.append(error)
                continue
            for path in sorted(system_file.parent.glob(f"*{CONTRACT_SUFFIX}")):
                try:
                    contract = load_contract(path, root)
                    contracts[contract.id] = contract
                except ContractError as error:
                    if strict:
                        raise
                    broken.append(error)
    if not strict:
        contracts = _without_missing_dependencies(contracts, broken)
    load_order(contracts.values())
    return Catalog(systems, contracts, tuple(broken))


def _without_missing_dependencies(contracts: dict[str, Contract], broken: list[ContractError]) -> dict[str, Contract]:
    kept = dict(contracts)
    while True:
        orphans = [c for c in kept.values() if any(needed not in kept for needed in c.depends_on)]
        if not orphans:
            return kept
        for contract in orphans:
            missing = ", ".join(needed for needed in contract.depends_on if needed not in kept)
            broken.append(ContractError(f"contract {contract.path}: left out, it depends on {missing}"))
            del kept[contract.id]


def load_system(path: Path, root: Path) -> System:
    """Read one ``system.yaml``.

    Raises:
        ContractError: a field is missing or malformed.
    """
    try:
        document: Any = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(f"system file {path}: cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise ContractError(f"system file {path}: is not a YAML mapping")
    title = document.get("title") or {}
    for field, value in (("name", document.get("name")), ("connection", document.get("connection"))):
        if not isinstance(value, str) or not value:
            raise ContractError(f"system file {path} at {field}: is missing")
    if not isinstance(title, dict) or not title.get("vi") or not title.get("en"):
        raise ContractError(f"system file {path} at title: give both vi and en")
    if document["name"] != path.parent.name:
        raise ContractError(f"system file {path} at name: must equal the folder's name {path.parent.name!r}")
    return System(
        name=document["name"],
        title_vi=title["vi"],
        title_en=title["en"],
        connection=document["connection"],
        owners=tuple(document.get("owners") or ()),
        schedule=document.get("schedule"),
        pool_limit=int(document.get("poolLimit", 1)),
        kinds=tuple(document.get("kinds") or ()),
        root=root,
    )
