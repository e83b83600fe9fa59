"""Every error a person can meet, each with what happened and what to do next.

An error that can heal by itself (a source that is down, a lost connection) is retried by the
orchestrator; a broken contract or a drifted source is not, because trying again changes nothing.
Messages never hold a secret: callers pass names (dataset, column, connection), not URLs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class DxError(Exception):
    """Base of all errors: ``what`` went wrong, with names, and the ``next_step`` that mends it."""

    can_heal: ClassVar[bool] = False

    def __init__(self, what: str, *, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(what if not next_step else f"{what}\n  → {next_step}")

    def __reduce__(self) -> tuple[Callable[..., DxError], tuple[type[DxError], tuple[object, ...]], dict[str, object]]:
        """Can be sent to another process: its class may be made with arguments of its own."""
        return _made_again, (type(self), self.args), self.__dict__


def _made_again(kind: type[DxError], arguments: tuple[object, ...]) -> DxError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class SettingsError(DxError):
    """A setting or a connection is missing or malformed."""


class ContractError(DxError):
    """A contract file is broken; names file, path inside it and reason."""


class SuiteError(DxError):
    """An expectation suite is broken; names file, rule and reason."""


class SourceUnavailable(DxError):
    """The source cannot be reached or the connection broke while reading."""

    can_heal = True


class SourceSilent(SourceUnavailable):
    """The source takes the connection, or not even that, and gives no answer in time: each attempt costs that time."""


class AccessRefused(SourceUnavailable):
    """The source answers and refuses this account; trying again changes nothing, and may lock the account."""

    can_heal = False


class SourceDrift(DxError):
    """The source no longer has the shape its contract promises."""


class UnreadableSource(DxError):
    """A file or a value in the source cannot be decoded or parsed."""


class EmptySource(DxError):
    """The source relation holds fewer rows than its contract promises."""


class IncompleteExtract(DxError):
    """Fewer or more rows arrived than the source counted in the same snapshot."""

    can_heal = True


class SparkUnavailable(DxError):
    """The Spark cluster that a dataset is switched to cannot be used; the batch is held with its landed rows."""


class LandingError(DxError):
    """A landed batch is missing, damaged or cannot be written."""


class LandedFileLost(LandingError):
    """A file of a landed batch is gone or is not what was landed: only the source, or a backup, has its rows."""


class BatchHeld(DxError):
    """The judge stopped a batch before publishing; nothing of it reached the star."""


class DatasetBusy(DxError):
    """Another run is working on the same dataset."""

    can_heal = True


class WarehouseError(DxError):
    """The warehouse refused or lost a statement."""


class WarehouseUnavailable(WarehouseError):
    """The warehouse cannot be reached."""

    can_heal = True


class MigrationError(WarehouseError):
    """A migration failed, was edited after it ran, or is out of order."""


class LoadFileError(WarehouseError):
    """A load or mart SQL file is malformed or its statement failed."""


class ChannelError(DxError):
    """A channel of alerts did not take a message; it is tried again at the next check."""

    can_heal = True


class RunCutShort(DxError):
    """The process that keeps Dagster's record of a run was ended from outside; what was published stays."""
