"""The pages of a JSON API, one after the other, each checked: success, shape, total, and that paging ends."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from dx_pipeline.contract.http_api import MOST_REQUESTED, HttpApi, RequestList
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, IncompleteExtract, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract.http_client import Answer, ApiClient, NoSuchPath, Query
from dx_pipeline.extract.json_document import MISSING, BadJsonError, found_at, parse_json, split_path, text_of

_MOST_EMPTY = 20
_NO_RECORD: Any = object()
_TOKEN_CODES = ("401", "403")


class AnsweredWithError(SourceUnavailable):
    """HTTP 200, and an error code in the answer."""


@dataclass(frozen=True)
class Page:
    """Records of one answer.

    Attributes:
        total: how many records the API says there are on all pages; None if it does not say.
        parameters: those of the contract, and of the list that drives it, as they were sent for this page.
        made_at: the server's clock.
    """

    records: list[dict[str, Any]]
    total: int | None
    parameters: Mapping[str, str]
    made_at: datetime | None


def api_of(contract: Contract) -> HttpApi:
    """The API part of the contract's source."""
    if contract.source.api is None:
        raise ContractError(f"{contract.id}: source kind {contract.source.kind} is not read over HTTP")
    return contract.source.api


def read_pages(client: ApiClient, contract: Contract, bound: Mapping[str, str]) -> Iterator[Page]:
    """All pages, for each combination of the contract's parameters.

    Args:
        bound: further parameters of every request (the window).

    Raises:
        IncompleteExtract: more or fewer records came than the API said.
        ContractError: paging never ends. See also :meth:`ApiClient.get`.
    """
    api = api_of(contract)
    if api.requests_from is None:
        for sent in _combinations(api.parameters):
            yield from _Walk(client, contract, sent, bound).pages()
        return
    listed = _listed(client, contract, api.requests_from)
    for number, driven in enumerate(listed, start=1):
        which = f"request {number} of the {len(listed)} that {api.requests_from.path} lists"
        for sent in _combinations(api.parameters):
            yield from _Walk(client, contract, {**sent, **driven}, bound, which).pages()


