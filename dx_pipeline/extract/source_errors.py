"""What a database driver says, turned into our errors: which dataset, what happened, what to do.

Drivers put URLs, hosts and whole queries into their messages; only the first line is kept, without any URL.
"""

from __future__ import annotations

import re

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    AccessRefused,
    ContractError,
    DxError,
    SourceDrift,
    SourceSilent,
    SourceUnavailable,
    UnreadableSource,
)

_URL = re.compile(r"\b[\w+.-]+://\S+")
_NOISE = re.compile(
    r"^(?:[A-Z_]+: )?(?:\[(?:libpq|SQLite)\] )?(?:Failed to [^:]{0,60}: |Execution error \[\w+\]: )?"
    r"(?:ERROR:\s+|FATAL:\s+)?"
)
_LONGEST = 300
_QUOTED_VALUE = re.compile(r': ".*$')
_NO_ANSWER = re.compile(r"\btime(?:d |-)?out\b|\bno byte within\b|\bno connection within\b", re.IGNORECASE)
_STATES_BY_WORDS = (
    ("password authentication failed", "28P01"),
    ("authentication failed", "28000"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("pg_hba.conf rejects", "28000"),
    ("is not permitted to log in", "28000"),
    ("canceling statement", "57014"),
    ("lock timeout", "55P03"),
    ("terminating connection", "57P01"),
    ("permission denied", "42501"),
    ("byte sequence", "22021"),
    ("out of range", "22003"),
    ("division by zero", "22012"),
    ("invalid input syntax", "22P02"),
)


def redact(text: str, *secrets: str | None) -> str:
    """One line of a driver's message without URLs and without the given secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _URL.sub("***", text)
    cut = re.split(r"\n\s*(?:Query was|LINE \d+|DETAIL|HINT)\b|\bSQLSTATE\b", text)[0]
    flat = " ".join(cut.split()).rstrip(". ")
    return _NOISE.sub("", flat, count=1)[:_LONGEST]


def unreachable(contract: Contract, reason: str) -> SourceUnavailable:
    """The source cannot be reached at all, or does not answer in time."""
    kind = SourceSilent if _NO_ANSWER.search(reason) else SourceUnavailable
    return kind(
        f"{contract.id}: the source of system {contract.system} cannot be reached: {reason}",
        next_step=f"check that the server runs, that this machine may reach it, and the URL of the connection of "
        f"system {contract.system} (user, password, database); then run again",
    )


def silent(contract: Contract, seconds: float) -> SourceSilent:
    """The source took the connection and then gave nothing for so long that we stopped to wait."""
    return SourceSilent(
        f"{contract.id}: the source of system {contract.system} has given no answer for {seconds:g} seconds",
        next_step="ask the owner whether the server is overloaded or blocked; if it only needs longer, raise "
        "DX_SOURCE_SILENCE_SECONDS; then run again",
    )


def access_refused(contract: Contract, reason: str) -> AccessRefused:
    """The source knows us and does not let us in: password, account or the list of allowed machines."""
    return AccessRefused(
        f"{contract.id}: the source of system {contract.system} refuses the account: {reason}",
        next_step=f"check user, password, database in the URL of the connection of system {contract.system}, or ask the "
        f"owner {contract.owner_agency} to let this account in; it is not tried again, so that it is not locked",
    )


def connection_lost(contract: Contract, reason: str) -> SourceUnavailable:
    """The connection broke while rows were read."""
    kind = SourceSilent if _NO_ANSWER.search(reason) else SourceUnavailable
    return kind(
        f"{contract.id}: the connection to the source broke while {contract.source.label} was read: {reason}",
        next_step="run it again (nothing of this attempt was kept); if it stays so, ask the owner for the server's log",
    )


def timed_out(contract: Contract, reason: str) -> SourceUnavailable:
    """The source cancelled the statement or a lock was not given in time."""
    return SourceUnavailable(
        f"{contract.id}: the source stopped reading {contract.source.label}: {reason}",
        next_step="run it again when the source is quieter, or ask its owner for a longer statement timeout or an "
        "index on the cursor column",
    )


def permission_denied(contract: Contract, reason: str) -> AccessRefused:
    """The account may not read the relation."""
    return AccessRefused(
        f"{contract.id}: the account of system {contract.system} may not read {contract.source.label}: {reason}",
        next_step="ask the owner to grant select on it to the reading account",
    )


def relation_missing(contract: Contract, reason: str) -> SourceDrift:
    """The table, view or schema is not there."""
    return SourceDrift(
        f"{contract.id}: {contract.source.label} does not exist in the source: {reason}",
        next_step=f"ask the owner {contract.owner_agency} whether it was renamed or dropped; if renamed, mend source "
        f"in {contract.path} and raise the contract's version",
    )


def column_missing(contract: Contract, reason: str) -> SourceDrift:
    """A column of the contract is not in the relation."""
    return SourceDrift(
        f"{contract.id}: {contract.source.label} lacks a column of the contract: {reason}",
        next_step=f"agree with the owner {contract.owner_agency}, then mend physicalName in {contract.path} and raise "
        "the contract's version",
    )


def statement_refused(contract: Contract, reason: str) -> ContractError:
    """The source understands the statement but will not run it as the contract wrote it."""
    return ContractError(
        f"{contract.id}: the source refuses the query on {contract.source.label}: {reason}",
        next_step=f"mend source and load in {contract.path}",
    )


def value_unreadable(contract: Contract, reason: str) -> UnreadableSource:
    """A value in the source cannot be decoded or cast."""
    return UnreadableSource(
        f"{contract.id}: a value in {contract.source.label} cannot be read: {reason}",
        next_step="ask the owner to mend the value, or read it through source.kind: query with an explicit cast",
    )


def sqlstate_of_message(reason: str) -> str | None:
    """The SQLSTATE that belongs to a PostgreSQL server's English words; None if they are not known."""
    return next((state for words, state in _STATES_BY_WORDS if words in reason), None)


def from_sqlstate(contract: Contract, sqlstate: str | None, reason: str) -> DxError | None:
    """The error for a PostgreSQL SQLSTATE; None if the state tells nothing."""
    state = sqlstate or ""
    if state in ("42P01", "3F000"):
        return relation_missing(contract, reason)
    if state == "42703":
        return column_missing(contract, reason)
    if state == "42501":
        return permission_denied(contract, reason)
    if state in ("57014", "55P03", "25P03", "25P04"):
        return timed_out(contract, reason)
    if state.startswith("28"):
        return access_refused(contract, reason)
    if state in ("3D000", "53300", "57P03"):
        return unreachable(contract, reason)
    if state.startswith(("08", "57P", "40", "53", "58", "XX")):
        return connection_lost(contract, reason)
    if state.startswith("22"):
        return value_unreadable(contract, _QUOTED_VALUE.sub("", reason))  # the value may be personal
    if state.startswith(("42", "21", "0A", "25")):
        return statement_refused(contract, reason)
    return None
