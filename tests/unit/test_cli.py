"""The ``dx`` command without a warehouse: help, exit codes, messages, tables on narrow terminals, harmless CSV cells."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from dx_pipeline.cli.main import app
from dx_pipeline.cli.progress_bars import BarProgress
from dx_pipeline.cli.run import _month
from dx_pipeline.cli.tables import batch_table, dataset_names, quarantine_table, reason_table, run_table
from dx_pipeline.errors import SettingsError
from dx_pipeline.settings import get_settings
from dx_pipeline.spreadsheet import harmless
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.quarantine import QuarantinedRow
from tests.conftest import ROOT

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)


def commands() -> dict[str, Any]:
    """Every command that can be run, by its full name: ``quarantine export``."""

    def walk(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, f"{prefix}{name} ")
                if not command.invoke_without_command:
                    continue
            yield f"{prefix}{name}", command

    return dict(walk(typer.main.get_command(app), ""))


def run_dx(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``dx`` as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "dx_pipeline.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def printed(renderable: Table, width: int) -> list[str]:
    """Lines of a table on a terminal that wide, without trailing spaces."""
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=False).print(renderable)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


# -- help --------------------------------------------------------------------------------------------


def test_the_commands_are_the_known_ones() -> None:
    assert set(commands()) == {
        "alerts check", "alerts mute", "alerts show", "alerts test", "alerts unmute",
        "assessment exclude", "assessment load", "assessment show", "report",
        "score explain", "score load", "score national", "score rows", "score sets", "score show",
        "access agencies", "access grant", "access revoke", "access show", "access sync",
        "bi superset bundle", "bi superset check", "bi superset down", "bi superset install", "bi superset load", "bi superset up",
        "audit", "backup", "keys forget", "keys rekey", "keys rotate", "keys show", "restore", "retention",
        "batches", "batches show", "capacity", "contract check", "contract init", "contract list", "contract reasons", "dev",
        "docs build", "doctor", "down", "drift",
        "export emc", "export indicators", "export mart", "export open-data", "figures", "lineage", "metrics", "metrics show",
        "publication as-known", "publication diff", "publication list", "publication publish", "publication show",
        "quarantine discard", "quarantine export", "quarantine list", "quarantine release", "quarantine reopen",
        "quarantine show", "quarantine summary", "quickstart", "replay", "run",
        "sandbox build", "sandbox change", "sandbox down", "sandbox verify", "sql", "status", "trace", "up", "version",
        "warehouse distribute",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(commands()))
def test_help_explains_and_shows_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
    assert re.search(rf"Examples?:.*dx {name}", shown.output, re.DOTALL), shown.output


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_and_argument_is_described(name: str) -> None:
    nameless = [
        parameter.name
        for parameter in commands()[name].params
        if parameter.name != "help" and not getattr(parameter, "help", None)
    ]
    assert nameless == []


def test_without_a_command_the_help_is_shown() -> None:
    shown = CliRunner().invoke(app, [])
    assert shown.exit_code == 2
    assert "quarantine" in shown.output


# -- exit codes and messages -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["run", "-p", "2024-13"], {}, "✗ --partition '2024-13' is not a month\n  → write it as 2024-03"),
        (["run", "one_stop.nix"], {}, "✗ dataset 'one_stop.nix' is unknown\n  → known: business."),
        (["run", "--project", "/nowhere"], {}, "✗ project folder /nowhere: there is no assets/ in it"),
        (["contract", "check", "/nowhere.odcs.yaml"], {}, "✗ contract /nowhere.odcs.yaml: cannot be read"),
        (["status"], {"DX_BATCH_ROWS": "many"}, "✗ setting DX_BATCH_ROWS: Input should be a valid integer"),
        (["status"], {"DX_WAREHOUSE_URL": "mysql://host/db"}, "✗ DX_WAREHOUSE_URL is not a PostgreSQL URL"),
        (
            ["status"],
            {"DX_WAREHOUSE_URL": "postgresql://reader:geheim@127.0.0.1:1/db"},
            "✗ the warehouse at 127.0.0.1:1/db cannot be reached",
        ),
        (["sql", "--format", "xml", "select 1"], {}, "✗ --format 'xml' is unknown\n  → use table or csv"),
        (["sql", "--role", "postgres", "select 1"], {}, "✗ --role 'postgres' is unknown"),
        (["quarantine", "list", "--status", "lost"], {}, "✗ --status 'lost' is unknown\n  → use one of open, released"),
        (["batches", "--status", "lost"], {}, "✗ --status 'lost' is unknown\n  → use one of published, held"),
    ],
)
def test_our_own_errors_are_two_lines_and_exit_1(
    arguments: list[str], environment: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = run_dx(*arguments, DX_HOME=str(tmp_path), **environment)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr + done.stdout
    assert "geheim" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "arguments", [["run", "--nope"], ["batches", "show", "twelve"], ["replay"], ["nix"], ["dev", "--port", "x"]]
)
def test_a_wrong_command_line_exits_2(arguments: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, arguments, env={"DX_HOME": str(tmp_path)})
    assert done.exit_code == 2
    assert "Usage:" in done.output


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m dx_pipeline.cli.main contract list | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, "DX_HOME": str(tmp_path)}
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


def test_contract_check_names_the_broken_file_and_goes_on(tmp_path: Path) -> None:
    broken = tmp_path / "assets" / "one_stop" / "ho_so.odcs.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("apiVersion: v3.1.0\nkind: DataContract\n", encoding="utf-8")
    right = ROOT / "assets" / "one_stop" / "ho_so.odcs.yaml"
    done = run_dx("contract", "check", str(broken), str(right), DX_HOME=str(tmp_path))
    assert done.returncode == 1
    assert f"✗ contract {broken}" in done.stderr
    assert "✓ one_stop.ho_so" in done.stdout
    assert done.stdout.endswith("1 right, 1 broken\n")


# -- --partition -------------------------------------------------------------------------------------


def test_partition_is_the_first_day_of_the_month() -> None:
    assert _month("2024-03") == date(2024, 3, 1)
    assert _month("2023-12") == date(2023, 12, 1)
    assert _month(None) is None


@pytest.mark.parametrize(
    "text", ["2024-00", "2024-13", "2024-3", "2024", "2024-03-01", "03-2024", "", " 2024-03", "0000-01"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a month"):
        _month(text)


# -- CSV cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("-2000", "-2000"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'\t=1+1"),
        ("\r=1+1", "'\r=1+1"),
        ("\n=1+1", "'\n=1+1"),
        ("＝1+1", "'＝1+1"),
        (" =1+1", " =1+1"),
        (-5, "-5"),
        ("-1.234,5", "-1.234,5"),
        ("-1+1", "'-1+1"),
        ("+84912345678", "'+84912345678"),
        ("H50.14-240502-0001", "H50.14-240502-0001"),
        ("Nguyễn Văn A", "Nguyễn Văn A"),
        ("", ""),
        (None, ""),
        (0, "0"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: str) -> None:
    assert harmless(value) == cell


# -- tables ------------------------------------------------------------------------------------------


def batch(dataset: str, *, system: str = "one_stop", status: str = "published", **counts: Any) -> Batch:
    known: dict[str, Any] = dict.fromkeys(Batch.__dataclass_fields__)
    known |= {
        "batch_id": 12_345, "system": system, "dataset": dataset, "contract_version": "1.0.0", "kind": "increment",
        "status": status, "extracted": 1_234_567, "accepted": 1_200_000, "quarantined": 34_000, "duplicate": 567,
        "inserted": 1_000_000, "updated": 150_000, "unchanged": 50_000, "started_at": NOON,
        "seconds_extract": 60.0, "seconds_judge": 30.5, "seconds_publish": 9.0,
    }  # fmt: skip
    return Batch(**{**known, **counts})


def test_run_table_keeps_every_count_on_80_columns() -> None:
    lines = printed(run_table([batch("ho_so"), batch("thay_doi_muc_do_thu_tuc")], 80), 80)
    assert max(map(len, lines)) <= 80
    (dossiers,) = [line for line in lines if "ho_so" in line and "✓" in line]
    shown = dossiers.split()
    assert shown == [
        "✓", "ho_so", "1,234,567", "1,200,000", "34,000", "567", "1,000,000", "150,000", "50,000", "99.5",
    ]  # fmt: skip
    (total,) = [line for line in lines if "tổng · total" in line]
    assert total.split()[-8:] == [
        "2,469,134", "2,400,000", "68,000", "1,134", "2,000,000", "300,000", "100,000", "199.0",
    ]  # fmt: skip
    assert "extr. = acc. + quar. + dup., acc. = ins. + upd. + same" in lines


def test_run_table_has_full_names_and_batch_numbers_on_120_columns() -> None:
    lines = printed(run_table([batch("thay_doi_muc_do_thu_tuc", extracted=9)], 120), 120)
    (header,) = [line for line in lines if "extracted" in line]
    assert header.split() == [
        "dataset", "(one_stop)", "batch", "extracted", "accepted", "quarantined", "duplicate", "inserted", "updated",
        "unchanged", "s",
    ]  # fmt: skip
    assert any(line.startswith("✓  thay_doi_muc_do_thu_tuc  12345 ") for line in lines)


def test_run_table_sums_only_what_was_published() -> None:
    held = batch("ho_so_bo_sung", status="held", extracted=10, accepted=4, inserted=None, updated=None, unchanged=None)
    lines = printed(run_table([batch("ho_so", extracted=7), held], 200), 200)
    (row,) = [line.split() for line in lines if "ho_so_bo_sung" in line]
    assert row[0] == "held"
    assert row.count("–") == 3
    (total,) = [line.split() for line in lines if "total" in line]
    assert total[3] == "7"


def test_datasets_of_several_systems_keep_their_prefix() -> None:
    lines = printed(run_table([batch("ho_so"), batch("co_so_y_te", system="health")], 160), 160)
    assert any(" one_stop.ho_so " in line for line in lines)
    assert any(" health.co_so_y_te " in line for line in lines)
    assert dataset_names(["a.x", "a.y"]) == ("dataset (a)", {"a.x": "x", "a.y": "y"})
    assert dataset_names([]) == ("dataset", {})


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_ledger_fits_and_keeps_number_dataset_and_kind(width: int) -> None:
    rows = [
        batch("ho_so", kind="period", period_month=date(2024, 3, 1)),
        batch("ho_so", kind="replay", replay_of=12_344, status="superseded"),
    ]
    lines = printed(batch_table(rows, width), width)
    assert max(map(len, lines)) <= width
    assert any("12345" in line and "ho_so" in line and "period 2024-03" in line for line in lines)
    assert any("superseded" in line and "replay of 12344" in line for line in lines)


@pytest.mark.parametrize("width", [80, 160])
def test_reasons_and_rows_fit_with_their_codes_whole(width: int) -> None:
    code = "co_thanh_phan_so_hoa_unreadable"
    message = ("Cờ số hóa phải là 0 hoặc 1", "the digitised flag must be 0 or 1")
    lines = printed(reason_table([("one_stop.qua_trinh_xu_ly", code, *message, 1_234)], width), width)
    assert any(code in line and "1,234" in line and "qua_trinh_xu_ly" in line for line in lines)
    assert max(map(len, lines)) <= width
    row = QuarantinedRow(
        quarantine_id=7, dataset_id="one_stop.ho_so", row_key="[red]123", reasons=[code, "id_missing"], raw_record={},
        owner_agency="H50.00", first_batch_id=1, last_batch_id=2, first_seen=NOON, last_seen=NOON, status="open",
        messages_vi=[], messages_en=[],
    )  # fmt: skip
    lines = printed(quarantine_table([row], width), width)
    assert any(code in line and "[red]123" in line for line in lines), "markup in data is shown, not obeyed"
    assert max(map(len, lines)) <= width


# -- progress ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
def test_progress_says_what_runs_and_fits(width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    with BarProgress(console, datasets=2) as bars:
        bars.advance("one_stop.thay_doi_muc_do_thu_tuc", "extract", 500_000, 1_000_000)
        bars.finish("one_stop.ho_so", "publish")
        bars.warn("one_stop.ho_so", "column [GhiChu] is new")
        lines = [line.rstrip() for line in printed_lines(console, bars)]
    assert any("1/2" in line for line in lines)
    assert any("500,000/1,000,000" in line and "one_stop.thay_doi" in line for line in lines)
    assert max(map(len, lines)) <= width
    assert "! column [GhiChu] is new" in stream.getvalue()


def printed_lines(console: Console, bars: BarProgress) -> list[str]:
    with console.capture() as captured:
        console.print(bars._render())
    return captured.get().splitlines()


def test_progress_is_silent_on_a_pipe() -> None:
    stream = io.StringIO()
    with BarProgress(Console(file=stream, width=80, force_terminal=False), datasets=1) as bars:
        bars.advance("one_stop.ho_so", "extract", 1, 2)
        bars.finish("one_stop.ho_so", "extract")
        bars.warn("one_stop.ho_so", "column GhiChu is new")
    assert stream.getvalue() == "! column GhiChu is new\n"


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Settings are read once per process; a test that changed the environment leaves nothing behind."""
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()
