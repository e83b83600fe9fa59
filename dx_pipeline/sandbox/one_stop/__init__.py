"""The province's one-stop system: dossiers, their children and the catalogues, with planted faults."""

from dx_pipeline.sandbox.one_stop.build import BuildReport, build_one_stop
from dx_pipeline.sandbox.one_stop.change import change_one_stop

__all__ = ["BuildReport", "build_one_stop", "change_one_stop"]
