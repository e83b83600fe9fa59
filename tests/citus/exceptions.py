"""Where the project breaks a rule knowingly. Each entry must still be needed: a test fails when one no longer is.

``works`` means that Citus takes the statement all the same, for the reason given. Otherwise the entry is a piece of work
that is still to be done before this part runs on Citus; docs/scale.md lists those for the operator.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A breach: rule, where (the beginning of the source), what (part of the complaint), why it is let be."""

    rule: str
    source: str
    complaint: str
    works: bool
    reason: str


SEQUENTIAL_ANYWAY = (
    "the transaction is sequential from its first statement on, which is what the rule is there for; the order cannot be"
    " turned: {}"
)

KNOWN = (
    Known(
        "R13",
        "migrations/0071_stale_statistics.sql: function ops.refresh_statistics",
        "pg_relation_size()",
        True,
        "a distributed table looks empty there, so the function takes no statistics of it; autovacuum of the workers does."
        " Nothing is counted by it",
    ),
    Known(
        "R12",
        "migrations/0009_fact_dossier.sql",
        "kept, other are not joined",
        False,
        "core.duplicate_dossier asks for both codes of a dossier, and two codes mean two shards. On Citus: set"
        " citus.enable_repartition_joins for the roles that read it, or keep the answer in core.dossier_alias",
    ),
    Known(
        "R12",
        "migrations/0034_service_centre.sql",
        "d, f, own are not joined",
        False,
        "core.satisfaction_checked looks for a rated dossier under either of its codes; the same remedy",
    ),
    Known(
        "R6",
        "load/one_stop/ho_so.sql",
        "core.dossier_alias is written after",
        True,
        SEQUENTIAL_ANYWAY.format("an alias is told from the dossiers of the same batch"),
    ),
    Known(
        "R6",
        "load/one_stop/ho_so.sql",
        "core.dossier_alias_history is written after",
        True,
        SEQUENTIAL_ANYWAY.format("it is the former version of an alias"),
    ),
    *(
        Known(
            "R6",
            source,
            f"core.{dimension}_history is written after",
            True,
            SEQUENTIAL_ANYWAY.format("versions of members are compared once, after the last step"),
        )
        for source, dimension in (
            ("load/one_stop/ho_so.sql", "dim_agency"),
            ("load/one_stop/ho_so.sql", "dim_procedure"),
            ("load/one_stop/ho_so.sql", "dim_field"),
            ("load/service_centre/danh_gia_hai_long.sql", "dim_agency"),
        )
    ),
    *(
        Known(
            "R14",
            "migrations/0092_indicator_score.sql",
            f"not its table core.{table}",
            False,
            "mart.indicator_component is a view for BI over two dimensions; on Citus grant dx_bi usage of schema core and"
            " select on these two, or make it a table that is refreshed",
        )
        for table in ("dim_indicator_component", "dim_indicator_set")
    ),
    Known(
        "R13",
        "dx_pipeline/warehouse/merge_upsert.py",
        "_fill_fresh_partitions",
        True,
        "an INSERT into a new empty table, without ON CONFLICT: every row it reports was inserted",
    ),
    Known(
        "R13",
        "dx_pipeline/warehouse/merge.py",
        "_run_step",
        True,
        "a merge=sql step never balances the ledger; a number too high makes marts be computed once more, no more than that",
    ),
)
