"""What ``dx`` tells of failures, taken apart as a person reads it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One failure: the assets it is about, what happened, what to do next."""

    assets: tuple[str, ...]
    what: str
    next_step: str


def messages_of(done: subprocess.CompletedProcess[str]) -> list[Message]:
    """All failures that a command told of; fails on a traceback."""
    told = done.stdout + done.stderr
    assert "Traceback" not in told, told
    found: list[Message] = []
    assets: tuple[str, ...] = ()
    for line in done.stderr.splitlines():
        text = line.strip()
        if text.startswith("✗ "):
            found.append(Message(assets, text.removeprefix("✗ "), ""))
            assets = ()
        elif text.startswith("→ ") and found:
            found[-1] = Message(found[-1].assets, found[-1].what, text.removeprefix("→ "))
        elif re.fullmatch(r"(?:landing|stage|core|mart)/\S+(?:, \S+)*", text):
            assets = tuple(text.split(", "))
    return found


def the_message(done: subprocess.CompletedProcess[str], dataset: str) -> Message:
    """The one message about a dataset, which must say what to do next."""
    about = [
        message
        for message in messages_of(done)
        if any(asset.endswith(f"/{dataset}") for asset in message.assets) or f"{dataset}:" in message.what
    ]
    assert len(about) == 1, done.stderr
    assert about[0].next_step, done.stderr
    return about[0]
