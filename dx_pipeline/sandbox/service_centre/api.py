"""The service centre's API: three lists, each paged in its own way, a status code inside every answer.

``00`` is success, ``01`` a parameter that is wrong, ``98`` busy. All are sent with HTTP 200.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from dx_pipeline.sandbox.web.answer import Answer, Data, Record, number

_MOST = 250
_BUSY_EVERY = 31
_asked = itertools.count(1)


def answer_service_centre(path: str, query: Mapping[str, str], data: Data) -> Answer | None:
    """One page of one list."""
    name = path.strip("/").replace("-", "_")
    if name not in data:
        return None
    if next(_asked) % _BUSY_EVERY == 0:
        return _answer("98", "Hệ thống đang bận")
    size = number(query, "soDong", 20, _MOST)
    records = data[name]
    if name == "danh_gia_hai_long":
        page = number(query, "trang", 1, 10**6)
        since = query.get("tuThoiDiem", "")
        records = [one for one in records if str(one["ThoiGianDanhGia"]) >= since]
        start = None if not page or size is None else (page - 1) * size
    elif name == "phan_anh_kien_nghi":
        start = number(query, "boQua", 0, 10**9)
    else:
        cursor = query.get("tiepTheo", "")
        start = number({"at": cursor.removeprefix("c")}, "at", 0, 10**9) if cursor else 0
    if not size or start is None:
        return _answer("01", "Tham số không đúng")
    return _page(records, start, size, has_cursor=name == "luot_giao_dich")


def _page(records: Sequence[Record], start: int, size: int, *, has_cursor: bool) -> Answer:
    content: dict[str, Any] = {"items": records[start : start + size], "total": len(records)}
    if has_cursor:
        content["tiepTheo"] = f"c{start + size}" if start + size < len(records) else None
    return _answer("00", "", content)


def _answer(code: str, message: str, content: Any = None) -> Answer:
    return Answer({"status": {"code": code, "message": message}, "data": content})
