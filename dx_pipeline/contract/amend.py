"""Change a contract file in place, byte for byte the same everywhere else: comments, quotes and order stay.

The YAML parser tells where in the text each value stands; only that piece of text is replaced.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError

Bump = Literal["minor", "major"]
_VERSION = re.compile(r"^(\d+)\.(\d+)\.(\d+)$")
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*(\([0-9]+\))?( [a-z]+)*$")
_YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True)
class SetColumn:
    """Give a column (canonical name) another ``physicalName`` or ``physicalType``."""

    column: str
    field: Literal["physicalName", "physicalType"]
    value: str


@dataclass(frozen=True)
class LeaveOut:
    """Name a source column that is known and deliberately not read."""

    source_name: str


@dataclass(frozen=True)
class AddCode:
    """Add a code to the code list of a column (canonical name)."""

    column: str
    code: str


Amendment = SetColumn | LeaveOut | AddCode


def next_version(version: str, bump: Bump) -> str:
    """The contract's next version: additive changes raise the second number, breaking ones the first.

    >>> next_version("1.2.3", "minor"), next_version("1.2.3", "major")
    ('1.3.0', '2.0.0')

    Raises:
        ContractError: the version is not three numbers.
    """
    match = _VERSION.match(version)
    if match is None:
        raise ContractError(f"version {version!r} is not three numbers", next_step="write it as 1.0.0")
    major, minor = int(match[1]), int(match[2])
    return f"{major + 1}.0.0" if bump == "major" else f"{major}.{minor + 1}.0"


def amend_file(contract: Contract, amendments: Sequence[Amendment], *, bump: Bump, note: str) -> Contract:
    """Write the next version of a contract, and read it back; the file is as it was if the result is no contract.

    Args:
        note: what was accepted and by whom; becomes a comment above the version.

    Raises:
        ContractError: the place to change cannot be found, or the new text is not a contract.
    """
    path: Path = contract.path
    before = path.read_bytes().decode("utf-8")
    version = next_version(contract.version, bump)
    _replace_file(path, amend_text(before, amendments, version=version, note=note, path=path))
    try:
        return load_contract(path, contract.root)
    except ContractError:
        _replace_file(path, before)
        raise


def amend_text(text: str, amendments: Iterable[Amendment], *, version: str, note: str, path: Path) -> str:
    """The text of a contract with the amendments, the new version and the note above it."""
    for amendment in amendments:
        text = _Editor(text, path).amended(amendment)
    return _Editor(text, path).with_version(version, note)


def _replace_file(path: Path, text: str) -> None:
    """Write the file in one step, with the rights it had."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(text.encode("utf-8"))
    shutil.copymode(path, temporary)
    os.replace(temporary, path)


