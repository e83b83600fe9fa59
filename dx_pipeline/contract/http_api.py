"""What a contract says of a JSON API: where the records lie, how it pages, how it tells errors.

No host and no token is in it: those are the connection's. See docs/onboard-a-source.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from dx_pipeline.contract.place import Place

PagingStyle = Literal["none", "page", "offset", "cursor", "link"]

API_KEYS = {"records", "paging", "total", "error", "parameters", "since", "requestsFrom"}
_STYLES = ("none", "page", "offset", "cursor", "link")
_PAGING_KEYS = {"style", "parameter", "sizeParameter", "size", "first", "next", "mostPages"}
_ERROR_KEYS = {"code", "ok", "empty", "busy", "message"}
_LIST_KEYS = {"path", "records", "total", "paging", "parameters", "send"}
_NAMED_FORMATS = ("iso", "iso_offset", "epoch", "epoch_ms")
_SECRETS = ("token", "apikey", "api_key", "password", "secret", "authorization", "access_key")
_MOST_PAGES = 10_000
MOST_REQUESTED = 10_000


@dataclass(frozen=True)
class Paging:
    """How one answer leads to the next.

    ``page`` counts answers from ``first``, ``offset`` counts records, ``cursor`` hands back the value at
    the dotted path ``next``, ``link`` follows the address found there.
    """

    style: PagingStyle = "none"
    parameter: str | None = None
    size_parameter: str | None = None
    size: int | None = None
    first: int = 1
    next: str | None = None
    most_pages: int = _MOST_PAGES


@dataclass(frozen=True)
class Since:
    """The parameter that asks for what changed since a moment, and how the moment is written.

    ``format`` is ``iso``, ``iso_offset``, ``epoch`` (seconds), ``epoch_ms`` or a pattern of ``strftime``.
    """

    parameter: str
    format: str = "iso"


@dataclass(frozen=True)
class RequestList:
    """Another resource of the API whose records say what is asked: one request for each different combination.

    ``send`` maps a parameter of the request to the dotted path of its value in a record of the list.
    """

    path: str
    send: Mapping[str, str]
    records: str = ""
    paging: Paging = field(default_factory=Paging)
    total: str | None = None
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpApi:
    """One resource of a JSON API. Paths into an answer are dotted; ``records`` "" is the answer itself.

    Attributes:
        ok_codes: values at ``error_code`` that mean success, as text; None stands for null or absent.
        empty_codes: values that mean there is no record for what was asked.
        busy_codes: values that mean to ask again, as HTTP 503 does.
        parameters: sent with every request; more than one value means one walk through all pages per
            combination of values.
        requests_from: the list that says for which further values it is asked.
    """

    records: str = ""
    paging: Paging = field(default_factory=Paging)
    total: str | None = None
    error_code: str | None = None
    ok_codes: tuple[str | None, ...] = ("0", None)
    empty_codes: tuple[str | None, ...] = ()
    busy_codes: tuple[str | None, ...] = ()
    error_message: str | None = None
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: Since | None = None
    requests_from: RequestList | None = None

    @property
    def asks_more_than_once(self) -> bool:
        """True if the records come from several walks, so that no total holds for all of them."""
        return self.requests_from is not None or any(len(values) > 1 for values in self.parameters.values())


def parse_http_api(value: Mapping[str, Any], place: Place) -> HttpApi:
    """The API part of a contract's ``source``; refuses what cannot work, with file, path and reason."""
    _check_path(value.get("path"), place.at("path"))
    error = _mapping(value.get("error"), place.at("error"), _ERROR_KEYS)
    if error and "code" not in error:
        place.at("error.code").refuse("is missing; give the dotted path of the code, e.g. error.code")
    codes = {
        name: _codes(error.get(name, otherwise), place.at(f"error.{name}"), meaning)
        for name, otherwise, meaning in (
            ("ok", [0, None], "success, e.g. [0, null]"),
            ("empty", [], "that there is no record, e.g. [404]"),
            ("busy", [], "to ask again, e.g. [503]"),
        )
    }
    for name in ("empty", "busy"):
        both = [code for code in codes[name] if code in codes["ok"] or (name == "busy" and code in codes["empty"])]
        if both:
            place.at(f"error.{name}").refuse(f"{both[0]!r} has another meaning already")
    parameters = _parameters(value.get("parameters"), place.at("parameters"))
    return HttpApi(
        records=_path(value.get("records"), place.at("records")) or "",
        paging=_paging(value.get("paging"), place.at("paging")),
        total=_path(value.get("total"), place.at("total")),
        error_code=_path(error.get("code"), place.at("error.code")),
        ok_codes=codes["ok"],
        empty_codes=codes["empty"],
        busy_codes=codes["busy"],
        error_message=_path(error.get("message"), place.at("error.message")),
        parameters=parameters,
        since=_since(value.get("since"), place.at("since")),
        requests_from=_request_list(value.get("requestsFrom"), parameters, place.at("requestsFrom")),
    )


