"""Records of a JSON file, streamed: only a window of the text is held, and one record at a time is made.

The file is a list of objects, a document with such a list at a dotted path, or objects one per line (NDJSON; a single
object is one record). What is decoded is bounded in size; numbers keep their text, a name given twice is refused.
"""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from dx_pipeline.extract.json_document import BadJsonError, JsonNumber, refuse_constant, unique_object

BLOCK_BYTES = 256 * 1024
LARGEST_VALUE = 8 * 1024 * 1024  # characters of one record
MOST_NAMES = 5_000
_DEEPEST_LIST = 8  # objects around a list that is looked for
_LONGEST_TOKEN = 64  # characters of a literal or an escape: an error further from the end does not heal by reading on
_SPACE = re.compile(r"[ \t\n\r]*")
_KINDS = {list: "a list", str: "a text", JsonNumber: "a number", bool: "true or false", type(None): "null"}

JsonRecord = dict[str, Any]


class RecordStream:
    """One pass over one file; ``others`` names what stands beside the list in the document.

    Args:
        stream: the bytes of the file.
        codec: Python's name of their encoding; a byte-order mark is skipped.
        path: dotted path to the list; None if the document is the list, or one object per line.
    """

    def __init__(self, stream: BinaryIO, codec: str, path: str | None) -> None:
        self._text = _TextWindow(stream, codec)
        self._steps = tuple(path.split(".")) if path else ()
        self._is_found = False
        self._met: dict[str, None] = {}

    @property
    def others(self) -> list[str]:
        """Up to ten names of the objects on the way, in the order they were met."""
        return list(self._met)[:10]

    @property
    def has_list(self) -> bool:
        """True once the list of records was met."""
        return self._is_found

    def records(self) -> Iterator[JsonRecord]:
        """Every record of the file.

        Raises:
            BadJsonError: with line and column.
            UnicodeDecodeError: the file is not in that encoding.
            OSError: the file cannot be read.
        """
        text = self._text
        start = text.peek()
        if self._steps and start == "{":
            yield from self._search(self._steps)
        elif self._steps:
            text.fail(f"the document is no object, so it has no {'.'.join(self._steps)}")
        elif start == "[":
            self._is_found = True
            yield from self._list()
        elif start == "{":
            self._is_found = True
            yield from self._lines()
            return
        else:
            text.fail("it begins with neither [ nor {: it is no JSON list and no JSON object")
        if text.peek():
            text.fail("there is more after the end of the document")

    def is_lines(self) -> bool:
        """True if the file holds one object per line, and more than one; consumes the stream."""
        try:
            if self._text.peek() != "{":
                return False
            self._text.value()
            return self._text.peek() == "{" and self._text.is_new_line
        except BadJsonError:  # a document, longer than a record may be
            return False

    def first_list(self) -> str | None:
        """Dotted path to the first list of objects within a document that is an object; consumes the stream.

        Raises:
            BadJsonError, UnicodeDecodeError, OSError: as :meth:`records`.
        """
        return self._first_list(()) if self._text.peek() == "{" else None

    def _first_list(self, above: tuple[str, ...]) -> str | None:
        for name in self._names():
            start = self._text.peek()
            if start == "[":
                for _ in self._elements():
                    if self._text.peek() == "{":
                        return ".".join((*above, name))
                    self._text.value()
            elif start == "{" and len(above) < _DEEPEST_LIST:
                found = self._first_list((*above, name))
                if found is not None:
                    return found
            else:
                self._pass_over(start)
        return None

    def _lines(self) -> Iterator[JsonRecord]:
        text = self._text
        while True:
            yield self._record()
            if not text.peek():
                return
            if not text.is_new_line:
                text.fail("two records on one line: NDJSON has one per line")

    def _list(self) -> Iterator[JsonRecord]:
        for _ in self._elements():
            yield self._record()

    def _record(self) -> JsonRecord:
        found = self._text.value()
        if not isinstance(found, dict):
            self._text.fail(f"a record is {_KINDS.get(type(found), 'a value')}, not an object")
        return found

    def _search(self, steps: tuple[str, ...]) -> Iterator[JsonRecord]:
        """The records at the end of the steps; everything else of the object is read past."""
        for name in self._names():
            start = self._text.peek()
            if name == ".".join(steps):
                if start != "[":
                    self._text.fail(f"{'.'.join(self._steps)} is no list")
                self._is_found = True
                yield from self._list()
            elif name == steps[0] and start == "{":
                yield from self._search(steps[1:])
            else:
                self._pass_over(start)

    def _pass_over(self, start: str) -> None:
        """Read past a value; of a long list or object only one element is held at a time."""
        if start == "[":
            for _ in self._elements():
                self._text.value()
        elif start == "{":
            for _ in self._names():
                self._text.value()
        else:
            self._text.value()

    def _elements(self) -> Iterator[None]:
        """Stops before each element of a list, which must be consumed before the next."""
        text = self._text
        text.take("[")
        if text.peek() == "]":
            text.take("]")
            return
        while True:
            text.peek()
            yield
            if text.peek() == "]":
                text.take("]")
                return
            text.take(",")

    def _names(self) -> Iterator[str]:
        """Stops before the value of each name of an object, which must be consumed before the next."""
        text = self._text
        text.take("{")
        seen: set[str] = set()
        while text.peek() != "}" or seen:
            if text.peek() != '"':
                text.fail("a name in quotation marks is expected")
            name = unicodedata.normalize("NFC", text.value())
            if name in seen:
                text.fail("an object has the same name twice")
            seen.add(name)
            if len(seen) > MOST_NAMES:
                text.fail(f"an object has more than {MOST_NAMES} names")
            if len(self._met) < 10:
                self._met[name] = None
            text.take(":")
            text.peek()
            yield name
            if text.peek() == "}":
                break
            text.take(",")
        text.take("}")


