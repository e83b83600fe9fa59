"""A real Superset, filled by `dx bi superset load`: labels, metrics, every chart by its API, and one analyst's rows."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.engine import make_url

from dx_pipeline.bi.dashboards import load_dashboards
from dx_pipeline.bi.datasets import LATEST
from dx_pipeline.bi.superset_bundle import DATABASE_FILE
from dx_pipeline.bi.superset_server import ADMIN, SupersetError, SupersetServer, is_installed
from dx_pipeline.contract.indicator import Indicator, load_indicators
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.indicator_value import indicator_values
from tests.assessed import assess
from tests.clients.installed import require
from tests.clients.superset_session import SupersetSession
from tests.conftest import ROOT, Installation
from tests.star import warehouse_url

AGENCY = "H50.05"
INDICATORS = load_indicators([ROOT])

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def province(make_installation: Callable[[], Installation]) -> Installation:
    """The province that CI has filled already (DX_FILLED_HOME), else a small one of our own."""
    require(is_installed(), "Superset", "dx bi superset install")
    if filled := os.environ.get("DX_FILLED_HOME"):
        installation = Installation(Path(filled))
        installation.dx("up")
        return installation
    installation = make_installation()
    installation.dx("sandbox", "build", "--dossiers", "6000")  # fewer leave an agency without an open dossier
    installation.dx("run")
    return installation


@pytest.fixture(scope="module")
def superset(province: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupersetSession]:
    server = SupersetServer.of(Settings(home=province.home))
    assess(province, tmp_path_factory.mktemp("assessed"))
    try:
        told = province.dx("bi", "superset", "load").stdout
        assert "6 dashboards" in told
        assert server.address is not None
        yield SupersetSession(server.address, ADMIN, server.password())
    finally:
        province.dx("bi", "superset", "down", check=False)


@pytest.fixture(scope="module")
def datasets(superset: SupersetSession) -> dict[str, int]:
    return {found["table_name"]: int(found["id"]) for found in superset.datasets()}


def test_every_chart_of_every_dashboard_gives_data(superset: SupersetSession) -> None:
    declared = load_dashboards(INDICATORS)
    assert {board["slug"] for board in superset.dashboards()} == {dashboard.id for dashboard in declared}
    charts = superset.chart_data()
    assert len(charts) == sum(len(dashboard.charts) for dashboard in declared)
    for chart in charts:
        assert chart.error is None, (chart.name, chart.error)
        assert chart.rows, chart.name
        assert len(chart.dashboards) == 1, chart.name
    (assessed,) = [chart for chart in charts if chart.name == "Kết quả đánh giá hằng năm"]
    places = {row["agency_name"]: (row["place"], row["tied"], row["status"]) for row in assessed.rows}
    assert len(places) == len(assessed.rows) == 7  # whole sets only, no components
    assert places["Sở Nội vụ"] == places["Sở Tư pháp"] == (2, 2, "verified")
    assert places["Sở Kế hoạch và Đầu tư"] == (4, 1, "verified")
    assert places["Sở Tài chính"] == (None, None, "excluded")
    (scored,) = [chart for chart in charts if chart.name == "Điểm mất theo thành phần QĐ 766"]
    lost = [row["service_points_lost"] for row in scored.rows]
    assert len(lost) >= 10
    assert lost == sorted(lost, reverse=True)
    # what cannot be shown by commune is left out of a ranking, not put on its top without a value
    (highest,) = [chart for chart in charts if chart.name == "15 xã có tỷ lệ kích hoạt cao nhất"]
    rates = [row["eid_activation"] for row in highest.rows]
    assert len(rates) == 15
    assert rates == sorted(rates, reverse=True)
    assert "Không xác định | Unknown" not in {row["commune_name"] for row in highest.rows}


def test_the_marts_are_there_with_labels_from_their_comments(
    superset: SupersetSession, datasets: dict[str, int], province: Installation
) -> None:
    with psycopg.connect(warehouse_url(province.home)) as connection:
        marts = connection.execute(
            "select c.relname from pg_class as c where c.relnamespace = 'mart'::regnamespace"
            " and c.relkind in ('r', 'v', 'm') and has_table_privilege('dx_bi', c.oid, 'select')"
        ).fetchall()
    assert {name for (name,) in marts} <= set(datasets)
    found = superset.dataset(datasets["system_compliance"])
    labels = {column["column_name"]: column["verbose_name"] for column in found["columns"]}
    assert labels["owner_agency_name"] == "Tên đơn vị chủ quản"
    assert labels["complies"] == "Đủ cả bốn"
    assert labels["uses_ipv6"] == "Đã chuyển đổi IPv6"  # without `; trống là chưa rõ`
    assert len(set(labels.values())) == len(labels)
    described = {column["column_name"]: column["description"] for column in found["columns"]}
    assert described["complies"] == "Đủ cả bốn | Has all four"


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda one: one.id)
def test_a_metric_gives_what_the_indicator_gives(
    superset: SupersetSession, datasets: dict[str, int], province: Installation, indicator: Indicator
) -> None:
    is_stock = indicator.time is not None and indicator.time.over_time == "latest"
    name = indicator.mart + LATEST if is_stock else indicator.mart
    (shown,) = superset.query(context(datasets[name], {"columns": [], "metrics": [indicator.id]}))
    engine = sa.create_engine(make_url(warehouse_url(province.home)).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        (computed,) = indicator_values(connection, indicator)
    engine.dispose()
    assert computed.value is not None
    assert shown[indicator.id] == pytest.approx(float(computed.value))


def test_a_month_is_shown_as_that_month(
    superset: SupersetSession, datasets: dict[str, int], province: Installation
) -> None:
    month = {"label": "month", "sqlExpression": "month", "expressionType": "SQL", "columnType": "BASE_AXIS"}
    rows = superset.query(
        context(datasets["dossier_on_time"], {"columns": [{**month, "timeGrain": "P1M"}], "metrics": ["count"]})
    )
    with psycopg.connect(warehouse_url(province.home)) as connection:
        counted = connection.execute(
            "select extract(epoch from month::timestamp)::bigint * 1000, count(*) from mart.dossier_on_time group by 1"
        ).fetchall()
    assert sorted((row["month"], row["count"]) for row in rows) == sorted((int(at), count) for at, count in counted)


def test_an_analyst_of_an_agency_sees_its_rows_in_superset(
    superset: SupersetSession, province: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "an.pw"
    province.dx(
        *("access", "grant", "an_superset", "--kind", "analyst", "--agency", AGENCY),
        *("--for", "Nguyễn Văn An, thử Superset", "--password-file", str(file)),
    )
    url = make_url(warehouse_url(province.home)).set(
        drivername="postgresql+psycopg2", username="an_superset", password=file.read_text(encoding="ascii").strip()
    )
    number = superset.add_database(f"Quyền của An {uuid4().hex[:8]}", url.render_as_string(hide_password=False))
    try:
        with psycopg.connect(warehouse_url(province.home)) as connection:
            own, every = connection.execute(
                "select count(*) filter (where a.agency_code = %(agency)s or a.agency_code like %(below)s), count(*)"
                " from core.fact_dossier as f join core.dim_agency as a on a.agency_sk = f.agency_sk",
                {"agency": AGENCY, "below": f"{AGENCY}.%"},
            ).fetchone() or (0, 0)
            shared = connection.execute("select count(*) from mart.eid_by_commune_month").fetchone()
        assert 0 < own < every
        assert superset.sql(number, "select count(*) as rows from core.fact_dossier") == [{"rows": own}]
        assert superset.sql(number, "select distinct agency_code from mart.dossier_late_now") == [
            {"agency_code": AGENCY}
        ]
        assert superset.sql(number, "select count(*) as rows from mart.eid_by_commune_month") == [
            {"rows": (shared or (0,))[0]}
        ]
        for closed in ("restricted.dossier_applicant", "ops.batch", "core.fact_business", "mart.quality_open_reason"):
            with pytest.raises(SupersetError, match="permission denied"):
                superset.sql(number, f"select * from {closed}")
    finally:
        province.dx("access", "revoke", "an_superset")
    with pytest.raises(SupersetError):  # the right ended, also for the connections Superset had
        superset.sql(number, "select count(*) as rows from mart.eid_by_commune_month")


def test_the_bundle_for_another_superset_is_taken_by_its_import(
    superset: SupersetSession, province: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.zip"
    province.dx("bi", "superset", "bundle", str(file), "--warehouse-host", "kho.tinh:5433")
    with zipfile.ZipFile(file) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    database = yaml.safe_load(texts[f"kho_du_lieu_tinh/{DATABASE_FILE}"])
    assert database["sqlalchemy_uri"].startswith("postgresql+psycopg2://superset_bi:XXXXXXXXXX@kho.tinh:5433/")
    owner = make_url(warehouse_url(province.home)).password
    assert not [name for name, text in texts.items() if str(owner) in text]
    before = len(superset.datasets())
    superset.import_dashboards(file.read_bytes(), "any")
    assert len(superset.datasets()) == before
    assert [chart.name for chart in superset.chart_data() if not chart.rows] == []


def context(dataset_id: int, query: dict[str, object]) -> dict[str, object]:
    """A query context of one query."""
    whole = {"filters": [], "orderby": [], "row_limit": 1000, "extras": {}, **query}
    return {
        "datasource": {"id": dataset_id, "type": "table"},
        "force": True,
        "queries": [whole],
        "result_format": "json",
        "result_type": "full",
    }
