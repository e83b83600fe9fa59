"""A small JSON API of petitions for tests, its contract, and how it is read or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.contract.http_api import HttpApi, Paging
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    DxError,
)
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract
from tests.http_server import Reply, Request, json_reply, serving

SECRET = "s3cret-T0ken"
PEOPLE = [{"id": n, "name": f"Người {n}", "address": {"maXa": f"{19000 + n}"}} for n in range(1, 26)]


def petitions(api: HttpApi = HttpApi(records="data"), columns: str = "id name address.maXa", **more: Any) -> Contract:
    return make_contract(columns.split(), kind="http_json", path="/petitions", api=api, **more)


def with_token(url: str) -> str:
    return url.replace("://", f"://PAKN:{SECRET}@")


def read(contract: Contract, url: str, window: Window = Window("full")) -> tuple[Extraction, list[dict[str, Any]]]:
    with open_source(contract, with_token(url)) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table.to_pylist()


def refused(
    answer: Callable[[Request], Reply], kind: type[DxError], words: str, api: HttpApi = HttpApi(records="data")
) -> list[Request]:
    """The one message; it says what to do and holds neither token nor address."""
    with serving(answer) as server, pytest.raises(kind, match=words) as caught:
        read(petitions(api), server.url)
    assert caught.value.next_step
    assert SECRET not in str(caught.value)
    assert str(server.port) not in str(caught.value)
    assert "one_stop.ho_so" in caught.value.what
    return server.requests


def by_page(request: Request) -> Reply:
    size, page = int(request.query["size"]), int(request.query["page"])
    return json_reply({"data": PEOPLE[(page - 1) * size : page * size], "total": 25})


PAGES = Paging("page", "page", "size", 10)