def _combinations(parameters: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    for chosen in itertools.product(*parameters.values()):
        yield dict(zip(parameters, chosen, strict=True))


def _listed(client: ApiClient, contract: Contract, wanted: RequestList) -> list[dict[str, str]]:
    """The different combinations that the list names, in its order."""
    source = replace(contract.source, path=wanted.path, api=_list_api(api_of(contract), wanted))
    listing = replace(contract, source=source)
    found: dict[tuple[str, ...], None] = {}
    read = 0
    with client.speaking_of(listing):
        for page in read_pages(client, listing, {}):
            for number, record in enumerate(page.records, start=read + 1):
                found[tuple(_sent(contract, wanted, record, number))] = None
            read += len(page.records)
            if len(found) > MOST_REQUESTED:
                raise ContractError(
                    f"{contract.id}: {wanted.path} lists more than {MOST_REQUESTED} different requests",
                    next_step=f"narrow it with source.requestsFrom.parameters in {contract.path}, or ask the owner "
                    f"{contract.owner_agency} for a resource that gives many records at once",
                )
    return [dict(zip(wanted.send, values, strict=True)) for values in found]


def _list_api(api: HttpApi, wanted: RequestList) -> HttpApi:
    """The list as a resource of its own; it tells errors as the API does."""
    return replace(
        api,
        records=wanted.records,
        paging=wanted.paging,
        total=wanted.total,
        parameters=wanted.parameters,
        since=None,
        requests_from=None,
    )


def _sent(contract: Contract, wanted: RequestList, record: dict[str, Any], number: int) -> Iterator[str]:
    for name, path in wanted.send.items():
        value = found_at(record, path, split_path(path))
        if value is MISSING or value is None or isinstance(value, dict | list):
            raise SourceDrift(
                f"{contract.id}: record {number} of {wanted.path} has no value {path!r} for the parameter {name}",
                next_step=f"mend source.requestsFrom.send in {contract.path}, or ask the owner "
                f"{contract.owner_agency} what changed",
            )
        yield text_of(value) or ""


class _Walk:
    """One walk through all pages of one combination of parameters."""

    def __init__(
        self, client: ApiClient, contract: Contract, sent: Mapping[str, str], bound: Mapping[str, str], which: str = ""
    ) -> None:
        self._client = client
        self._contract = contract
        self._api = api_of(contract)
        self._sent = sent
        self._listed = which
        self._fixed: Query = [*sent.items(), *bound.items()]

    def pages(self) -> Iterator[Page]:
        paging = self._api.paging
        path = self._contract.source.path or ""
        query: Query = [*self._fixed, *self._start()]
        read = empty = 0
        total: int | None = None
        before: list[dict[str, Any]] = []
        seen: set[str] = set()
        for number in itertools.count(1):
            if number > paging.most_pages:
                self._refuse_endless(f"more than {paging.most_pages} pages")
            try:
                document, made_at = self._client.get(path, query, self._understood)
            except (NoSuchPath, AnsweredWithError):
                if number > 1 and total is not None and read == total:
                    break  # some APIs answer so beyond the last page
                raise
            if document is _NO_RECORD:
                break
            records = self._records(document)
            told = self._total(document)
            if number == 1:
                total = told
            elif records and told != total:
                raise IncompleteExtract(
                    f"{self._contract.id}: while {self._contract.source.label} was read page by page, its total went "
                    f"from {total} to {told}",
                    next_step="run it again when nobody writes to the source; if it stays so, source.total in "
                    f"{self._contract.path} is not the number of records on all pages",
                )
            if records and records == before:
                self._refuse_endless(f"page {number} is the same as page {number - 1}")
            before = records
            yield Page(records, total, self._sent, made_at)
            read += len(records)
            empty = 0 if records else empty + 1
            if paging.style == "none":
                break
            if paging.style in ("page", "offset"):
                is_short = paging.size is not None and len(records) < paging.size
                if not records or (total is not None and read >= total and is_short):
                    break
                query = [*self._fixed, *self._step(paging.first + (number if paging.style == "page" else read))]
                continue
            onward = text_of(found_at(document, paging.next or "", split_path(paging.next or "")))
            if onward in (None, "", "false"):
                break
            if onward in seen or empty > _MOST_EMPTY:
                self._refuse_endless("it leads back to a page that was read" if onward in seen else "only empty pages")
            seen.add(str(onward))
            if paging.style == "link":
                path, query = self._client.link(str(onward))
            else:
                query = [*self._fixed, *self._step(onward)]
        if total is not None and read != total:
            raise IncompleteExtract(
                f"{self._contract.id}: the API counts {total} records in {self._contract.source.label}{self._which()}, "
                f"{read} came",
                next_step="run it again; if it stays so, check source.paging and source.total in "
                f"{self._contract.path}, and ask the owner whether the token may see all records",
            )

    def _start(self) -> Query:
        paging = self._api.paging
        return self._step(paging.first) if paging.style in ("page", "offset") else self._step(None)

    def _step(self, where: int | str | None) -> Query:
        paging = self._api.paging
        pairs = [] if where is None or paging.parameter is None else [(paging.parameter, str(where))]
        if paging.size_parameter is not None:
            pairs.append((paging.size_parameter, str(paging.size)))
        return pairs

    def _understood(self, answer: Answer) -> tuple[Any, datetime | None]:
        """The document, or ``_NO_RECORD``; and when it was made."""
        document = self._document(answer)
        return document if self._has_records(document) else _NO_RECORD, answer.made_at

    def _document(self, answer: Answer) -> Any:
        body = answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")
        label = self._contract.source.label
        if body.startswith(b"<"):
            kind = "XML" if body.startswith(b"<?xml") else "a web page (often a login or error page)"
            raise UnreadableSource(
                f"{self._contract.id}: {label} answers with {kind}, not with JSON",
                next_step="check the URL of the connection (does it lead to the API, not to the site?) and its token",
            )
        try:
            document = parse_json(answer.body) if body else None
        except BadJsonError as error:
            raise UnreadableSource(
                f"{self._contract.id}: the answer of {label} is not valid JSON: {error}",
                next_step=f"ask the owner {self._contract.owner_agency} to mend the API",
            ) from None
        if document is None:
            raise UnreadableSource(
                f"{self._contract.id}: {label} answers with nothing",
                next_step=f"check source.path and source.parameters in {self._contract.path}",
            )
        return document

    def _has_records(self, document: Any) -> bool:
        """False if the code says that there is no record; any other code but success is refused."""
        if self._api.error_code is None:
            return True
        code = self._text(document, self._api.error_code)
        if code in self._api.ok_codes:
            return True
        if code in self._api.empty_codes:
            return False
        if code in self._api.busy_codes:
            self._client.come_again(f"{self._api.error_code} {self._client.hidden(str(code))[:40]!r}")
        words = self._text(document, self._api.error_message) if self._api.error_message else None
        told = f"{self._api.error_code} {self._client.hidden(str(code))[:40]!r}" + (
            f": {self._client.hidden(words)}" if words else ""
        )
        if code in _TOKEN_CODES:
            self._client.refuse_token(told)
        raise AnsweredWithError(
            f"{self._contract.id}: {self._contract.source.label}{self._which()} answers with {told}",
            next_step=f"ask the owner {self._contract.owner_agency} what the code means; if it means success, add it "
            f"to source.error.ok in {self._contract.path}",
        )

    def _records(self, document: Any) -> list[dict[str, Any]]:
        path = self._api.records
        value = found_at(document, path, split_path(path)) if path else document
        where = f"{path!r} in the answer of {self._contract.source.label}"
        if value is MISSING:
            names = list(document)[:10] if isinstance(document, dict) else []
            shown = ", ".join(self._client.hidden(str(name))[:40] for name in names) or "no named part"
            raise SourceDrift(
                f"{self._contract.id}: there is no {where}; it has: {shown}",
                next_step=f"mend source.records in {self._contract.path}, or ask the owner what changed",
            )
        if value is None:
            return []
        if isinstance(value, dict) and self._api.paging.style == "none":
            return [value] if value else []
        if not isinstance(value, list):
            raise SourceDrift(
                f"{self._contract.id}: {where or 'the answer'} is not a list of records",
                next_step=f"mend source.records in {self._contract.path}",
            )
        for number, record in enumerate(value, start=1):
            if not isinstance(record, dict):
                raise UnreadableSource(
                    f"{self._contract.id}: record {number} of {where} is not an object",
                    next_step=f"mend source.records in {self._contract.path}, or ask the owner to mend the record",
                )
        return value

    def _total(self, document: Any) -> int | None:
        if self._api.total is None:
            return None
        text = self._text(document, self._api.total)
        if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
            raise SourceDrift(
                f"{self._contract.id}: {self._api.total!r} in the answer of {self._contract.source.label} is not a "
                "number of records",
                next_step=f"mend source.total in {self._contract.path}, or take it out if the API tells no total",
            )
        return int(text)

    def _text(self, document: Any, path: str) -> str | None:
        try:
            return text_of(found_at(document, path, split_path(path)))
        except RecursionError:
            return "(nested too deep)"

    def _which(self) -> str:
        """Which combination it was; values that the API itself listed are not shown."""
        varied = [f"{name}={self._sent[name]}" for name, values in self._api.parameters.items() if len(values) > 1]
        if self._listed:
            varied.append(self._listed)
        return f" for {', '.join(varied)}" if varied else ""

    def _refuse_endless(self, how: str) -> NoReturn:
        raise ContractError(
            f"{self._contract.id}: the pages of {self._contract.source.label} never end: {how}",
            next_step=f"check source.paging in {self._contract.path}: does the API know the parameter "
            f"{self._api.paging.parameter!r}? style: none reads one answer, mostPages sets the bound",
        )
