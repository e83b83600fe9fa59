"""Alerts as people and Dagster meet them: at the end of ``dx run``, by ``dx alerts``, in ``dx doctor``, by two sensors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from dx_pipeline.orchestration import run
from dx_pipeline.orchestration.alert_sensors import alerts_check, alerts_on_failed_run
from dx_pipeline.orchestration.definitions import build_definitions
from dx_pipeline.orchestration.process import get_catalog
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.faults.small_project import GOOD_ROWS, SmallProject
from tests.http_server import ApiServer, Reply, serving
from tests.in_process import InProcess, in_process
from tests.mail_server import silent_server

pytestmark = pytest.mark.timeout(600)


class Office(InProcess):
    """One small dataset whose alerts go to a webhook."""

    def __init__(self, installation: InProcess, project: SmallProject, hook: ApiServer) -> None:
        super().__init__(installation.url)
        self.project = project
        self.hook = hook

    def events(self) -> list[tuple[str, str, str]]:
        """Event, kind and subject of every alert the webhook was told of since the last look."""
        told = [json.loads(request.body)["alerts"] for request in self.hook.requests]
        self.hook.requests.clear()
        return [(one["event"], one["kind"], one["subject"]) for alerts in told for one in alerts]

    def break_off(self) -> None:
        """A column is gone: held at once, where a missing file would be waited for."""
        self.project.write_csv("book", "Ma,SoTien\nA1,1\n")

    def mend(self) -> None:
        self.project.write_csv("book", GOOD_ROWS)


@pytest.fixture(scope="module")
def hook() -> Iterator[ApiServer]:
    with serving(lambda _: Reply(status=204)) as server:
        yield server


@pytest.fixture(scope="module")
def office(
    source_server: EmbeddedServer, hook: ApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    project = SmallProject(tmp_path_factory.mktemp("office") / "project")
    project.add_csv("books", "book", GOOD_ROWS)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DX_ALERT_WEBHOOK_URL", f"{hook.url}/hook")
        environment.setenv("DX_ALERT_TIMEOUT_SECONDS", "1")
        environment.delenv("DAGSTER_HOME", raising=False)
        with in_process(source_server, project.root, {"books": project.files.as_uri()}) as installation:
            # Dagster's definitions are made when their module is imported: of this project, whoever imported it first.
            environment.setattr(run, "defs", build_definitions(get_catalog()))
            yield Office(installation, project, hook)


def test_a_run_tells_at_its_end_and_only_once(office: Office) -> None:
    assert "alerts:" not in office.dx("run", "books").output
    office.break_off()
    failed = office.dx("run", "books", code=1).output
    assert "alerts: 1 mới · new, 0 đã hết · recovered, 1 còn · open; log, webhook" in failed
    assert office.events() == [("raised", "batch_held", "books.book")]
    office.forget()  # as a new process would
    assert "alerts:" not in office.dx("run", "books", code=1).output
    assert office.events() == []
    assert "lô bị giữ, chưa công bố: khi đọc nguồn, 2 lô chưa được thay thế" in office.dx("alerts", "show").output
    office.mend()
    assert "1 đã hết · recovered, 0 còn · open" in office.dx("run", "books").output
    assert office.events() == [("recovered", "batch_held", "books.book")]
    assert "đã hết" in office.dx("alerts", "show", "--past", "5").output.lower()


def test_a_channel_that_hangs_fails_no_run_and_is_shown(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.break_off()
    with silent_server() as port:
        monkeypatch.setenv("DX_ALERT_WEBHOOK_URL", f"http://127.0.0.1:{port}/hook")
        office.forget()
        office.dx("run", "books", code=1)
        office.mend()
        started = time.monotonic()
        done = office.dx("run", "books")
        assert time.monotonic() - started < 20
    assert "run " in done.output
    assert "succeeded" in done.output
    shown = office.dx("alerts", "show").output
    assert "the webhook gives no answer: ReadTimeoutError" in shown
    assert "alerts by webhook" in office.dx("doctor", code=1).output
    assert "→ mend DX_ALERT_…, then `dx alerts test --channel webhook`" in office.dx("doctor", code=1).output
    monkeypatch.undo()
    office.forget()
    assert "webhook  took the message" in office.dx("alerts", "test").output
    office.dx("alerts", "check")
    assert office.events() == [("recovered", "batch_held", "books.book")]
    assert "alerts  by log, webhook" in office.dx("doctor", code=1).output


def test_a_test_message_says_that_nothing_is_wrong(office: Office) -> None:
    office.dx("alerts", "test", "--channel", "webhook")
    (request,) = office.hook.requests
    office.hook.requests.clear()
    document = json.loads(request.body)
    assert document["alerts"] == []
    assert "thử kênh báo, không có gì sai · a test, nothing is wrong" in document["text"]
    assert "✗ --channel 'fax' is not set" in office.dx("alerts", "test", "--channel", "fax", code=1).output


def test_muting_needs_a_day_a_reason_and_a_name_and_is_kept(office: Office) -> None:
    office.break_off()
    right = ["--until", f"{time.localtime().tm_year + 1}-01-15", "--reason", "đang chuyển máy chủ", "--by", "Nguyễn An"]
    if time.localtime().tm_yday < 20:  # a year ahead is too far in January
        right[1] = f"{time.localtime().tm_year}-02-15"
    for wrong, told in (
        (["books", *right[:2], "--reason", "x", *right[4:]], "--reason must say why"),
        (["books", *right[:4], "--by", " "], "--by must name who decides"),
        (["books", "--until", "2024-01-31", *right[2:]], "is not within the next 366 days"),
        (["books", "--until", "mai", *right[2:]], "--until 'mai' is not a day"),
        (["bukhs", *right], "'bukhs' is no dataset and no system"),
        (["books", *right, "--kind", "late"], "--kind 'late' cannot be muted"),
    ):
        assert told in office.dx("alerts", "mute", *wrong, code=1).output
    office.dx("alerts", "mute", "books", *right)
    office.dx("run", "books", code=1)
    assert office.events() == []
    shown = office.dx("alerts", "show").output
    assert "muted" in shown
    assert "đang chuyển máy chủ" in shown
    assert "is not muted like this" in office.dx(
        "alerts", "unmute", "books", "--kind", "run_failed", "--reason", "xong rồi nhé", "--by", "An", code=1
    ).output  # fmt: skip
    office.dx("alerts", "unmute", "books", "--reason", "máy chủ mới đã chạy", "--by", "Nguyễn An")
    office.dx("alerts", "check")
    assert office.events() == [("raised", "batch_held", "books.book")]
    assert office.ask("select decision, decided_by, reason from ops.alert_mute order by mute_id") == [
        ("mute", "Nguyễn An", "đang chuyển máy chủ"),
        ("unmute", "Nguyễn An", "máy chủ mới đã chạy"),
    ]
    office.mend()
    office.dx("run", "books")
    office.events()


def test_dagster_tells_of_failed_runs_and_looks_by_itself(office: Office) -> None:
    sensors = {sensor.name: sensor.default_status for sensor in build_definitions(get_catalog()).sensors or ()}
    running = dg.DefaultSensorStatus.RUNNING
    assert (sensors["alerts_check"], sensors["alerts_on_failed_run"]) == (running, running)
    office.break_off()
    # A run of Dagster's own, as a schedule starts it: nobody else checks at its end.
    job = build_definitions(get_catalog()).resolve_job_def("books_refresh")
    with dg.DagsterInstance.from_config(str(get_settings().dagster_home)) as instance:
        assert not job.execute_in_process(instance=instance, raise_on_error=False).success
        (failed,) = instance.get_runs(
            RunsFilter(job_name="books_refresh", statuses=[DagsterRunStatus.FAILURE]), limit=1
        )
        event = next(
            entry.dagster_event
            for entry in instance.all_logs(failed.run_id)
            if entry.dagster_event and entry.dagster_event.event_type == DagsterEventType.RUN_FAILURE
        )
        context = dg.build_run_status_sensor_context("alerts_on_failed_run", event, instance, failed).for_run_failure()
        assert str(alerts_on_failed_run(context)).count("1 new") == 1
        assert office.events() == [("raised", "batch_held", "books.book")]
        assert "0 new, 0 recovered, 1 open" in str(alerts_check(dg.build_sensor_context(instance)))
    office.mend()
    office.run("books.book")
    assert "0 new, 1 recovered, 0 open" in str(alerts_check())
    assert office.events() == [("recovered", "batch_held", "books.book")]
