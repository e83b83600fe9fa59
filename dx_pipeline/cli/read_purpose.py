"""The option by which a command that shows personal records says what they are read for."""

from __future__ import annotations

from typing import Annotated

import typer

PurposeOption = Annotated[
    str, typer.Option("--purpose", help="What personal records are read for; kept in the record of reads (`dx audit`).")
]
MENDING = "để cơ quan chủ quản sửa dữ liệu | for the owner agency to mend the data"
