"""Writes records as XML by hand, because the ways of writing are what is tested: namespaces, prefixes, CDATA, encodings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import escape

NAMESPACE: Final = "urn:dang-ky-doanh-nghiep"
NIL: Final = "\0nil"
"""Value of an element that is written empty, with xsi:nil."""

Style = Literal["plain", "cdata", "references"]


@dataclass(frozen=True)
class Dress:
    """How one file is written: its encoding, and the prefix of its elements (None: no namespace at all)."""

    encoding: str
    prefix: str | None


def write_xml(path: Path, records: Iterable[tuple[Mapping[str, str], Style]], dress: Dress) -> None:
    """Write ``DanhSach`` of ``DoanhNghiep``. A name with a dot is an element inside another one; empty ones are left out."""
    prefix = f"{dress.prefix}:" if dress.prefix else ""
    space = {None: "", "": f' xmlns="{NAMESPACE}"'}.get(dress.prefix, f' xmlns:{dress.prefix}="{NAMESPACE}"')
    xsi = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    lines = [f'<?xml version="1.0" encoding="{dress.encoding}"?>', f"<{prefix}DanhSach{space}{xsi}>"]
    for record, style in records:
        lines.append(f"  <{prefix}DoanhNghiep>")
        lines += _elements(record, style, prefix)
        lines.append(f"  </{prefix}DoanhNghiep>")
    lines.append(f"</{prefix}DanhSach>\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes("\n".join(lines).encode(dress.encoding))
    partial.replace(path)


def _elements(record: Mapping[str, str], style: Style, prefix: str) -> list[str]:
    lines: list[str] = []
    inside = ""
    for name, value in record.items():
        outer, _, last = name.rpartition(".")
        if outer != inside:
            lines += [f"    </{prefix}{inside}>"] * bool(inside) + [f"    <{prefix}{outer}>"] * bool(outer)
            inside = outer
        if value:
            lines.append(f"    {_element(prefix + last, value, style)}")
    return lines + [f"    </{prefix}{inside}>"] * bool(inside)


def _element(tag: str, value: str, style: Style) -> str:
    if value == NIL:
        return f'<{tag} xsi:nil="true"/>'
    if style == "cdata":
        return f"<{tag}><![CDATA[{value}]]></{tag}>"
    if style == "references":
        return f"<{tag}>{escape(value).encode('ascii', 'xmlcharrefreplace').decode()}</{tag}>"
    return f"<{tag}>{escape(value)}</{tag}>"
