"""Every SQL the project runs obeys the rules that let it run unchanged on Citus; each rule is shown to find what it is for.

Citus itself cannot run in CI (no package of it can be installed there): tests/conformance runs against a real cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.distribution import SEQUENTIAL, placement
from tests.citus import corpus
from tests.citus.catalog import Catalog
from tests.citus.exceptions import KNOWN
from tests.citus.rules import RULES, r6_sequential_first_dimensions_before_facts, r13_row_counts_of_the_driver

SCHEMA = """
create table core.dim_office (office_sk integer generated always as identity primary key, name text);
create table core.fact_file (dossier_code text, opened_on date, opened_at timestamptz, office_sk integer, state text,
    primary key (dossier_code, opened_on)) partition by range (opened_on);
create table core.fact_file_step (dossier_code text, opened_on date, step integer, primary key (dossier_code, step));
create view core.open_file as select dossier_code from core.fact_file where state = 'open';
create table core.dim_kind (kind_sk integer primary key);
grant select on core.fact_file to dx_engineer;
"""

BREACHES = [
    (
        "R1",
        "create table core.fact_x (dossier_code text, id int, primary key (dossier_code, id), unique (id))",
        "key (id)",
    ),
    ("R1", "create unique index by_state on core.fact_file (state)", "unique index by_state"),
    ("R1", "alter table core.fact_file alter column dossier_code type varchar(40)", "type of dossier_code"),
    ("R1", "alter table core.fact_file add constraint u unique (office_sk)", "constraint u"),
    ("R1", "update core.fact_file set dossier_code = 'a' where state = 'x'", "dossier_code is updated"),
    (
        "R2",
        "create table core.fact_x (id bigint generated always as identity, dossier_code text primary key)",
        "id numbers itself",
    ),
    ("R2", "create table core.fact_x (id bigserial, dossier_code text primary key)", "id numbers itself"),
    ("R3", "alter table core.fact_file add column a int, add constraint c check (a > 0)", "add constraint beside"),
    ("R3", "create table core.fact_x (dossier_code text primary key, a int check (a > 0))", "a check without a name"),
    (
        "R4",
        "create table core_partition.p partition of core.fact_file for values from ('2024-01-01') to ('2025-01-01')"
        " partition by range (opened_on)",
        "p is partitioned again",
    ),
    ("R4", "alter table core.fact_file detach partition core_partition.p concurrently", "detach concurrently"),
    ("R5", "create trigger t after insert on core.fact_file for each row execute function f()", "trigger t"),
    ("R5", "create table core.fact_x (a int) inherits (core.fact_file)", "inherits"),
    ("R5", "update core.open_file set dossier_code = 'a'", "writes to the view core.open_file"),
    (
        "R7",
        "insert into core.fact_file as t (dossier_code, opened_on, opened_at) select 'a', date '2024-01-01', now()"
        " on conflict (dossier_code, opened_on) do update set opened_at = now()",
        "now() in do update",
    ),
    (
        "R7",
        "insert into core.fact_file (dossier_code) select 'a' on conflict (dossier_code, opened_on) do update"
        " set opened_at = current_timestamp",
        "current_timestamp",
    ),
    (
        "R8",
        "merge into core.fact_file as t using stage.x as s on s.c = t.dossier_code when matched then delete",
        "merge",
    ),
    ("R9", "update core.fact_file set opened_at = clock_timestamp()", "clock_timestamp() in update"),
    ("R9", "insert into core.fact_file (dossier_code) values ((select max(c) from stage.x))", "a subquery in values"),
    (
        "R9",
        "delete from core.fact_file as d where not exists (select from stage.x as s where s.c = d.dossier_code)",
        "delete by a subquery",
    ),
    ("R9", "select 1 from core.fact_file where state = 'open' for update", "for update of more than one"),
    ("R10", "update core.dim_office as o set name = s.name from stage.x as s where s.id = o.office_sk", "from stage.x"),
    (
        "R10",
        "with s as (select * from stage.x) update core.dim_office as o set name = s.name from s where s.id = o.office_sk",
        "update of core.dim_office from s",
    ),
    (
        "R10",
        "insert into core.dim_office (name) select s.name from stage.x as s"
        " where not exists (select from core.dim_office as o where o.name = s.name)",
        "a correlated subquery",
    ),
    (
        "R10",
        "insert into core.dim_office (name) select s.name from stage.x as s"
        " left join core.dim_office as o on o.name = s.name where o.office_sk is null",
        "anti-join of local rows with core.dim_office",
    ),
    ("R11", "select date 'infinity'", "infinity"),
    ("R12", "select office_sk, count(*) from core.fact_file group by rollup (office_sk)", "grouping sets"),
    (
        "R12",
        "with recursive r as (select dossier_code from core.fact_file union all select dossier_code from r) select * from r",
        "recursive CTE",
    ),
    (
        "R12",
        "select o.name, (select count(*) from core.fact_file as f where f.office_sk = o.office_sk) from core.dim_office as o",
        "depends on each row outside",
    ),
    (
        "R12",
        "select o.name, l.n from core.dim_office as o cross join lateral"
        " (select count(*) as n from core.fact_file as f where f.office_sk = o.office_sk) as l",
        "depends on each row outside",
    ),
    (
        "R12",
        "select count(*) from core.fact_file as f join core.fact_file_step as s on s.opened_on = f.opened_on",
        "f, s are not joined to each other by dossier_code",
    ),
    ("R13", "select c.reltuples from pg_class as c", "reltuples"),
    ("R13", "select pg_total_relation_size('core.fact_file')", "pg_total_relation_size()"),
    ("R13b", "set local timezone = 'Asia/Ho_Chi_Minh'", "set timezone"),
    ("R13b", "select date_trunc('week', f.opened_on) from core.fact_file as f", "date_trunc of opened_on"),
    ("R13b", "select f.opened_at::date from core.fact_file as f", "opened_at::date"),
    ("R14", "grant select on core.open_file to dx_bi", "dx_bi may read the view core.open_file but not its table"),
    (
        "R15",
        "create policy own on core.fact_file using (office_sk in (select o.office_sk from core.dim_office as o))",
        "policy own has a subquery",
    ),
    (
        "R15",
        "create policy own on core.fact_file using (state = current_setting('app.office'))",
        "policy own calls current_setting()",
    ),
    ("R16", "grant select on all tables in schema core to dx_bi", "grant on all tables"),
    ("R16", "grant usage on schema core_partition to dx_bi", "usage of core_partition"),
    (
        "R16",
        "create table core.p partition of core.fact_file for values from ('2024-01-01') to ('2025-01-01')",
        "partition p outside core_partition",
    ),
]

OBEYED = [
    "create table core.fact_x (dossier_code text, a int constraint positive check (a > 0), primary key (dossier_code, a))",
    "insert into core.fact_file as t (dossier_code, opened_on, opened_at) select s.c, s.d, now() from stage.x as s"
    " on conflict (dossier_code, opened_on) do update set opened_at = excluded.opened_at"
    " where t.state is distinct from excluded.state",
    "update core.dim_office set name = 'a' where office_sk = any($1)",
    "with s as (select k.kind_sk from core.dim_kind as k) update core.dim_office as o set name = 'a' from s"
    " where s.kind_sk = o.office_sk",
    "with s as materialized (select x.name from stage.x as x) insert into core.dim_office (name) select s.name from s"
    " left join core.dim_office as o on o.name = s.name where o.office_sk is null",
    "select g.office_sk, sum(g.n) from (select office_sk, count(*) as n from core.fact_file group by office_sk) as g"
    " group by rollup (g.office_sk)",
    "select count(*) from core.fact_file as f join core.fact_file_step as s on s.dossier_code = f.dossier_code",
    "select date_trunc('week', f.opened_on::timestamp), (f.opened_at at time zone 'Asia/Ho_Chi_Minh')::date"
    " from core.fact_file as f",
    "grant select on core.open_file to dx_engineer",
    "create policy own on core.fact_file using (pg_has_role(current_user, 'dv_' || state, 'member'))",
    "select 1 from core.fact_file where dossier_code = 'a' for update",
]


@cache
def example_catalog() -> Catalog:
    learned = Catalog()
    for _, _, tree in corpus.parse(SCHEMA):
        learned.learn(tree)
    return learned


def complaints(text: str, rule: str | None = None) -> list[str]:
    found = []
    for statement in corpus.statements_of("example", text):
        catalog = Catalog(dict(example_catalog().tables), example_catalog().views, example_catalog().grants)
        catalog.learn(statement.tree)
        for number, check in RULES.items():
            if rule in (None, number):
                found += list(check(statement.tree, catalog))
    return found


@pytest.mark.parametrize(("rule", "text", "complaint"), BREACHES)
def test_a_rule_finds_what_it_is_for(rule: str, text: str, complaint: str) -> None:
    assert any(complaint in found for found in complaints(text, rule))


@pytest.mark.parametrize("text", OBEYED)
def test_what_obeys_the_rules_is_let_be(text: str) -> None:
    assert complaints(text) == []


def test_every_rule_has_an_example() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(RULES)


def test_r6_finds_a_dimension_written_after_a_fact_and_a_transaction_that_is_not_sequential() -> None:
    texts = [
        "insert into core.fact_file (dossier_code) select s.c from stage.x as s",
        "insert into core.dim_office (name) select s.n from stage.x as s",
    ]
    trees = [tree for text in texts for _, _, tree in corpus.parse(text)]
    found = list(r6_sequential_first_dimensions_before_facts(texts, trees, example_catalog()))
    assert found == [f"does not start with {SEQUENTIAL}", "core.dim_office is written after core.fact_file"]
    turned = [SEQUENTIAL, *reversed(texts)]
    assert list(r6_sequential_first_dimensions_before_facts(turned, trees[::-1], example_catalog())) == []


def test_statements_inside_functions_are_checked_too() -> None:
    body = "begin update core.fact_file set opened_at = clock_timestamp(); return 1; end"
    text = f"create function core.f() returns int language plpgsql as $$ {body} $$"
    assert complaints(text, "R9") == ["clock_timestamp() in update"]
    assert complaints(f"do $$ {body.replace('return 1;', '')} $$", "R9") == ["clock_timestamp() in update"]
    body = "select f.opened_at::date from core.fact_file as f"
    text = f"create function core.f() returns date language sql as $$ {body} $$"
    assert complaints(text, "R13b") == ["opened_at::date without a zone"]


def breaches() -> Iterator[tuple[str, str, str]]:
    """All breaches of the project: rule, source, complaint."""
    catalog = corpus.catalog()
    for statement in corpus.everything():
        for rule, check in RULES.items():
            for complaint in check(statement.tree, catalog):
                yield rule, statement.source, complaint
    for source, sent in corpus.load_transactions().items():
        texts, trees = [statement.text for statement in sent], [statement.tree for statement in sent]
        for complaint in r6_sequential_first_dimensions_before_facts(texts, trees, catalog):
            yield "R6", source, complaint
    for path in sorted((PROJECT_ROOT / "dx_pipeline" / "warehouse").glob("*.py")):
        for name in r13_row_counts_of_the_driver(path):
            yield "R13", str(path.relative_to(PROJECT_ROOT)), name


def test_the_sql_of_the_project_obeys_the_rules_and_no_exception_is_stale() -> None:
    unknown, used = [], set()
    for rule, source, complaint in breaches():
        matching = [
            known
            for known in KNOWN
            if known.rule == rule and source.startswith(known.source) and known.complaint in complaint
        ]
        used.update(matching)
        if not matching:
            unknown.append((rule, source, complaint))
    assert unknown == []
    assert [known for known in KNOWN if known not in used] == []


def test_every_source_of_statements_is_read() -> None:
    sources = {statement.source for statement in corpus.everything()}
    kinds = ("migrations/", "load/", "marts/", "questions/")
    counts = {kind: sum(source.startswith(kind) for source in sources) for kind in kinds}
    assert min(counts.values()) >= 20, counts
    sent = [statement.text for statement in corpus.load_transactions()["load/one_stop/ho_so.sql"]]
    assert any(text.startswith("insert into core_partition.fresh") for text in sent)
    assert any('on conflict ("dossier_code", "registered_on") do update' in text for text in sent)
    assert any("former as (insert into core.fact_dossier_history" in text for text in sent)
    groups = [statement.text for statement in corpus.load_transactions()["load/one_stop/groups.sql"]]
    assert any("set valid_to = $1, is_current = false" in text for text in groups)


def test_where_tables_live() -> None:
    places = {name: table.place for name, table in corpus.catalog().tables.items()}
    assert {name for name, place in places.items() if place == "distributed"} == {
        "core.fact_dossier",
        "core.fact_dossier_event",
        "core.fact_dossier_event_history",
        "core.fact_dossier_history",
        "core.fact_satisfaction",
        "core.fact_satisfaction_history",
        "restricted.dossier_applicant",
    }
    assert places["core.dim_agency"] == places["core.dossier_alias"] == "reference"
    assert places["core.fact_eid_month"] == places["ops.batch"] == places["mart.dossier_on_time"] == "local"
    assert placement("restricted", "land_parcel", ("parcel_code",)) == "local"
