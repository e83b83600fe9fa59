"""What the service centre's API holds. Ratings are of dossiers that the one-stop sandbox has; all else is made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.service_centre.dossiers import EndedDossier
from dx_pipeline.sandbox.service_centre.kinds import KINDS, PETITIONS, RATINGS, TRANSACTIONS
from dx_pipeline.sandbox.service_centre.petitions import petitions
from dx_pipeline.sandbox.service_centre.ratings import ratings
from dx_pipeline.sandbox.service_centre.transactions import transactions

MOST_RATED: Final = 1500


def build_service_centre(
    dossiers: list[EndedDossier], *, seed: int, truth_path: Path
) -> dict[str, list[dict[str, Any]]]:
    """The three lists; writes the truth about what was planted."""
    truth = TruthBook(KINDS)
    lists = {
        RATINGS: ratings(dossiers, seed, truth),
        PETITIONS: petitions([one.code for one in dossiers], seed, truth),
        TRANSACTIONS: transactions(seed, truth),
    }
    truth.write(truth_path, {name: len(rows) for name, rows in lists.items()})
    return lists
