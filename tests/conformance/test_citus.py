"""The same run on plain PostgreSQL and on a Citus cluster ends with the same star and the same answers.

Give an empty database of a cluster, with the extension made and the nodes added, and a login that may create roles::

    DX_CITUS_DSN=postgresql://user:password@host:5432/empty_database python -m pytest tests/conformance

The suite fills that database and leaves it filled, to be looked at. docs/scale.md says what is known to fail today.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from tests.conftest import Installation
from tests.questions import answer, read_questions
from tests.star import star_checksums, warehouse_url

DSN = os.environ.get("DX_CITUS_DSN")
DOSSIERS = "2000"

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        DSN is None,
        reason="DX_CITUS_DSN is not set: Citus cannot be installed in CI; the operator names an empty database of a cluster",
    ),
]


@dataclass(frozen=True)
class Pair:
    """The same province in two warehouses."""

    plain: Installation
    citus: Installation

    @property
    def urls(self) -> tuple[str, str]:
        return warehouse_url(self.plain.home), str(DSN)


@pytest.fixture(scope="module")
def pair(make_installation: Callable[[], Installation]) -> Pair:
    """Two sandboxes of one seed, loaded into an embedded and into a distributed warehouse."""
    with psycopg.connect(str(DSN)) as connection:
        schemas = connection.execute("select count(*) from pg_namespace where nspname in ('core', 'ops')").fetchone()
        extension = connection.execute("select extversion from pg_extension where extname = 'citus'").fetchone()
    assert extension is not None, "the database of DX_CITUS_DSN has no extension citus"
    assert schemas == (0,), "the database of DX_CITUS_DSN is not empty: give a new one"
    made = Pair(make_installation(), make_installation())
    made.citus.environment["DX_WAREHOUSE_URL"] = str(DSN)
    made.citus.dx("warehouse", "distribute")
    for installation in (made.plain, made.citus):
        installation.dx("sandbox", "build", "--dossiers", DOSSIERS)
        installation.dx("run", timeout=1800)
        if installation is made.plain:  # the same key, so that pseudonyms are the same
            shutil.copytree(made.plain.home / "keys", made.citus.home / "keys")
    return made


def assert_same_star(pair: Pair) -> None:
    plain, citus = (star_checksums(url, hashes=False) for url in pair.urls)
    assert {table: (plain[table], citus.get(table)) for table in plain if plain[table] != citus.get(table)} == {}


def test_facts_are_distributed_and_dimensions_are_on_every_node(pair: Pair) -> None:
    with psycopg.connect(str(DSN)) as connection:
        rows = connection.execute(
            "select logicalrelid::text, partmethod || repmodel from pg_dist_partition as d"
            " join pg_class as c on c.oid = d.logicalrelid where not c.relispartition"
        ).fetchall()
        shards = connection.execute(
            "select count(distinct nodename || ':' || nodeport) from citus_shards"
            " where table_name::text like 'core_partition.fact_dossier%'"
        ).fetchone()
    placed = dict(rows)
    # pg_dist_partition: h hash distributed, nt reference, ns a local table that Citus knows because of its foreign keys.
    assert placed["core.fact_dossier"][0] == placed["core.fact_dossier_event"][0] == "h"
    assert placed["core.dim_agency"] == placed["core.dossier_alias"] == "nt"
    assert placed.get("core.fact_eid_month", "ns") == "ns"
    assert shards is not None
    assert shards[0] >= 1


def test_the_first_load_gives_the_same_star(pair: Pair) -> None:
    assert_same_star(pair)


def test_a_second_call_moves_nothing(pair: Pair) -> None:
    before = star_checksums(str(DSN))
    pair.citus.dx("warehouse", "distribute")
    assert star_checksums(str(DSN)) == before


def test_every_question_has_the_same_answer(pair: Pair) -> None:
    with psycopg.connect(pair.urls[0]) as plain, psycopg.connect(pair.urls[1]) as citus:
        for question in read_questions():
            assert answer(citus, question) == answer(plain, question), question.path.name


def test_an_increment_gives_the_same_star(pair: Pair) -> None:
    for installation in (pair.plain, pair.citus):
        installation.dx("sandbox", "change")
        installation.dx("run", timeout=1800)
    assert_same_star(pair)
