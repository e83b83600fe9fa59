"""One step of a run that failed, in the terms of people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepFailure:
    """One step that failed: the asset it makes and the message for people."""

    asset: str
    message: str

    @classmethod
    def of_step(cls, step_key: str, message: str) -> StepFailure:
        """Of the step ``<layer>__<system>__<dataset>`` or ``mart__<name>``."""
        return cls(step_key.replace("__", "/", 1).replace("__", ".", 1), message)

    @property
    def dataset(self) -> str:
        return self.asset.partition("/")[2]

    @property
    def subject(self) -> str:
        """What an alert is about: the dataset, or ``mart.<name>``."""
        return f"mart.{self.dataset}" if self.asset.startswith("mart/") else self.dataset
