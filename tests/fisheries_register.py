"""A department never seen before: a SQLite register of fisheries in Spanish, kept by hand for years.

What is wrong with it, on purpose: dates written in four ways in one column, money with a decimal comma and a currency
sign, a table that refers to itself, a landing of a boat that does not exist, a copied row in a table without a key,
reserved words, blanks, accents and a percent sign in names.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = """
create table puerto (
    "código" text primary key, nombre text not null, depende_de text references puerto ("código"), "group" text
);
create table embarcacion (
    matricula text primary key, nombre text, "año" integer, eslora_m text, armador text, "nº licencia" text,
    puerto text references puerto ("código"), activo text, "user" text
);
create table "desembarque diario" (
    matricula text not null references embarcacion (matricula), fecha text not null, especie text not null,
    kg text, "precio €" text, "% merma" text, "order" integer,
    primary key (matricula, fecha, especie)
);
create table cuota (especie text, "select" integer, zona text, toneladas real, vigente_desde text);
"""
NAMES = ("Virgen del Carmen", "Nuevo Amanecer", "La Niña", "Santa María", "El Peñón", "Estrella del Mar", "Cantábrico")
OWNERS = ("Iñaki Etxeberria", "María José Núñez", "Xosé Castro", "Ramón Ibáñez", "Lucía Fernández")
SPECIES = ("merluza", "bonito", "sardina", "anchoa", "jurel")
BOATS, LANDINGS, QUOTAS = 120, 2_400, 41
ORPHAN_LANDINGS = 1
COPIED_QUOTAS = 1


def build_register(path: Path) -> None:
    """12 ports in a tree, 120 boats, 2 400 landings (one of an unknown boat), 40 quotas and a copied one."""
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
        connection.executemany("insert into puerto values (?, ?, ?, ?)", [_port(i) for i in range(12)])
        connection.executemany("insert into embarcacion values (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_boat, range(BOATS)))
        connection.executemany(
            'insert into "desembarque diario" values (?, ?, ?, ?, ?, ?, ?)', map(_landing, range(LANDINGS))
        )
        quotas = [_quota(i) for i in range(QUOTAS - COPIED_QUOTAS)]
        connection.executemany("insert into cuota values (?, ?, ?, ?, ?)", [*quotas, quotas[7]])
    connection.close()


def _port(i: int) -> tuple[object, ...]:
    return f"P{i:02d}", f"Puerto de {NAMES[i % 7]}", None if i < 3 else f"P{i % 3:02d}", "norte" if i % 2 else "sur"


def _boat(i: int) -> tuple[object, ...]:
    return (
        f"SS-{i:04d}", NAMES[i % 7], 1980 + i % 40, f"{8 + i % 20},{i % 10}", OWNERS[i % 5], f"L/{i * 7 % 999:03d}-{i:03d}",
        f"P{i % 12:02d}", "S" if i % 3 else "N", f"usuario{i % 4}",
    )  # fmt: skip


def _landing(i: int) -> tuple[object, ...]:
    boat = "XX-9999" if i == 17 else f"SS-{i % BOATS:04d}"
    day, month = 1 + i // BOATS, 1 + i % 12
    written = (
        f"{day:02d}/{month:02d}/2024",
        f"2024-{month:02d}-{day:02d}",
        f"{day}/{month}/2024",
        f"2024{month:02d}{day:02d}",
    )
    kg, cents = f"{1 + i % 4}.{i % 1000:03d},{i % 100:02d}", f"{3 + i % 9},{i % 100:02d} €"
    return boat, written[i % 4], SPECIES[i % 5], kg, cents, f"{i % 15},{i % 10} %", i


def _quota(i: int) -> tuple[object, ...]:
    return SPECIES[i % 5], 2017 + i // 5, f"VIII-{'abcd'[i % 4]}", 100.5 + i, f"01/01/{2017 + i // 5}"