def _check_path(value: Any, place: Place) -> str:
    path = str(value or "")
    if not path.startswith("/") or "?" in path or "#" in path or "\\" in path or ".." in path.split("/"):
        place.refuse("must be a path below the connection's URL, such as /petitions, without ? # and ..")
    return path


def _codes(value: Any, place: Place, meaning: str) -> tuple[str | None, ...]:
    if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
        place.refuse(f"must be a list of codes that mean {meaning}")
    return tuple(None if item is None else parameter_text(item) for item in value)


def _request_list(value: Any, own: Mapping[str, Any], place: Place) -> RequestList | None:
    given = _mapping(value, place, _LIST_KEYS)
    if value is None:
        return None
    send = _mapping(given.get("send"), place.at("send"), None)
    if not send:
        place.at("send").refuse("is missing: {parameter: path of its value in a record of the list}")
    for name in send:
        _refuse_secret(name, place.at(f"send.{name}"))
        if name in own:
            place.at(f"send.{name}").refuse("is given in source.parameters too")
    return RequestList(
        path=_check_path(given.get("path"), place.at("path")),
        send={name: _path(path, place.at(f"send.{name}")) or name for name, path in send.items()},
        records=_path(given.get("records"), place.at("records")) or "",
        paging=_paging(given.get("paging"), place.at("paging")),
        total=_path(given.get("total"), place.at("total")),
        parameters=_parameters(given.get("parameters"), place.at("parameters")),
    )


def parameter_text(value: Any) -> str:
    """A YAML scalar as it is written in a URL or an answer."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _paging(value: Any, place: Place) -> Paging:
    given = _mapping(value, place, _PAGING_KEYS)
    style = given.get("style", "none")
    if style not in _STYLES:
        place.at("style").refuse(f"is {style!r}, must be one of {', '.join(_STYLES)}")
    if style in ("page", "offset", "cursor") and not given.get("parameter"):
        place.at("parameter").refuse(f"is needed for paging style {style}")
    if style in ("cursor", "link") and not given.get("next"):
        place.at("next").refuse(f"is needed for paging style {style}: the dotted path of what leads to the next page")
    if given.get("sizeParameter") and not given.get("size"):
        place.at("size").refuse("is needed with sizeParameter: how many records a page shall hold")
    return Paging(
        style=cast(PagingStyle, style),
        parameter=_path(given.get("parameter"), place.at("parameter")),
        size_parameter=_path(given.get("sizeParameter"), place.at("sizeParameter")),
        size=None if given.get("size") is None else _whole(given["size"], place.at("size"), 1),
        first=_whole(given.get("first", 0 if style == "offset" else 1), place.at("first"), 0),
        next=_path(given.get("next"), place.at("next")),
        most_pages=_whole(given.get("mostPages", _MOST_PAGES), place.at("mostPages"), 1),
    )


def _parameters(value: Any, place: Place) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    combinations = 1
    for name, given in _mapping(value, place, None).items():
        _refuse_secret(name, place.at(name))
        values = given if isinstance(given, list) else [given]
        if not values or any(item is None or isinstance(item, dict | list) for item in values):
            place.at(name).refuse("must be a text, a number, or a list of them")
        found[name] = tuple(parameter_text(item) for item in values)
        combinations *= len(values)
    if combinations > MOST_REQUESTED:
        place.refuse(f"make {combinations} combinations, more than the {MOST_REQUESTED} that are asked for")
    return found


def _refuse_secret(name: str, place: Place) -> None:
    if any(word in name.lower().replace("-", "_") for word in _SECRETS):
        place.refuse(
            "looks like a secret; none belongs into a contract",
            "put the token into the environment variable DX_CONNECTION_<NAME>_TOKEN",
        )


def _since(value: Any, place: Place) -> Since | None:
    given = _mapping(value, place, {"parameter", "format"})
    if not given:
        return None
    if not given.get("parameter"):
        place.at("parameter").refuse("is missing: the name of the parameter that takes the moment")
    pattern = str(given.get("format", "iso"))
    if pattern not in _NAMED_FORMATS:
        moment = datetime(2023, 1, 31)
        try:
            is_right = datetime.strptime(moment.strftime(pattern), pattern) == moment
        except (ValueError, TypeError):
            is_right = False
        if not is_right:
            place.at("format").refuse(
                f"is {pattern[:40]!r}, must be {', '.join(_NAMED_FORMATS)} or a pattern such as %d/%m/%Y %H:%M:%S"
            )
    return Since(str(given["parameter"]), pattern)


def _mapping(value: Any, place: Place, known: set[str] | None) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        place.refuse("must be a mapping")
    unknown = set(value) - known if known is not None else set()
    if unknown:
        place.refuse(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(known or ()))}")
    return dict(value)


def _path(value: Any, place: Place) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or value.strip(".") != value:
        place.refuse(f"is {value!r}, must be a name or a dotted path such as data.items")
    return value


def _whole(value: Any, place: Place, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        place.refuse(f"is {value!r}, must be a whole number from {least} up")
    return value
