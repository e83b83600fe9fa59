"""Sensors of systems whose source is a folder: a file that was dropped and has settled starts its dataset.

A file has settled when its size and time were the same at two looks at least ``SETTLE_SECONDS`` apart, or at once
when a marker ``<file>.done`` no older than the file lies beside it. A dataset whose files have not all settled waits,
because a run reads all of them; every other dataset goes on. Which files were already run is kept in the sensor's
cursor, and again in the run key (name, size and time of each new file), so that no file starts two runs.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dagster as dg

from dx_pipeline.contract.model import Contract, System
from dx_pipeline.errors import DxError
from dx_pipeline.extract.folder import SourceFile, find_files
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse.marts import Mart

SETTLE_SECONDS = 60
LOOK_EVERY_SECONDS = 30
DONE_SUFFIX = ".done"
FileState = tuple[int, int]
"""Size in bytes and time of last change in nanoseconds."""


@dataclass
class _Seen:
    """What the sensor remembers of one dataset, by file name: states waiting to settle, and states already run."""

    waiting: dict[str, tuple[FileState, float]] = field(default_factory=dict)
    run: dict[str, FileState] = field(default_factory=dict)


@dataclass(frozen=True)
class Drop:
    """What one look at the files of a dataset found.

    ``fresh``: new or changed files, when all files of the dataset have settled; else empty. ``unsettled``: names of
    files that may still be being written.
    """

    fresh: tuple[SourceFile, ...] = ()
    unsettled: tuple[str, ...] = ()

    def run_key(self, dataset_id: str) -> str:
        """The same for the same files in the same state, whenever they are found."""
        told = json.dumps([[file.name, file.size, file.modified_ns] for file in self.fresh])
        return f"{dataset_id}:{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def file_drop_sensor(
    system: System,
    contracts: Sequence[Contract],
    job: dg.UnresolvedAssetJobDefinition,
    marts: Sequence[Mart],
    tags: Mapping[str, str],
    *,
    settle_seconds: float = SETTLE_SECONDS,
    clock: Callable[[], float] = time.time,
) -> dg.SensorDefinition:
    """The sensor of a system; off until somebody turns it on, as the schedules are.

    Args:
        contracts: those of the system that are read from files.
        job: the system's job; a run takes the part of it that belongs to the dataset with new files.
        tags: of the runs it asks for.
    """

    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            url = get_settings().connection_url(system.connection)
        except DxError as error:
            return dg.SkipReason(str(error))
        folder = urlsplit(url)
        if folder.scheme != "file" or not Path(unquote(folder.path)).is_dir():
            return dg.SkipReason(f"the connection of system {system.name} leads to no folder: is the share mounted?")
        remembered = _read_cursor(context.cursor)
        requests: list[dg.RunRequest] = []
        reasons: list[str] = []
        for contract in contracts:
            try:
                drop = find_drop(
                    contract, url, remembered.setdefault(contract.id, _Seen()), clock(), settle_seconds=settle_seconds
                )
            except (DxError, OSError) as error:
                reasons.append(error.what if isinstance(error, DxError) else f"{contract.id}: {error.strerror}")
                continue
            if drop.fresh:
                names = [file.name for file in drop.fresh]
                context.log.info("%s: %s", contract.id, ", ".join(names))
                requests.append(
                    dg.RunRequest(
                        run_key=drop.run_key(contract.id),
                        asset_selection=_assets_of(contract, marts),
                        tags={**tags, "dx/trigger": "file_drop", "dx/dataset": contract.id},
                    )
                )
            elif drop.unsettled:
                reasons.append(f"{contract.id}: waits until {', '.join(drop.unsettled[:5])} has settled")
            else:
                reasons.append(f"{contract.id}: no new file")
        skip = None if requests else dg.SkipReason("; ".join(reasons))
        return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=_write_cursor(remembered))

    return dg.SensorDefinition(
        name=f"{system.name}_file_drop",
        job=job,
        evaluation_fn=look,
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=(
            f"{system.title_vi}: đọc tệp mới khi đã chép xong (tệp đứng yên {settle_seconds:g} giây, hoặc có tệp "
            f"{DONE_SUFFIX}) | {system.title_en}: reads new files once they are copied (still for {settle_seconds:g} s, "
            f"or beside a {DONE_SUFFIX} marker)."
        ),
    )


def find_drop(contract: Contract, url: str, seen: _Seen, now: float, *, settle_seconds: float) -> Drop:
    """Look once at the files of a dataset and keep in ``seen`` what was found.

    Args:
        now: seconds since 1970 of this look.

    Raises:
        SourceUnavailable: the folder is not there, or it holds no file of the dataset.
        ContractError, UnreadableSource: as ``find_files``.
    """
    files = [file for file in find_files(contract, url) if not file.name.endswith(DONE_SUFFIX)]
    states = {file.name: (file.size, file.modified_ns) for file in files}
    seen.run = {name: state for name, state in seen.run.items() if name in states}
    waiting: dict[str, tuple[FileState, float]] = {}
    unsettled: list[str] = []
    fresh: list[SourceFile] = []
    for file in files:
        state = states[file.name]
        if seen.run.get(file.name) == state:
            continue
        before = seen.waiting.get(file.name)
        since = before[1] if before is not None and before[0] == state else now
        waiting[file.name] = (state, since)
        fresh.append(file)
        if not (_is_marked_done(file) or now - since >= settle_seconds):
            unsettled.append(file.name)
    seen.waiting = waiting
    if unsettled or not fresh:
        return Drop(unsettled=tuple(unsettled))
    seen.run |= {file.name: states[file.name] for file in fresh}
    seen.waiting = {}
    return Drop(fresh=tuple(fresh))


def _is_marked_done(file: SourceFile) -> bool:
    """True if the sender says so: a marker that is no older than the file, to the second."""
    try:
        marked = file.path.with_name(file.path.name + DONE_SUFFIX).stat().st_mtime_ns
    except OSError:
        return False
    return marked // 1_000_000_000 >= file.modified_ns // 1_000_000_000


def _assets_of(contract: Contract, marts: Sequence[Mart]) -> list[dg.AssetKey]:
    """The steps of the dataset, and the marts that show it."""
    own = [dg.AssetKey([layer, contract.system, contract.dataset]) for layer in ("landing", "stage", "core")]
    return own + [dg.AssetKey(["mart", mart.name]) for mart in marts if contract.id in mart.depends_on]


# -- cursor: {"<dataset id>": {"run": {file: [size, time]}, "waiting": {file: [size, time, since]}}} -----------------


def _read_cursor(text: str | None) -> dict[str, _Seen]:
    """What an earlier look remembered; nothing if the cursor was reset or is not ours."""
    try:
        document = json.loads(text) if text else {}
        return {
            dataset: _Seen(
                waiting={name: ((size, at), since) for name, (size, at, since) in kept["waiting"].items()},
                run={name: (size, at) for name, (size, at) in kept["run"].items()},
            )
            for dataset, kept in document.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_cursor(remembered: Mapping[str, _Seen]) -> str:
    document: dict[str, Any] = {
        dataset: {
            "run": {name: list(state) for name, state in seen.run.items()},
            "waiting": {name: [*state, since] for name, (state, since) in seen.waiting.items()},
        }
        for dataset, seen in remembered.items()
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
