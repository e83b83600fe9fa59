"""The questions of ``docs/questions``: one file, one statement, the role that may ask it, and its answer on the sandbox."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import psycopg

from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "questions"
ROLES = ("dx_bi", "dx_analyst")


@dataclass(frozen=True)
class Question:
    """One question file."""

    number: int
    path: Path
    vietnamese: str
    english: str
    role: str
    statement: str

    @property
    def answer_path(self) -> Path:
        return FOLDER / "answers" / f"{self.number:02d}.csv"


def read_questions() -> list[Question]:
    """All question files, by number; fails on a file whose head lacks a line."""
    found = []
    for path in sorted(FOLDER.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        head = re.match(r"-- VI: (.+)\n-- EN: (.+)\n-- Role: (\w+)\n((?:-- .+\n)*)", text)
        assert head, f"{path.name} must begin with the lines `-- VI:`, `-- EN:`, `-- Role:`"
        found.append(Question(int(path.name[:2]), path, head[1], head[2], head[3], text[head.end() :]))
    return found


def answer(connection: psycopg.Connection, question: Question) -> str:
    """The answer as CSV, asked with the rights of the question's role; the connection is rolled back."""
    try:
        connection.execute("set transaction read only")
        connection.execute(f'set local role "{question.role}"')  # type: ignore[call-overload]
        result = connection.execute(question.statement.encode())
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([column.name for column in result.description or ()])
        writer.writerows([_cell(value) for value in row] for row in result)
        return written.getvalue()
    finally:
        connection.rollback()


def _cell(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value
