"""What a FoxPro table or an XML file tells of itself, for a draft."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from dx_pipeline.errors import UnreadableSource
from dx_pipeline.extract.dbf_header import BrokenHeader, parse_header

_HEADER_BYTES = 64 * 1024
_MOST_ELEMENTS = 50_000  # that are looked at to find which one is a row


def dbf_fields(path: Path) -> tuple[str, ...]:
    """Names of the fields, from the header.

    Raises:
        UnreadableSource: it is no dBASE or FoxPro table.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
    try:
        return tuple(str(field.name, "cp1252") for field in parse_header(head).fields)
    except BrokenHeader as error:
        raise UnreadableSource(
            f"{path.name} is no readable FoxPro or dBASE table: {error}", next_step="get the file again from its owner"
        ) from None


@dataclass
class _Element:
    """What is known of the elements of one name."""

    depth: int
    count: int = 0
    is_compound: bool = False  # holds elements or attributes


def xml_record(path: Path) -> str:
    """Name of the element that is one row: of those that come again and hold others, the outermost.

    Raises:
        UnreadableSource: it is no XML, or nothing in it comes more than once.
    """
    found: dict[str, _Element] = {}
    open_names: list[str] = []
    seen = 0
    try:
        for event, element in ElementTree.iterparse(path, events=("start", "end")):
            if event == "end":
                open_names.pop()
                element.clear()
                continue
            name = str(element.tag).rpartition("}")[2]
            known = found.setdefault(name, _Element(len(open_names)))
            known.count += 1
            known.is_compound = known.is_compound or bool(element.attrib)
            if open_names:
                found[open_names[-1]].is_compound = True
            open_names.append(name)
            seen += 1
            if seen >= _MOST_ELEMENTS:
                break
    except (ParseError, DefusedXmlException, ValueError, OSError) as error:
        raise UnreadableSource(
            f"{path.name} cannot be read as XML: {' '.join(str(error).split())[:200]}",
            next_step="get the file again from its owner",
        ) from None
    rows = {name: known for name, known in found.items() if known.count > 1 and known.is_compound}
    if not rows:
        raise UnreadableSource(
            f"{path.name}: no element comes more than once, so none is a row",
            next_step="write the contract by hand with source.record (docs/onboard-a-source.md, XML files)",
        )
    return min(rows, key=lambda name: (rows[name].depth, -rows[name].count, name))
