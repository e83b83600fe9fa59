"""Reads the tallies of a mart: the temporary tables that its SQL fills by counting, marked with ``-- dx:tally``.

The line stands right before ``create temporary table <name> on commit drop as``. Options:

* ``adds=a,b``: columns that add up over dossiers, counts first; the columns not named here are what is counted by.
* ``highest=a``: columns of which the greatest value is kept; they never fall.
* ``rebuilt_by=system.dataset,...``: datasets whose changes move the tally otherwise than through the rows of a dossier.
* ``clock=<table>``, ``moments=a,b``, ``dossier=x.code,x.day``: the tally counts by numbers of periods in which something
  happens. ``clock`` is the temporary table whose column ``period`` numbers them; a number after the last stands for
  "not yet". ``dossier`` names the dossier in the SELECT.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dx_pipeline.errors import LoadFileError

_COMMENT = re.compile(r"--(?! dx:tally\b)[^\n]*")
_VIEW = re.compile(r"\bcreate temporary view (?P<name>[a-z_][a-z0-9_]*) as\s(?P<body>[^;]*);")
_TALLY = re.compile(
    r"^-- dx:tally(?P<options>[^\n]*)\n\s*create temporary table (?P<name>[a-z_][a-z0-9_]*) on commit drop as\s"
    r"(?P<body>[^;]*);",
    re.MULTILINE,
)
_MARK = re.compile(r"^-- dx:tally\b", re.MULTILINE)
_ONE_SOURCE = re.compile(r"select\s(?:(?!\bfrom\b).)*\bfrom [a-z_.]+ as [a-z]+\s+group by\b.*", re.DOTALL)
_OPTIONS = ("adds", "highest", "rebuilt_by", "clock", "moments", "dossier")


@dataclass(frozen=True)
class Tally:
    """One temporary table that counts dossiers: ``body`` is its SELECT, which reads ``views`` and tables of ``core``."""

    name: str
    body: str
    adds: tuple[str, ...]
    highest: tuple[str, ...]
    rebuilt_by: tuple[str, ...] = ()
    clock: str | None = None
    moments: tuple[str, ...] = ()
    dossier: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    """Temporary views of the script that the SELECT reads, each after those it reads itself, with their SELECTs."""


def split_at_tallies(script: str) -> list[str | Tally]:
    """The script in order: SQL to be run as it is, and tallies. Without comments.

    Raises:
        LoadFileError: a line ``-- dx:tally`` is not followed by a table it can stand for, or an option is unknown.
    """
    text = _COMMENT.sub("", script)
    pieces: list[str | Tally] = []
    end = 0
    for found in _TALLY.finditer(text):
        pieces.append(text[end : found.start()])
        views = {view["name"]: view["body"] for view in _VIEW.finditer(text[: found.start()])}
        pieces.append(_tally(found["name"], found["body"], found["options"], views))
        end = found.end()
    pieces.append(text[end:])
    marked, read = len(_MARK.findall(text)), sum(isinstance(piece, Tally) for piece in pieces)
    if marked != read:
        raise LoadFileError(
            f"{marked} lines `-- dx:tally`, {read} tables after them",
            next_step="put the line right before `create temporary table <name> on commit drop as`",
        )
    return pieces


def unqualified(name: str) -> re.Pattern[str]:
    """Finds a temporary view where SQL names it: not as a part of a name, nor as one of a schema or an alias."""
    return re.compile(rf"(?<![.\w]){name}(?![.\w])")


def _tally(name: str, body: str, options: str, views: Mapping[str, str]) -> Tally:
    given = dict(part.partition("=")[::2] for part in options.split())
    unknown = sorted(set(given) - set(_OPTIONS))
    if unknown or not ("adds" in given or "highest" in given):
        raise LoadFileError(
            f"dx:tally of {name}: {'unknown ' + ', '.join(unknown) if unknown else 'adds= or highest= is missing'}",
            next_step=f"options are {', '.join(_OPTIONS)}",
        )
    if len({"clock", "moments", "dossier"} & set(given)) not in (0, 3):
        raise LoadFileError(f"dx:tally of {name}: clock=, moments= and dossier= go together")
    if "clock" in given and _ONE_SOURCE.fullmatch(body.strip()) is None:
        raise LoadFileError(f"dx:tally of {name}: with clock= it is one SELECT from one view, grouped")
    listed = {option: tuple(filter(None, given.get(option, "").split(","))) for option in _OPTIONS}
    return Tally(
        name=name,
        body=body.strip(),
        adds=listed["adds"],
        highest=listed["highest"],
        rebuilt_by=listed["rebuilt_by"],
        clock=given.get("clock"),
        moments=listed["moments"],
        dossier=listed["dossier"],
        views=_read(body, views),
    )


def _read(text: str, views: Mapping[str, str]) -> dict[str, str]:
    """Those of the views that ``text`` or a view it reads names, in their order."""
    names: set[str] = set()
    left = [text]
    while left:
        told = left.pop()
        found = {name for name in views if unqualified(name).search(told)} - names
        names |= found
        left += [views[name] for name in found]
    return {name: body for name, body in views.items() if name in names}
