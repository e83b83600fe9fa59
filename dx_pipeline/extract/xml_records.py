"""Records of an XML file, streamed: defused (no DTD, no entity, nothing fetched) and bounded in depth and size.

A record is an element with the contract's name, at whatever depth. Its columns are dotted paths of local
names below it; attributes are ``@name``, its own text is ``#text``. Namespaces are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

BLOCK_BYTES = 256 * 1024
DEEPEST = 64  # elements inside one another
LARGEST_RECORD = 8 * 1024 * 1024  # characters of one record
_WEIGHT_OF_VALUE = 16  # so that endless empty elements count as well
LARGEST_TOKEN = 16 * 1024 * 1024  # bytes of one tag, comment or instruction
MOST_NAMES = 5_000
OWN_TEXT = "#text"

Record = dict[str, str | None]


class BadXmlError(ValueError):
    """The file is refused; the message says where and why and shows nothing of its content."""


class _Handler(ContentHandler):
    def __init__(self, record: str) -> None:
        super().__init__()
        self.done: list[Record] = []
        self.others: dict[str, None] = {}  # names of elements outside of records, for a message
        self.has_moved = False
        self._record = record
        self._depth = 0
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._has_children: list[bool] = []
        self._is_nil: list[bool] = []
        self._values: dict[str, list[str | None]] | None = None
        self._size = 0

    def startElement(self, name: str, attrs: Any) -> None:
        self.has_moved = True
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadXmlError(f"more than {DEEPEST} elements are inside one another")
        local = name.rpartition(":")[2]
        if self._values is None:
            if local != self._record:
                if len(self.others) < 10:
                    self.others[local] = None
                return
            self._values, self._size = {}, 0
            self._path = []
        else:
            self._path.append(local)
            self._has_children[-1] = True
        self._texts.append([])
        self._has_children.append(False)
        nil = False
        for key in attrs.getNames():
            short = key.rpartition(":")[2]
            if key == "xmlns" or key.startswith("xmlns:"):
                continue
            if short == "nil" and ":" in key:
                nil = attrs.getValue(key).strip() in ("true", "1")
                continue
            self._keep(".".join([*self._path, f"@{short}"]), attrs.getValue(key))
        self._is_nil.append(nil)

    def characters(self, content: str) -> None:
        self.has_moved = True
        if self._texts:
            self._weigh(len(content))
            self._texts[-1].append(content)

    def endElement(self, name: str) -> None:
        self.has_moved = True
        self._depth -= 1
        if self._values is None:
            return
        text = "".join(self._texts.pop())
        has_children, nil = self._has_children.pop(), self._is_nil.pop()
        if not (has_children or not self._path) or text.strip():
            self._keep(".".join(self._path) or OWN_TEXT, None if nil else text)
        if self._path:
            self._path.pop()
            return
        self.done.append({key: _joined(values) for key, values in self._values.items()})
        self._values = None

    def processingInstruction(self, target: str, data: str) -> None:
        self.has_moved = True

    def _keep(self, path: str, value: str | None) -> None:
        assert self._values is not None
        if path.startswith("@") or ".@" in path:
            self._weigh(len(value or ""))
        self._weigh(len(path) + _WEIGHT_OF_VALUE)
        self._values.setdefault(path, []).append(value)

    def _weigh(self, size: int) -> None:
        self._size += size
        if self._size > LARGEST_RECORD:
            raise BadXmlError(f"a record holds more than the {LARGEST_RECORD // 2**20} Mi characters that are read")


class RecordStream:
    """One pass over one file; ``others`` names elements that were met outside of records."""

    def __init__(self, stream: BinaryIO, record: str) -> None:
        self._stream = stream
        self._handler = _Handler(record)

    @property
    def others(self) -> list[str]:
        """Up to ten names, in the order they were met."""
        return list(self._handler.others)

    def records(self) -> Iterator[Record]:
        """Every record of the file.

        Raises:
            BadXmlError: with the line.
            OSError: the file cannot be read.
        """
        parser: Any = DefusedExpatParser(forbid_dtd=True)
        parser.setContentHandler(self._handler)
        waited = 0
        try:
            while block := self._stream.read(BLOCK_BYTES):
                self._handler.has_moved = False
                parser.feed(block)
                waited = 0 if self._handler.has_moved else waited + len(block)
                if waited > LARGEST_TOKEN:
                    raise BadXmlError(f"one tag or comment is larger than {LARGEST_TOKEN // 2**20} MiB")
                yield from self._taken()
            parser.close()
            yield from self._taken()
        except SAXParseException as error:
            raise BadXmlError(f"line {error.getLineNumber()}: {error.getMessage()}") from None
        except DefusedXmlException:
            raise BadXmlError(
                f"line {parser.getLineNumber()}: it has a DTD (<!DOCTYPE ...>); entities and external parts are not read"
            ) from None
        except BadXmlError as error:
            raise BadXmlError(f"line {parser.getLineNumber()}: {error}") from None
        except (LookupError, ValueError) as error:
            raise BadXmlError(
                f"line 1: its declared encoding cannot be read: {' '.join(str(error).split())[:80]}"
            ) from None

    def _taken(self) -> list[Record]:
        done, self._handler.done = self._handler.done, []
        return done


def _joined(values: list[str | None]) -> str | None:
    """One value as it is; an element that comes more than once as a JSON list of texts."""
    return values[0] if len(values) == 1 else json.dumps(values, ensure_ascii=False)
