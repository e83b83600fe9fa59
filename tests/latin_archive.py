"""A department never seen before: a SQLite database of four related tables with Latin text and unknown names.

A fifth table is empty, as new ones are.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = """
create table regio (codex text primary key, nomen text not null, area_km2 real);
create table schola (
    schola_id integer primary key, titulus text not null, regio_codex text references regio (codex),
    condita text, genus text
);
create table discipulus (
    disc_nr text not null unique, cognomen text, praenomen text, "dies natalis" text, "E-mail" text,
    tessera text, schola_id integer references schola (schola_id), gradus integer
);
create table examen (
    schola_id integer not null references schola (schola_id), disc_nr text not null references discipulus (disc_nr),
    materia text, tempus text, punctum text, pretium text, "order" integer,
    primary key (schola_id, disc_nr, materia)
);
create table vacuum (vac_id integer primary key, nomen text, missa datetime);
"""
REGIONS = ("Latium", "Etruria", "Campania", "Umbria", "Apulia", "Calabria", "Liguria", "Venetia")
KINDS = ("ludus", "schola grammatici", "schola rhetoris")
FIRST = ("Marcus", "Gaius", "Lucius", "Titus", "Iulia", "Livia", "Claudia", "Aurelia", "Flavia", "Cornelia")
LAST = ("Tullius", "Iulius", "Cornelius", "Claudius", "Aemilius", "Fabius", "Valerius", "Horatius", "Octavius")
SUBJECTS = ("grammatica", "rhetorica", "arithmetica", "musica")
ROWS = {"regio": 8, "schola": 60, "discipulus": 400, "examen": 1600, "vacuum": 0}


def build_archive(path: Path) -> None:
    """8 regions, 60 schools (one with a founding day that does not exist), 400 pupils, 1 600 examinations."""
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
        connection.executemany(
            "insert into regio values (?, ?, ?)", [(f"LAT-{i:02d}", name, 100.5 + i) for i, name in enumerate(REGIONS)]
        )
        connection.executemany("insert into schola values (?, ?, ?, ?, ?)", [_school(i) for i in range(1, 61)])
        connection.executemany("insert into discipulus values (?, ?, ?, ?, ?, ?, ?, ?)", map(_pupil, range(1, 401)))
        connection.executemany(
            "insert into examen values (?, ?, ?, ?, ?, ?, ?)", [_exam(i, j) for i in range(1, 401) for j in range(4)]
        )
    connection.close()


def _school(i: int) -> tuple[object, ...]:
    day = "1950-02-31" if i == 7 else f"{1900 + i}-0{1 + i % 9}-1{i % 10}"
    return i, f"Schola {'Aurea' if i % 2 else 'Nova'} no. {i}", f"LAT-{i % 8:02d}", day, KINDS[i % 3]


def _pupil(i: int) -> tuple[object, ...]:
    first, last = FIRST[i % 10], LAST[i % 9]
    born = f"{1 + i % 28:02d}/{1 + i % 12:02d}/{1990 + i % 20}"
    mail = f"{first.lower()}.{i}@schola.example"
    return f"D{i:05d}", last, first, born, mail, f"0912{i:06d}", 1 + i % 60, 1 + i % 12


def _exam(i: int, j: int) -> tuple[object, ...]:
    when = f"202{i % 4}{1 + j:02d}{1 + i % 28:02d}083000"
    points = f"{(i * 7 + j) % 100 / 10:.1f}".replace(".", ",")
    price = f"{(i % 90 + 10) * 1000:,}".replace(",", ".") + " đ" if i % 3 else None
    return 1 + i % 60, f"D{i:05d}", SUBJECTS[j], when, points, price, j
