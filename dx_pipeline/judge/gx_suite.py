"""The real Great Expectations objects of a suite, and a quiet context to judge with.

Great Expectations costs 3-4 s and 260 MB to import: import this module only where a batch is judged.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import great_expectations as gx
from great_expectations.core import ExpectationSuite
from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity

from dx_pipeline.judge import row_rules  # noqa: F401  (registers the custom expectations)
from dx_pipeline.judge.rule_spec import RuleSpec, Suite, rule_label
from dx_pipeline.judge.suite import suite_error

# Importing Great Expectations sends every warning of the process to the log "py.warnings".
logging.captureWarnings(False)
# It logs exceptions with the values that caused them, which may be personal; outcomes carry them without.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)

# `get_context` sets a project manager of the whole process.
_context_lock = threading.Lock()


def quiet_context() -> AbstractDataContext:
    """A context of its own: no files, no progress bars; shared by nobody."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
    )
    with _context_lock:
        return gx.get_context(mode="ephemeral", project_config=config)


def build_expectations(suite: Suite) -> dict[str, Expectation]:
    """Expectation of each rule, by code.

    ``ExpectationSuite`` drops what it cannot build with a line in the log; here it is an error.
    Raises SuiteError naming file, rule and reason.
    """
    built: dict[str, Expectation] = {}
    problems = []
    for rule in suite.rules:
        try:
            built[rule.code] = _configuration(rule).to_domain_obj()
        except (GreatExpectationsError, AttributeError, KeyError, TypeError, ValueError) as error:
            problems.append(f"{rule_label(rule.position, rule.code)}: {_reason(error)}")
    if problems:
        raise suite_error(suite.path, problems)
    return built


def named_suite(name: str, expectations: list[Expectation]) -> ExpectationSuite:
    """Suite of exactly these expectations. Raises RuntimeError if any was dropped."""
    made = ExpectationSuite(name=name, expectations=list(expectations))
    if len(made.expectations) != len(expectations):
        raise RuntimeError(f"{name}: {len(expectations)} expectations became {len(made.expectations)}")
    return made


def _configuration(rule: RuleSpec) -> ExpectationConfiguration:
    return ExpectationConfiguration(
        type=rule.type,
        kwargs=dict(rule.kwargs),
        severity=FailureSeverity(rule.severity),
        meta={"code": rule.code, "vi": rule.message_vi, "en": rule.message_en},
    )


def _reason(error: Exception) -> str:
    """Reasons of a pydantic error on one line, or the error itself."""
    errors: Any = getattr(error, "errors", None)
    if callable(errors):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors())
    return " ".join(str(error).split()) or type(error).__name__