class _TextWindow:
    """A piece of the text from the present place on, filled from the file as it is used up."""

    def __init__(self, stream: BinaryIO, codec: str) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder(codec)().decode
        self._parse = json.JSONDecoder(
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=refuse_constant,
            object_pairs_hook=_named_object,
        ).raw_decode
        self._text = ""
        self._at = 0
        self._is_end = False
        self._line, self._column = 1, 1  # of the first character held
        self.is_new_line = False  # a line break was passed before the present place

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        self.is_new_line = False
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self.is_new_line = self.is_new_line or "\n" in found[0]
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_end:
                return ""
            self._fill(BLOCK_BYTES)

    def take(self, sign: str) -> None:
        """Pass over one sign of the grammar."""
        found = self.peek()
        if not found:
            self.fail("the file ends in the middle: it was cut off")
        if found != sign:
            self.fail(f"{sign} is expected")
        self._at += 1

    def value(self) -> Any:
        """Decode one value and pass over it."""
        while True:
            held = len(self._text) - self._at
            try:
                found, end = self._parse(self._text, self._at)
            except json.JSONDecodeError as error:
                is_open = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _LONGEST_TOKEN
                if is_open and self._is_end:
                    self._at = min(error.pos, len(self._text))
                    ends = error.msg.startswith("Unterminated") or not self._text[self._at :].strip()
                    self.fail("the file ends in the middle of a value: it was cut off" if ends else error.msg)
                if not is_open:
                    self._at = error.pos
                    self.fail(error.msg)
            except BadJsonError as error:
                self.fail(str(error))
            except RecursionError:
                self.fail("it is nested too deep")
            else:
                if end - self._at > LARGEST_VALUE:
                    held = end - self._at
                elif end < len(self._text) or self._is_end:
                    self._at = end
                    return found
            if held > LARGEST_VALUE:
                self.fail(f"a record holds more than the {LARGEST_VALUE // 2**20} Mi characters that are read")
            self._fill(max(BLOCK_BYTES, held))

    def fail(self, reason: str) -> NoReturn:
        """Refuse the file at the present place."""
        before = self._text[: self._at]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else self._column + len(before)
        raise BadJsonError(f"line {self._line + lines}, column {column}: {reason}")

    def _fill(self, size: int) -> None:
        passed = self._text[: self._at]
        lines = passed.count("\n")
        self._line += lines
        self._column = len(passed) - passed.rfind("\n") if lines else self._column + len(passed)
        block = self._stream.read(size)
        self._is_end = not block
        self._text = self._text[self._at :] + self._decode(block, self._is_end)
        self._at = 0


def _named_object(pairs: list[tuple[str, Any]]) -> JsonRecord:
    """An object under names in NFC, as a contract writes them."""
    made = unique_object(pairs)
    if "".join(made).isascii():
        return made
    return unique_object([(unicodedata.normalize("NFC", name), value) for name, value in pairs])
