"""A stranger's register in Spanish, brought to a mart by following docs/onboard-a-source.md: no Python, no line edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dx_pipeline.contract.loader import load_contract
from tests.conftest import Installation
from tests.fisheries_register import BOATS, LANDINGS, OWNERS, QUOTAS, build_register

MIGRATION = """\
create table mart.landed_by_port (
    port_code text primary key,
    kilograms double precision,
    euros numeric,
    refreshed_at timestamptz not null
);
comment on table mart.landed_by_port is 'Cá về cảng | Fish landed by port';
grant select, insert, delete on mart.landed_by_port to dx_loader;
grant select on mart.landed_by_port to dx_engineer, dx_analyst, dx_bi;
"""
MART = """\
-- Grain: one row per port; '?' stands for landings of boats that are not in the register.
-- dx:mart name=landed_by_port depends=pesca.desembarque_diario,pesca.embarcacion

delete from mart.landed_by_port;

insert into mart.landed_by_port (port_code, kilograms, euros, refreshed_at)
select
    coalesce(b.puerto, '?') as port_code,
    sum(d.kg) as kilograms,
    sum(d.precio) as euros,
    now() as refreshed_at
from pesca.desembarque_diario as d
left join pesca.embarcacion as b
    on b.matricula = d.matricula
group by
    1;
"""

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Register:
    """The register, the project drafted from it and the installation that reads it."""

    installation: Installation
    project: Path
    told: str  # what `dx contract init` printed

    def contract(self, dataset: str) -> Path:
        return self.project / "assets" / "pesca" / f"{dataset}.odcs.yaml"


@pytest.fixture(scope="module")
def register(make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Register:
    folder = tmp_path_factory.mktemp("pesca")
    database, project = folder / "pesca.sqlite", folder / "project"
    build_register(database)
    installation = make_installation()
    drafted = installation.dx("contract", "init", str(database), "--all", "--system", "pesca", "--out", str(project))
    installation.environment["DX_CONNECTION_PESCA"] = f"sqlite:///{database}"
    for name, text in (("migrations/0001_landed_by_port.sql", MIGRATION), ("marts/landed_by_port.sql", MART)):
        path = project / "warehouse_sql" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = Register(installation, project, drafted.stdout + drafted.stderr)
    installation.dx("contract", "check", *map(str, sorted(project.glob("assets/pesca/*.odcs.yaml"))))
    installation.dx("run", "--project", str(project), "pesca")
    return found


def test_the_drafts_say_what_the_register_means(register: Register) -> None:
    landings = load_contract(register.contract("desembarque_diario"), register.project)
    assert landings.key_columns == ("matricula", "fecha", "especie")
    assert landings.depends_on == ("pesca.embarcacion",)
    meant = {
        column.name: (column.source_name, column.semantic_type, dict(column.options)) for column in landings.columns
    }
    assert meant == {
        "matricula": ("matricula", "identifier", {}),
        "fecha": ("fecha", "date", {}),
        "especie": ("especie", "identifier", {}),
        "kg": ("kg", "number", {"decimal": ","}),
        "precio": ("precio €", "number", {"decimal": ",", "scale": 2, "currency": "€"}),
        "merma": ("% merma", "percentage", {"decimal": ","}),
        "src_order": ("order", "integer", {}),
    }
    assert load_contract(register.contract("cuota"), register.project).key_columns == ("especie", "src_select")
    assert load_contract(register.contract("puerto"), register.project).depends_on == (), (
        "a tree in itself is no circle"
    )


def test_owners_are_personal_and_named_nowhere(register: Register) -> None:
    boats = load_contract(register.contract("embarcacion"), register.project)
    assert {column.name for column in boats.columns if column.is_personal} == {"armador", "src_user"}
    written = [path.read_text(encoding="utf-8") for path in register.project.rglob("*") if path.is_file()]
    for text in (register.told, *written):
        assert not [owner for owner in OWNERS if owner in text]


def test_an_orphan_is_told(register: Register) -> None:
    told = f"1 of {LANDINGS:,} rows name no row of embarcacion in matricula"
    assert told in register.told
    assert told in register.contract("desembarque_diario").read_text(encoding="utf-8")


def test_every_row_is_accounted_for(register: Register) -> None:
    counts = register.installation.rows(
        "select dataset, extracted, accepted, duplicate, inserted, status from ops.batch where system = 'pesca'"
        " order by 1"
    )
    assert counts == [
        ["cuota", str(QUOTAS), str(QUOTAS - 1), "1", str(QUOTAS - 1), "published"],
        ["desembarque_diario", str(LANDINGS), str(LANDINGS), "0", str(LANDINGS), "published"],
        ["embarcacion", str(BOATS), str(BOATS), "0", str(BOATS), "published"],
        ["puerto", "12", "12", "0", "12", "published"],
    ]


def test_parents_are_published_before_their_children(register: Register) -> None:
    order = register.installation.rows(
        "select dataset from ops.batch where system = 'pesca' and dataset <> 'cuota' order by published_at"
    )
    assert order == [["puerto"], ["embarcacion"], ["desembarque_diario"]]


def test_values_arrive_typed(register: Register) -> None:
    """Row 121 of the register: ``2024-02-02``, ``2.121,21``, ``7,21 €``, ``1,1 %``; the dates are written in four ways."""
    assert register.installation.rows(
        "select fecha, especie, kg, precio, merma, src_order from pesca.desembarque_diario where src_order = 121"
    ) == [["2024-02-02", "bonito", "2121.21", "7.21", "1.1000", "121"]]
    assert register.installation.rows(
        "select min(fecha), max(fecha), count(distinct fecha) from pesca.desembarque_diario"
    ) == [["2024-01-01", "2024-12-20", "240"]]


def test_the_mart_counts_the_orphan_apart(register: Register) -> None:
    rows = register.installation.rows(
        "select count(*), count(*) filter (where port_code = '?'), sum(euros) from mart.landed_by_port"
    )
    total = register.installation.value("select sum(precio) from pesca.desembarque_diario")
    assert rows == [["13", "1", total]]
