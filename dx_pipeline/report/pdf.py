"""PDF through a headless Chromium, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from dx_pipeline.errors import SettingsError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
_SECONDS = 120


def find_chromium() -> str | None:
    """Path of a Chromium-like browser, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def print_pdf(html: Path, pdf: Path) -> None:
    """Print a page into a PDF file.

    Raises:
        SettingsError: no browser is installed, or it failed.
    """
    browser = find_chromium()
    if browser is None:
        raise SettingsError(
            "no Chromium is installed, so there is no PDF",
            next_step=f"install one of {', '.join(NAMES)}, or print {html} from any browser",
        )
    with tempfile.TemporaryDirectory(prefix="dx-print-") as profile:
        # The page is our own and loads nothing; as root Chromium runs without its sandbox only.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [
            browser, "--headless=new", *sandbox, "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={profile}", "--no-pdf-header-footer", f"--print-to-pdf={pdf}", html.absolute().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise SettingsError(
                f"{browser} gave no PDF within {_SECONDS} s", next_step="print the HTML by hand"
            ) from None
    if done.returncode != 0 or not pdf.exists():
        raise SettingsError(f"{browser} ended with code {done.returncode}", next_step=f"print {html} from any browser")
