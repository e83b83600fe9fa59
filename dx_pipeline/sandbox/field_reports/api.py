"""The operations centre's API: ``/reports``, page after page by the link ``next``, a code inside every answer."""

from __future__ import annotations

from collections.abc import Mapping

from dx_pipeline.sandbox.web.answer import Answer, Data, number

_MOST = 200


def answer_field_reports(path: str, query: Mapping[str, str], data: Data) -> Answer | None:
    """One page of the reports; ``after`` is how many were given already."""
    if path != "/reports":
        return None
    size, after = number(query, "limit", 50, _MOST), number(query, "after", 0, 10**9)
    if not size or after is None:
        return Answer({"code": 400, "message": "limit, after: số nguyên", "data": None, "total": 0, "next": None})
    reports = data["reports"]
    onward = after + size
    more = f"/field-reports/reports?limit={size}&after={onward}" if onward < len(reports) else None
    page = reports[after:onward]
    return Answer({"code": 0, "message": "", "total": len(reports), "data": page, "next": more})
