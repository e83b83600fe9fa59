"""Alerts from a real ledger to a real mail server and webhook: each condition found, told once, reminded of, over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from dx_pipeline.alerts.check import CheckReport, check_alerts
from dx_pipeline.alerts.condition import RunNews
from dx_pipeline.alerts.outage import tell_outage
from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.errors import DxError
from dx_pipeline.orchestration.road import Road
from dx_pipeline.settings import PROJECT_ROOT, Settings
from dx_pipeline.warehouse import ledger
from dx_pipeline.warehouse.alert_mutes import record_mute
from dx_pipeline.warehouse.alert_register import channel_states, open_alerts
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.migrate import migrate
from tests.faults.small_project import GOOD_ROWS, HEADER, SmallProject
from tests.http_server import Reply, serving
from tests.integration.star_warehouse import migrated_warehouse
from tests.mail_server import MailServer, mail_server, silent_server

BOOK = "books.book"
PERSON = "Nguyễn Thị Bí Mật"


class Watched:
    """One small dataset, its warehouse, and checks of alerts over it that tell a mail server."""

    def __init__(self, project: SmallProject, warehouse: Warehouse, home: Path, server: MailServer) -> None:
        self.project = project
        self.warehouse = warehouse
        self.server = server
        self.home = home
        project.add_csv("books", "book", GOOD_ROWS)
        migrate(warehouse, (PROJECT_ROOT, project.root))

    @property
    def catalog(self) -> Catalog:
        return load_catalog((self.project.root,), strict=False)

    def settings(self, **values: object) -> Settings:
        mail = {"alert_smtp_host": "127.0.0.1", "alert_smtp_port": self.server.port, "alert_smtp_security": "none"}
        addresses = {"alert_from": "dx@tinh.example", "alert_to": "van-hanh@tinh.example", "alert_label": "thử"}
        return Settings(home=self.home, alert_log="off", **{**mail, **addresses, **values})

    def run(self) -> str | None:
        """Land, judge and publish; the message if that fails."""
        road, contract = Road(self.settings(), self.warehouse, self.catalog), self.catalog.contract(BOOK)
        try:
            road.publish(contract, road.stage(contract, road.land(contract, run_id="run-1")).batch)
        except DxError as error:
            return error.what
        return None

    def check(self, news: RunNews | None = None, **values: object) -> CheckReport:
        return check_alerts(self.warehouse, self.catalog, self.settings(**values), news)

    def kinds(self) -> list[tuple[str, str]]:
        with self.warehouse.loader() as connection:
            return [(alert.kind, alert.subject) for alert in open_alerts(connection)]

    def told(self) -> list[str]:
        """Mails that came since the last look: their texts without the first and the last line."""
        texts = [mail.get_content().replace("\r\n", "\n").strip().splitlines() for mail in self.server.mails]
        self.server.mails.clear()
        return ["\n".join(lines[2:-2]) for lines in texts]

    def change(self, old: str, new: str) -> None:
        self.project.replace(self.project.contract("books", "book"), old, new)

    def promise(self, line: str) -> None:
        """A line more in ``customProperties``."""
        self.change("- {property: minSourceRows, value: 1}", "- {property: minSourceRows, value: 1}\n  " + line)

    def sql(self, statement: str) -> None:
        with self.warehouse.owner() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="module")
def warehouse(source_server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(source_server) as opened:
        yield opened


@pytest.fixture
def watched(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """The ledger empty, batches counted from 1."""
    project = SmallProject(tmp_path / "project")
    monkeypatch.setenv("DX_CONNECTION_BOOKS", project.files.as_uri())
    with mail_server() as server:
        made = Watched(project, warehouse, tmp_path / "home", server)
        emptied = "ops.alert, ops.alert_channel, ops.alert_mute, ops.batch, ops.mart_refresh, small.book"
        made.sql(f"truncate {emptied} restart identity cascade")
        yield made


def test_told_once_reminded_of_and_over(watched: Watched) -> None:
    assert watched.run() is None
    assert (watched.check(), watched.told()) == (CheckReport(), [])
    (watched.project.files / "book.csv").rename(watched.project.files / "away.csv")
    assert "no file matches" in str(watched.run())
    report = watched.check()
    assert [(one.kind, one.subject, one.batch_id) for one in report.raised] == [("run_failed", BOOK, 2)]
    (text,) = watched.told()
    assert "MỚI · NEW  books.book (cơ quan · owner H50.99)" in text
    assert "lượt chạy thất bại: khi đọc nguồn, 1 lô chưa được thay thế từ " in text
    assert "run failed: while reading the source, 1 not replaced since " in text
    assert text.endswith("→ dx batches show 2")
    watched.run()
    again = watched.check()
    assert (again.raised, again.open, watched.told()) == ((), 1, []), "it lasts, and was told"
    with watched.warehouse.loader() as connection:
        (alert,) = open_alerts(connection)
        assert (alert.seen, alert.batch_id, alert.facts["batches"]) == (2, 3, 2)
    watched.sql("update ops.alert_notice set sent_at = sent_at - interval '25 hours'")
    watched.check()
    assert watched.told()[0].startswith("VẪN CÒN · STILL  books.book")
    watched.check()
    assert watched.told() == [], "the next reminder is a day away"
    (watched.project.files / "away.csv").rename(watched.project.files / "book.csv")
    assert watched.run() is None
    assert [alert.kind for alert in watched.check().recovered] == ["run_failed"]
    (text,) = watched.told()
    assert text.startswith("ĐÃ HẾT · RECOVERED  books.book")
    assert "→" not in text
    assert (watched.check().open, watched.told()) == (0, [])


def test_a_held_batch_names_its_codes_and_shows_no_row(watched: Watched) -> None:
    rows = "".join(f"A{number},{PERSON},hỏng\n" for number in range(5))
    watched.project.write_csv("book", HEADER + rows)
    assert "is held" in str(watched.run())
    report = watched.check()
    assert [one.kind for one in report.raised] == ["batch_held"]
    (text,) = watched.told()
    assert "lô bị giữ, chưa công bố: vì quy tắc, 1 lô chưa được thay thế" in text
    assert ": amount_unreadable 5, lô 1" in text
    assert PERSON not in text
    assert "hỏng" not in text.replace("lô bị giữ", "")


def test_failed_and_then_held_is_no_recovery(watched: Watched) -> None:
    (watched.project.files / "book.csv").unlink()
    watched.run()
    watched.check()
    watched.project.write_csv("book", "Ma,SoTien\nA1,1\n")
    assert "is not what contract version" in str(watched.run())
    report = watched.check()
    assert ([one.kind for one in report.raised], [one.kind for one in report.recovered]) == (
        ["batch_held"],
        ["run_failed"],
    )
    first, second = watched.told()
    assert "RECOVERED" not in second
    assert second.endswith("→ dx drift books.book")
    assert "run failed" in first


def test_stale_silent_small_poor_and_differing(watched: Watched) -> None:
    """Everything that can be wrong with data that was published, each by the promise of the contract or the setting."""
    watched.promise("- {property: volume, value: {newWithinHours: 48, band: 0.5}}")
    watched.change("schema:\n", "slaProperties:\n  - {property: latency, value: 1, unit: d}\nschema:\n")
    watched.project.write_csv("book", HEADER + "".join(f"A{number},Tên,{number}\n" for number in range(10)))
    assert watched.run() is None
    assert watched.check().open == 0
    good = "".join(f"A{number},Tên,{number}\n" for number in range(36))
    watched.project.write_csv("book", HEADER + good + "".join(f"A{number},x,y\n" for number in range(96, 100)))
    watched.run()
    watched.sql("update ops.batch set published_at = published_at - interval '3 days'")
    watched.sql("update ops.control_sum set value = '1' where gate = 'star' and measure = 'rows' and batch_id = 2")
    report = watched.check(alert_stale_grace_hours=1)
    assert sorted(one.kind for one in report.raised) == [
        "no_new_data", "quality_low", "source_stale", "sums_differ", "volume_outside_band",
    ]  # fmt: skip
    (text,) = watched.told()
    for line in (
        "last published", "promised every 24 hours, late by 48 hours",
        "quality below the threshold: rows rejected 4 / 40 = 10 % > 5 % (amount_unreadable 4), batch 2",
        "nothing new comes: no row new or changed for 72 hours, promised within 48 hours, batch 2",
        "volume outside the promised band: 40 rows read, usual are 10 (+300 %, ±50 %), batch 2",
        "control sums differ: rows, batch 2",
    ):  # fmt: skip
        assert line in text, text
    assert watched.check(alert_rejected_share=0.2, alert_stale_grace_hours=49).open == 3
    good = "".join(f"A{number},Tên,{number}\n" for number in range(29))
    watched.project.write_csv("book", HEADER + good + "B1,Tên,1\n")
    watched.run()
    assert [one.kind for one in watched.check().recovered] == ["no_new_data", "volume_outside_band", "sums_differ"]
    assert watched.kinds() == []


def test_a_run_that_died_and_one_that_never_ended(watched: Watched) -> None:
    road, contract = Road(watched.settings(), watched.warehouse, watched.catalog), watched.catalog.contract(BOOK)
    road.land(contract, run_id="dead-run")
    assert watched.check().open == 0, "it may still be at work"
    report = watched.check(RunNews(dead_runs=("dead-run",)))
    assert [(one.kind, one.facts["at"]) for one in report.raised] == [("run_failed", "died")]
    assert watched.told()[0].endswith("→ dx run books.book")
    assert watched.check().open == 1, "remembered, although nobody says again that it died"
    watched.run()
    assert (len(watched.check().recovered), watched.kinds()) == (1, [])
    with watched.warehouse.loader() as connection:
        ledger.open_batch(connection, contract, kind="snapshot", run_id="hangs")
    watched.sql("update ops.batch set started_at = started_at - interval '7 hours' where run_id = 'hangs'")
    assert [one.facts["at"] for one in watched.check().raised] == ["died"]


def test_a_mart_that_failed_is_over_when_it_is_computed(watched: Watched) -> None:
    news = RunNews(failed=("mart.dossier_on_time", BOOK))
    assert [one.subject for one in watched.check(news).raised] == ["mart.dossier_on_time", BOOK]
    assert watched.check().open == 2
    watched.sql("insert into ops.mart_refresh values ('dossier_on_time', 'x', 'y', clock_timestamp())")
    watched.run()
    assert [one.subject for one in watched.check().recovered] == ["mart.dossier_on_time", BOOK]


def test_a_broken_contract_recovers_nothing(watched: Watched) -> None:
    (watched.project.files / "book.csv").unlink()
    watched.run()
    watched.check()
    watched.change("kind: DataContract", "kind: [")
    report = watched.check()
    assert ([one.kind for one in report.raised], report.recovered) == (["contract_broken"], ())
    assert watched.kinds() == [("run_failed", BOOK), ("contract_broken", "contracts")]
    assert watched.told()[1].endswith("→ dx contract check")


def test_a_channel_that_is_down_is_told_later_and_holds_up_nothing(watched: Watched) -> None:
    (watched.project.files / "book.csv").unlink()
    watched.run()
    with silent_server() as port:
        started = time.monotonic()
        report = watched.check(alert_smtp_port=port, alert_timeout_seconds=0.5)
        assert time.monotonic() - started < 3
    assert report.channels["smtp"].taken is False
    with watched.warehouse.loader() as connection:
        state = channel_states(connection)["smtp"]
    assert (state.failures, state.last_sent_at) == (1, None)
    assert state.failing_since is not None
    assert "gives no service: no answer in time" in str(state.last_error)
    watched.project.write_csv("book", GOOD_ROWS)
    watched.run()
    report = watched.check()
    assert report.channels["smtp"].taken
    (text,) = watched.told()
    assert text.startswith("ĐÃ HẾT · RECOVERED  books.book"), "that it was, and that it is over, in one entry"
    with watched.warehouse.loader() as connection:
        state = channel_states(connection)["smtp"]
    assert (state.failures, state.failing_since, state.last_error) == (0, None, None)
    watched.check()
    assert watched.told() == []


def test_each_channel_is_told_on_its_own(watched: Watched) -> None:
    """A webhook that is set up later hears of what lasts; what the mail server took is not sent to it again."""
    (watched.project.files / "book.csv").unlink()
    watched.run()
    watched.check()
    assert len(watched.told()) == 1
    answers = iter([500, 204, 204])
    with serving(lambda _: Reply(status=next(answers))) as hook:
        assert watched.check(alert_webhook_url=hook.url).channels["webhook"].trouble == "the webhook answers HTTP 500"
        assert watched.check(alert_webhook_url=hook.url).channels["webhook"].taken
        watched.check(alert_webhook_url=hook.url)
        first, second = hook.requests
    assert first.headers["X-Dx-Delivery"] == second.headers["X-Dx-Delivery"], "a receiver can tell it is the same"
    assert [one["event"] for one in json.loads(second.body)["alerts"]] == ["raised"]
    assert watched.told() == []


def test_checks_at_once_take_turns_and_tell_once(watched: Watched) -> None:
    (watched.project.files / "book.csv").unlink()
    watched.run()
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: watched.check(), range(4)))
    assert sorted(len(report.raised) for report in reports) == [0, 0, 0, 1]
    assert len(watched.told()) == 1


def test_what_was_not_looked_at_is_neither_over_nor_reminded_of(watched: Watched) -> None:
    """A check without the project folder of a dataset does not know its contract."""
    (watched.project.files / "book.csv").unlink()
    watched.run()
    watched.check()
    assert len(watched.told()) == 1
    watched.sql("update ops.alert_notice set sent_at = sent_at - interval '25 hours'")
    report = check_alerts(watched.warehouse, Catalog({}, {}), watched.settings())
    assert (report.recovered, report.open, watched.told()) == ((), 1, [])
    watched.check()
    assert watched.told()[0].startswith("VẪN CÒN · STILL")


def test_muted_is_found_and_not_told_until_the_day(watched: Watched) -> None:
    (watched.project.files / "book.csv").unlink()
    watched.run()
    with watched.warehouse.loader() as connection:
        now = connection.execute(sa.text("select now() + interval '1 day'")).scalar_one()
        record_mute(
            connection, "mute", subject="books", kind=None, until=now, reason="đang chuyển máy chủ", decided_by="An", login="an"
        )  # fmt: skip
    report = watched.check()
    assert (report.open, report.muted, watched.told()) == (1, 1, [])
    watched.sql("update ops.alert_mute set muted_until = now() - interval '1 second'")
    report = watched.check()
    assert (report.open, report.muted) == (1, 0)
    assert watched.told()[0].startswith("MỚI · NEW  books.book")
    with watched.warehouse.loader() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.exec_driver_sql("update ops.alert_mute set reason = 'nothing was muted'")
    with watched.warehouse.loader() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.exec_driver_sql("delete from ops.alert_mute")


def test_a_warehouse_out_of_reach_is_told_without_it(watched: Watched) -> None:
    settings = watched.settings()
    assert tell_outage(settings)["smtp"].taken
    assert tell_outage(settings) == {}, "told already, by whichever process"
    (text,) = watched.told()
    assert "MỚI · NEW  warehouse" in text
    assert text.endswith("→ dx doctor")
    state = json.loads((watched.home / "alerts" / "outage.json").read_text(encoding="utf-8"))
    state["told"]["smtp"] = "2024-07-01T00:00:00+00:00"
    (watched.home / "alerts" / "outage.json").write_text(json.dumps(state), encoding="utf-8")
    tell_outage(settings)
    assert watched.told()[0].startswith("VẪN CÒN · STILL  warehouse")
    assert watched.check().channels["smtp"].taken
    assert watched.told()[0].startswith("ĐÃ HẾT · RECOVERED  warehouse")
    assert (watched.check().channels, watched.told()) == ({}, [])