class _Editor:
    """One change of a text whose YAML nodes are known with their places."""

    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._path = path
        self._newline = "\r\n" if "\r\n" in text else "\n"
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(root, MappingNode):
            raise ContractError(f"contract {path}: is not a YAML mapping")
        self._root = root

    def amended(self, amendment: Amendment) -> str:
        if isinstance(amendment, SetColumn):
            return self._set_column(amendment)
        if isinstance(amendment, LeaveOut):
            return self._leave_out(amendment.source_name)
        return self._add_code(amendment)

    def with_version(self, version: str, note: str) -> str:
        node = self._scalar(self._root, "version")
        line_start = self._text.rfind("\n", 0, node.start_mark.index) + 1
        comment = f"# {version}: {' '.join(note.split())}{self._newline}"
        head, tail = self._text[:line_start] + comment, self._text[line_start : node.start_mark.index]
        quote = self._text[node.start_mark.index]
        written = f"{quote}{version}{quote}" if quote in "\"'" else version
        return head + tail + written + self._text[node.end_mark.index :]

    def _set_column(self, change: SetColumn) -> str:
        column = self._column(change.column)
        node = self._value(column, change.field)
        if node is not None:
            return self._replaced(node, _written(change.value))
        if column.flow_style:
            raise self._lost(f"column {change.column}")
        name = self._value(column, "physicalName") or self._scalar(column, "name")
        return self._new_line_after(name, f"{change.field}: {_written(change.value)}")

    def _leave_out(self, source_name: str) -> str:
        properties = self._value(self._root, "customProperties")
        if not isinstance(properties, SequenceNode) or properties.flow_style:
            raise self._lost("customProperties")
        for item in properties.value:
            if isinstance(item, MappingNode) and self._is(item, "property", "leftOut"):
                value = self._value(item, "value")
                if not isinstance(value, SequenceNode):
                    raise self._lost("customProperties.leftOut")
                return self._appended(value, _written(source_name))
        last = properties.value[-1]
        return self._inserted_item(last, f"{{property: leftOut, value: [{_written(source_name)}]}}")

    def _add_code(self, change: AddCode) -> str:
        custom = self._value(self._column(change.column), "customProperties")
        for item in custom.value if isinstance(custom, SequenceNode) else ():
            if isinstance(item, MappingNode) and self._is(item, "property", "options"):
                options = self._value(item, "value")
                codes = self._value(options, "codes") if isinstance(options, MappingNode) else None
                if isinstance(codes, MappingNode) and codes.value:
                    entry = f"{json.dumps(change.code, ensure_ascii=False)}: []"
                    if codes.flow_style:
                        end = codes.value[-1][1].end_mark.index
                        return f"{self._text[:end]}, {entry}{self._text[end:]}"
                    first = codes.value[0][0].start_mark
                    return self._new_line_after(codes.value[-1][1], entry, indent=first.column)
        raise self._lost(f"the codes of column {change.column}")

    def _appended(self, items: SequenceNode, written: str) -> str:
        if not items.flow_style:
            return self._inserted_item(items.value[-1], written)
        if items.value:
            end = items.value[-1].end_mark.index
            return f"{self._text[:end]}, {written}{self._text[end:]}"
        start = items.start_mark.index + 1
        return self._text[:start] + written + self._text[start:]

    def _inserted_item(self, last: Node, written: str) -> str:
        """A further ``- item`` below the last one, at the same depth."""
        line_start = self._text.rfind("\n", 0, last.start_mark.index) + 1
        dash = self._text.index("-", line_start)
        return self._new_line_after(last, f"- {written}", indent=dash - line_start)

    def _new_line_after(self, node: Node, written: str, indent: int | None = None) -> str:
        """A further line below the node; a comment at the end of its line stays with it."""
        if indent is None:
            line_start = self._text.rfind("\n", 0, node.start_mark.index) + 1
            line = self._text[line_start : node.start_mark.index]
            indent = len(line) - len(line.lstrip(" -"))
        newline = self._text.find("\n", self._end(node))
        at = len(self._text) if newline < 0 else newline
        at -= self._text[at - 1] == "\r"
        return f"{self._text[:at]}{self._newline}{' ' * indent}{written}{self._text[at:]}"

    def _end(self, node: Node) -> int:
        """Where the node's last letter stands; a block itself ends only where the next thing begins."""
        while isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
        return len(self._text[: node.end_mark.index].rstrip())

    def _replaced(self, node: Node, written: str) -> str:
        return self._text[: node.start_mark.index] + written + self._text[node.end_mark.index :]

    def _column(self, name: str) -> MappingNode:
        schema = self._value(self._root, "schema")
        if isinstance(schema, SequenceNode) and schema.value and isinstance(schema.value[0], MappingNode):
            columns = self._value(schema.value[0], "properties")
            for column in columns.value if isinstance(columns, SequenceNode) else ():
                if isinstance(column, MappingNode) and self._is(column, "name", name):
                    return column
        raise self._lost(f"column {name}")

    def _value(self, mapping: MappingNode, key: str) -> Node | None:
        for name, value in mapping.value:
            if isinstance(name, ScalarNode) and name.value == key:
                return value if isinstance(value, Node) else None
        return None

    def _scalar(self, mapping: MappingNode, key: str) -> ScalarNode:
        node = self._value(mapping, key)
        if not isinstance(node, ScalarNode):
            raise self._lost(key)
        return node

    def _is(self, mapping: MappingNode, key: str, wanted: str) -> bool:
        node = self._value(mapping, key)
        return isinstance(node, ScalarNode) and node.value == wanted

    def _lost(self, what: str) -> ContractError:
        return ContractError(
            f"contract {self._path}: {what} is not written where it can be changed by a program",
            next_step="change the file by hand and raise its version",
        )


def _written(value: str) -> str:
    """A scalar as YAML: plain where it is safe, else quoted."""
    if _PLAIN.match(value) and value.lower() not in _YAML_WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
