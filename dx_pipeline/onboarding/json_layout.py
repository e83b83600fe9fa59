"""How the records lie in a JSON file: a list, a list at a path, or one object per line."""

from __future__ import annotations

import json
from pathlib import Path

from dx_pipeline.contract.model import SourceRelation
from dx_pipeline.errors import SourceUnavailable, UnreadableSource
from dx_pipeline.extract.encoding import SAMPLE_BYTES, likely_encoding
from dx_pipeline.extract.json_document import BadJsonError
from dx_pipeline.extract.json_records import RecordStream


def json_layout(path: Path, pattern: str, records: str | None) -> SourceRelation:
    """The source of a draft; ``records`` is the path that a person gave, None: the first list of objects.

    Raises:
        UnreadableSource: the file is no JSON.
        SourceUnavailable: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            sample = stream.read(SAMPLE_BYTES)
        declared = likely_encoding(sample) or "utf-8"
        encoding = "utf-8" if declared.startswith("utf") else declared
        codec = json.detect_encoding(sample) if encoding == "utf-8" else encoding
        if records is None:
            with path.open("rb") as stream:
                is_lines = RecordStream(stream, codec, None).is_lines()
            with path.open("rb") as stream:
                records = None if is_lines else RecordStream(stream, codec, None).first_list()
    except (BadJsonError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, BadJsonError) else f"it is not {codec.upper()}"
        raise UnreadableSource(
            f"{path.name} cannot be read as JSON: {reason}", next_step="get the file again from its owner"
        ) from None
    except OSError as error:
        raise SourceUnavailable(
            f"{path.name} cannot be read: {error.strerror or error}", next_step="check the file's permissions"
        ) from None
    return SourceRelation(kind="json", path=pattern, encoding=encoding, records=records)
