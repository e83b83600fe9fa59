"""What can be wrong: the kinds of conditions, and one condition as it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Kind:
    """A kind of condition: how bad it is, and its names for people."""

    severity: Severity
    vi: str
    en: str


WAREHOUSE_DOWN: Final = "warehouse_down"
"""The one condition that the warehouse cannot remember."""

KINDS: Final[Mapping[str, Kind]] = {
    "run_failed": Kind("error", "lượt chạy thất bại", "run failed"),
    "batch_held": Kind("error", "lô bị giữ, chưa công bố", "batch held, not published"),
    "contract_broken": Kind("error", "thỏa thuận dữ liệu bị lỗi", "data contract broken"),
    "source_stale": Kind("warning", "dữ liệu cũ hơn cam kết", "data older than promised"),
    "quality_low": Kind("warning", "chất lượng dưới ngưỡng", "quality below the threshold"),
    "no_new_data": Kind("warning", "không có dữ liệu mới", "nothing new comes"),
    "volume_outside_band": Kind("warning", "lượng dữ liệu ngoài mức cam kết", "volume outside the promised band"),
    "sums_differ": Kind("warning", "số kiểm soát không khớp", "control sums differ"),
    WAREHOUSE_DOWN: Kind("error", "kho dữ liệu không dùng được", "the warehouse cannot be used"),
}


@dataclass(frozen=True)
class Condition:
    """Something that is wrong now.

    Attributes:
        subject: the dataset, ``mart.<name>``, ``contracts`` or ``warehouse``.
        facts: counts, reason codes and times, fit for JSON. Never a value of a row, never a message of a source.
    """

    kind: str
    subject: str
    facts: Mapping[str, Any]
    owner_agency: str | None = None
    batch_id: int | None = None

    @property
    def severity(self) -> Severity:
        return KINDS[self.kind].severity


@dataclass(frozen=True)
class Limits:
    """When something is worth an alert, where the contract does not say."""

    rejected_share: float
    stale_grace_hours: float
    unfinished_hours: float


@dataclass(frozen=True)
class RunNews:
    """What a run tells beside the ledger.

    Attributes:
        failed: datasets (``system.dataset``) and marts (``mart.<name>``) of which a step failed.
        dead_runs: ids of runs whose process died; their batches will never end.
    """

    failed: tuple[str, ...] = ()
    dead_runs: tuple[str, ...] = ()
