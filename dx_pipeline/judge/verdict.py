"""Judge one cleaned batch: accepted and rejected rows as a stream, then the verdict.

with Judgement(contract, load_suite(contract), cleaned, work_dir=folder) as judgement:
    for batch in judgement.batches():
        ...                      # batch.accepted, batch.rejected
    verdict = judgement.verdict()
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb
import pyarrow as pa

from dx_pipeline.contract.model import DAY_SUFFIX, KEY_SUFFIX, Contract
from dx_pipeline.judge.batch_session import BatchSession, JudgeError, unjudgeable
from dx_pipeline.judge.deduplicate import Deduplicated, deduplicate, repeated_values
from dx_pipeline.judge.great_expectations_import import import_great_expectations
from dx_pipeline.judge.outcome import RuleOutcome, Verdict, reasons_to_hold
from dx_pipeline.judge.row_hash import row_hash_sql
from dx_pipeline.judge.rule_spec import NOTE_SUFFIX, UNREADABLE_SUFFIX, Suite
from dx_pipeline.judge.split import JudgedBatch, Splitter
from dx_pipeline.judge.suite import load_suite, suite_error
from dx_pipeline.judge.suite_guards import suite_problems
from dx_pipeline.judge.tagging import RowRule, TaggingQuery, flag_words

if TYPE_CHECKING:
    from dx_pipeline.judge.results import RuleEngine

__all__ = [
    "JudgeError",
    "JudgedBatch",
    "Judgement",
    "RuleOutcome",
    "Suite",
    "Verdict",
    "load_suite",
]

# Functions of another column that is in the hash already.
_WORKED_OUT = (DAY_SUFFIX, KEY_SUFFIX)
_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")


def prepare_to_judge() -> None:
    """Import Great Expectations: 2 s and 260 MB that only a judging process pays, best before the first batch is there."""
    import_great_expectations()
    import dx_pipeline.judge.results  # noqa: F401


class Judgement:
    """One batch of one dataset before its suite. Not shared between threads; many may run at once."""

    def __init__(
        self,
        contract: Contract,
        suite: Suite,
        cleaned: Path | Sequence[Path],
        *,
        work_dir: Path,
        memory_limit: str = "384MB",
        threads: int = 2,
        extra_columns: Mapping[str, str] | None = None,
        extra_parameters: Mapping[str, bytes | str | int] | None = None,
        reference_tables: Mapping[str, Path | Sequence[Path]] | None = None,
        released_rows: Mapping[int, frozenset[str]] | None = None,
        batch_rows: int = 65_536,
    ) -> None:
        """Prepare; nothing is read before ``batches``.

        Args:
            cleaned: Parquet file or files of the cleaned batch (``_row``, columns, ``__unreadable``,
                ``__note``); ``_row`` is unique over all of them.
            work_dir: folder for spilled data; nothing stays there.
            memory_limit: cap of DuckDB's memory; the process needs some 350 MB beside it.
            extra_columns: DuckDB SQL expression over the cleaned columns, by name; added to accepted rows.
            extra_parameters: values of ``$name`` parameters of those expressions; bound, never written
                into SQL text, plans or messages.
            reference_tables: Parquet files of tables that ``expect_column_values_to_exist_in_table`` names.
            released_rows: per ``_row`` the reason codes a person has overruled for it.
            batch_rows: rows per judged batch.
        """
        self._contract = contract
        self._suite = suite
        self._cleaned = _as_paths(cleaned)
        if not self._cleaned:
            raise JudgeError(
                f"Lô {contract.id} không có tệp nào | batch of {contract.id} has no file",
                next_step="Làm sạch lô trước khi chấm | clean the batch before judging it",
            )
        self._work_dir = work_dir
        self._memory_limit = memory_limit
        self._threads = threads
        self._extra = dict(extra_columns or {})
        used = {name for expression in self._extra.values() for name in _PARAMETER.findall(expression)}
        self._parameters = {name: value for name, value in (extra_parameters or {}).items() if name in used}
        self._references = {name: _as_paths(paths) for name, paths in (reference_tables or {}).items()}
        self._released_rows = dict(released_rows or {})
        self._batch_rows = batch_rows
        self._resources = ExitStack()
        self._verdict: Verdict | None = None
        self._started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release DuckDB, Great Expectations and what was spilled. The verdict stays readable."""
        self._resources.close()

    def verdict(self) -> Verdict:
        """The verdict. Raises JudgeError before ``batches`` has been read to its end."""
        if self._verdict is None:
            raise JudgeError(
                f"Lô {self._contract.id} chưa chấm xong | batch of {self._contract.id} is not judged to its end",
                next_step="Đọc hết batches() trước | read batches() to its end first",
            )
        return self._verdict

    def batches(self) -> Iterator[JudgedBatch]:
        """Judge and hand out the rows, a bounded number at a time; may be called once.

        Raises:
            SuiteError: the suite does not fit the cleaned batch or Great Expectations refuses a rule.
            JudgeError: the batch cannot be read, memory is too small, or a rule crashed on a value.
        """
        if self._started:
            raise JudgeError(
                "batches() đã được gọi | batches() was called before",
                next_step="Tạo Judgement mới | make a new Judgement",
            )
        self._started = True
        try:
            yield from self._judge()
        except (duckdb.Error, pa.ArrowException) as error:
            raise unjudgeable(error, self._contract.id) from None

    def _judge(self) -> Iterator[JudgedBatch]:
        prepare_to_judge()
        from dx_pipeline.judge.results import RuleEngine

        session = BatchSession(
            self._cleaned,
            self._references,
            work_dir=self._work_dir,
            memory_limit=self._memory_limit,
            threads=self._threads,
        )
        self._resources.callback(session.close)
        columns = session.columns()
        names = [name for name, _ in columns]
        problems = suite_problems(self._suite, self._contract, names)
        if problems:
            raise suite_error(self._suite.path, problems)
        extracted = session.rows()
        identity = row_identity_columns(self._contract)
        repeats = deduplicate(
            session.connection,
            [column for column in columns if column[0] not in identity],
            self._contract.key_columns,
            self._contract.load.cursor,
        )
        engine = self._resources.enter_context(RuleEngine(self._contract, self._suite, session))
        accepted = quarantined = flagged = 0
        if extracted:
            for batch in self._tagged(session, engine, repeats):
                accepted += batch.accepted.num_rows
                quarantined += batch.rejected.num_rows
                flagged += batch.accepted.num_rows - batch.accepted.column("_warnings").null_count
                yield batch
        if extracted != accepted + quarantined + repeats.dropped:
            raise JudgeError(
                f"Số dòng của {self._contract.id} không cân | rows of {self._contract.id} do not balance: "
                f"{extracted} extracted, {accepted} accepted, {quarantined} quarantined, "
                f"{repeats.dropped} duplicate",
                next_step="Kiểm tra cột _row là duy nhất | check that _row is unique",
            )
        outcomes = engine.outcomes(accepted + quarantined)
        self._verdict = Verdict(
            extracted=extracted,
            accepted=accepted,
            quarantined=quarantined,
            duplicate=repeats.dropped,
            flagged=flagged,
            outcomes=outcomes,
            reasons={
                outcome.code: outcome.unexpected
                for rule, outcome in zip(self._suite.rules, outcomes, strict=True)
                if rule.quarantines and outcome.unexpected and outcome.exception is None
            },
            held=reasons_to_hold(self._contract, self._suite.rules, outcomes, accepted, quarantined),
        )

    def _tagged(self, session: BatchSession, engine: RuleEngine, repeats: Deduplicated) -> Iterator[JudgedBatch]:
        """Run the tagging query and split each of its batches."""
        rules = engine.row_rules()
        query = TaggingQuery(rules, self._repeated(session, rules, repeats))
        tally = engine.start_tally(query)
        shown = [column.name for column in self._contract.columns if not column.is_personal]
        splitter = Splitter(
            query.register,
            critical={rule.code: query.flags[rule.code].broken for rule in rules if rule.quarantines},
            warning={rule.code: query.flags[rule.code].broken for rule in rules if rule.flags},
            fields=[session.schema.field(name).remove_metadata() for name in shown],
            extra=list(self._extra),
            released=self._released_rows,
        )
        types = dict(session.types_of(query.sql(shown, self._extra, "0"), self._parameters))
        not_content = {self._contract.load.cursor, *row_identity_columns(self._contract)}
        hashed = [n for n in (*shown, *self._extra) if n not in not_content and not n.endswith(_WORKED_OUT)]
        row_hash = row_hash_sql([(name, types[name]) for name in hashed])
        try:
            relation = session.connection.sql(query.sql(shown, self._extra, row_hash), params=self._parameters or None)
            with relation.to_arrow_reader(self._batch_rows) as reader:
                for batch in reader:
                    tally.add(flag_words(batch), batch.column("_row").to_numpy())
                    yield splitter.split(batch)
        except (duckdb.Error, pa.ArrowException) as error:
            code = None if isinstance(error, duckdb.OutOfMemoryException) else engine.crashing_rule()
            raise unjudgeable(error, self._contract.id, rule=code) from None

    def _repeated(
        self, session: BatchSession, rules: Sequence[RowRule], repeats: Deduplicated
    ) -> dict[str, str | None]:
        """Per uniqueness rule the table of values that occur more than once, or None."""
        tables: dict[str, str | None] = {}
        for number, rule in enumerate(rules):
            if rule.broken is None:
                table = f"repeated_{number}"
                is_key = set(rule.columns) == set(self._contract.key_columns) and rule.row_filter is None
                known_unique = is_key and not repeats.has_contested_keys
                found = not known_unique and repeated_values(session.connection, rule.columns, rule.domain, table)
                tables[rule.code] = table if found else None
        return tables


def row_identity_columns(contract: Contract) -> frozenset[str]:
    """Cleaned columns that only tell which physical row of the source this is.

    A copy of a record under another row number is still a copy: these columns are not content.
    """
    names = [name for name in contract.row_identity if name not in contract.key_columns]
    beside = ("", UNREADABLE_SUFFIX, NOTE_SUFFIX, KEY_SUFFIX)
    return frozenset({name + suffix for name in names for suffix in beside})


def _as_paths(paths: Path | Sequence[Path]) -> tuple[Path, ...]:
    return (paths,) if isinstance(paths, Path) else tuple(paths)
