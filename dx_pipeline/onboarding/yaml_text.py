"""YAML as people write it: short mappings on one line, nothing sorted, Vietnamese letters as they are."""

from __future__ import annotations

from typing import Any

import yaml

TODO = "TODO"


class OneLine(dict[str, Any]):
    """A mapping that is written on one line."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # list items stand under their key, indented


def _one_line(dumper: yaml.SafeDumper, data: OneLine) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)


_Dumper.add_representer(OneLine, _one_line)


def yaml_text(document: dict[str, Any], *comments: str) -> str:
    """The document as YAML below comment lines."""
    head = "".join(f"# {' '.join(line.split())}\n" for line in comments)
    return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118)


def both(vi: str, en: str) -> str:
    """A text in both languages, on one line: ``Tiếng Việt | English``."""
    return f"{_clean(vi)} | {_clean(en)}"


def _clean(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
