"""The landing zone: whole batches or none, private, hashed, never changed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.errors import LandingError, SourceUnavailable
from dx_pipeline.landing import parquet_parts
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore

SCHEMA = pa.schema([("Id", pa.int64()), ("MaHoSo", pa.string()), ("NgayNopHoSo", pa.timestamp("us"))])


def rows(first: int, count: int) -> pa.RecordBatch:
    ids = range(first, first + count)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(ids, pa.int64()),
            pa.array([f"H50.1-240131-{number:04d}" for number in ids]),
            pa.array([number * 1_000_000 for number in ids], pa.timestamp("us")),
        ],
        schema=SCHEMA,
    )


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing")


def land(store: LandingStore, batches: object, batch_id: int = 1, **more: object) -> Manifest:
    return store.write(
        system="one_stop",
        dataset="ho_so",
        batch_id=batch_id,
        schema=more.pop("schema", SCHEMA),  # type: ignore[arg-type]
        batches=batches,  # type: ignore[arg-type]
        facts={"contract_version": "1.0.0", "source_rows": 3, "window": {"kind": "full"}},
        **more,  # type: ignore[arg-type]
    )


def test_what_was_landed_is_read_back_in_order(store: LandingStore) -> None:
    manifest = land(store, [rows(0, 3), rows(3, 4), rows(7, 0), rows(7, 1)])
    assert manifest.row_count == 8
    table = pa.Table.from_batches(store.read(manifest))
    assert table["Id"].to_pylist() == list(range(8))
    assert table["MaHoSo"][7].as_py() == "H50.1-240131-0007"
    assert table.schema == SCHEMA
    assert [batch.num_rows for batch in store.read(manifest, batch_rows=5)] == [5, 3]
    assert next(store.read(manifest, columns=["MaHoSo"])).schema.names == ["MaHoSo"]


def test_manifest_tells_the_story(store: LandingStore) -> None:
    manifest = land(store, [rows(0, 3)], batch_id=42)
    assert store.load_manifest("one_stop", "ho_so", 42) == manifest
    text = (store.batch_dir("one_stop", "ho_so", 42) / "manifest.json").read_text()
    document = json.loads(text)
    assert document["batch_id"] == 42
    assert document["row_count"] == 3
    assert document["facts"] == {"contract_version": "1.0.0", "source_rows": 3, "window": {"kind": "full"}}
    assert document["columns"] == [["Id", "int64"], ["MaHoSo", "string"], ["NgayNopHoSo", "timestamp[us]"]]
    (file,) = document["files"]
    path = manifest.directory / file["name"]
    assert file["bytes"] == path.stat().st_size
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert file["sha256"] == digest


def test_only_the_owner_may_read(store: LandingStore, tmp_path: Path) -> None:
    manifest = land(store, [rows(0, 3)])
    for path in [tmp_path / "landing", *(tmp_path / "landing").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert len(list(manifest.directory.iterdir())) == 2


def test_empty_batch_has_a_file_with_the_schema(store: LandingStore) -> None:
    manifest = land(store, [])
    assert manifest.row_count == 0
    assert [file.name for file in manifest.files] == ["part-00000.parquet"]
    assert list(store.read(manifest)) == []
    store.verify(manifest)


def test_parts_and_row_groups_are_bounded(store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_parts, "GROUP_ROWS", 100)
    monkeypatch.setattr(parquet_parts, "PART_ROWS", 500)
    told: list[int] = []
    manifest = land(store, [rows(0, 1), rows(1, 1050), rows(1051, 49)], on_rows=told.append)
    assert manifest.row_count == 1100
    assert [(file.name, file.rows) for file in manifest.files] == [
        ("part-00000.parquet", 501),
        ("part-00001.parquet", 500),
        ("part-00002.parquet", 99),
    ]
    assert told == sorted(told)
    assert told[-1] == 1100
    assert pa.Table.from_batches(store.read(manifest))["Id"].to_pylist() == list(range(1100))


def test_column_without_type_becomes_text(store: LandingStore) -> None:
    schema = pa.schema([("GhiChu", pa.null())])
    manifest = land(store, [pa.RecordBatch.from_arrays([pa.nulls(2)], schema=schema)], schema=schema)
    assert manifest.columns == (("GhiChu", "string"),)
    assert next(store.read(manifest))["GhiChu"].to_pylist() == [None, None]


def test_a_landed_batch_is_never_overwritten(store: LandingStore) -> None:
    manifest = land(store, [rows(0, 3)])
    with pytest.raises(LandingError, match=r"one_stop\.ho_so batch 1 is already landed"):
        land(store, [rows(0, 5)])
    store.verify(manifest)


def test_source_that_breaks_leaves_nothing_behind(store: LandingStore, tmp_path: Path) -> None:
    def breaking() -> Iterator[pa.RecordBatch]:
        yield rows(0, 100_000)
        raise SourceUnavailable("the line was cut")

    with pytest.raises(SourceUnavailable, match="the line was cut"):
        land(store, breaking())
    assert list((tmp_path / "landing" / "one_stop" / "ho_so").iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "landing-writer"]


def test_batch_of_another_shape_is_refused(store: LandingStore) -> None:
    other = pa.RecordBatch.from_pydict({"Id": ["x"]})
    with pytest.raises(LandingError, match="does not have the announced columns"):
        land(store, [other])
    assert not store.batch_dir("one_stop", "ho_so", 1).exists()


def test_slow_writing_holds_the_source_back(store: LandingStore) -> None:
    read = 0
    gap = 0

    def counting() -> Iterator[pa.RecordBatch]:
        nonlocal read
        for number in range(60):
            read += 10_000
            yield rows(number * 10_000, 10_000)

    def slow(written: int) -> None:
        nonlocal gap
        threading.Event().wait(0.02)
        gap = max(gap, read - written)

    land(store, counting(), on_rows=slow)
    assert read == 600_000
    assert gap <= 200_000


def test_missing_file_is_named(store: LandingStore) -> None:
    manifest = land(store, [rows(0, 3)])
    (manifest.directory / "part-00000.parquet").unlink()
    with pytest.raises(LandingError, match=r"part-00000\.parquet is missing"):
        store.verify(manifest)
    with pytest.raises(LandingError, match=r"part-00000\.parquet is missing"):
        list(store.read(manifest))


@pytest.mark.parametrize("damage", ["flip", "cut", "grow"])
def test_damaged_file_is_named(store: LandingStore, damage: str) -> None:
    manifest = land(store, [rows(0, 3000)])
    path = manifest.directory / "part-00000.parquet"
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0x40
    path.write_bytes(data[:-9] if damage == "cut" else data + b"x" if damage == "grow" else data)
    with pytest.raises(LandingError, match=r"one_stop\.ho_so batch 1: .*part-00000\.parquet is damaged"):
        store.verify(manifest)


def test_reading_a_file_that_is_no_parquet_any_more(store: LandingStore) -> None:
    manifest = land(store, [rows(0, 3)])
    (manifest.directory / "part-00000.parquet").write_bytes(b"not parquet")
    with pytest.raises(LandingError, match=r"part-00000\.parquet is damaged"):
        list(store.read(manifest))


@pytest.mark.parametrize("text", ["", "{", "{}", '{"format_version": 99}', "[]"])
def test_damaged_manifest(store: LandingStore, text: str) -> None:
    manifest = land(store, [rows(0, 3)])
    (manifest.directory / "manifest.json").write_text(text)
    with pytest.raises(LandingError, match=r"manifest\.json is damaged"):
        store.load_manifest("one_stop", "ho_so", 1)


def test_manifest_of_another_batch(store: LandingStore, tmp_path: Path) -> None:
    land(store, [rows(0, 3)])
    folder = tmp_path / "landing" / "one_stop" / "ho_so"
    (folder / "1").rename(folder / "2")
    with pytest.raises(LandingError, match=r"the manifest there is that of one_stop\.ho_so batch 1"):
        store.load_manifest("one_stop", "ho_so", 2)


def test_unknown_batch(store: LandingStore) -> None:
    with pytest.raises(LandingError, match="no landed batch is at"):
        store.load_manifest("one_stop", "ho_so", 7)


@pytest.mark.parametrize(
    ("system", "dataset", "batch_id"), [("..", "ho_so", 1), ("one_stop", "a/b", 1), ("a", "b", -1)]
)
def test_names_cannot_leave_the_landing_zone(store: LandingStore, system: str, dataset: str, batch_id: int) -> None:
    with pytest.raises(LandingError, match="is not a name"):
        store.batch_dir(system, dataset, batch_id)


def test_discard(store: LandingStore) -> None:
    manifest = land(store, [rows(0, 3)])
    store.discard("one_stop", "ho_so", 1)
    assert not manifest.directory.exists()
    store.discard("one_stop", "ho_so", 1)
    land(store, [rows(0, 3)])


def test_sweep_removes_what_dead_runs_left_and_nothing_else(store: LandingStore, tmp_path: Path) -> None:
    manifest = land(store, [rows(0, 3)])
    folder = tmp_path / "landing" / "one_stop" / "ho_so"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (folder / f".5.tmp-{dead.pid}").mkdir()
    (folder / f".6.tmp-{os.getpid()}").mkdir()  # of an earlier process that had our number
    living = folder / f".7.tmp-{os.getppid()}"
    living.mkdir()
    seen: list[int] = []

    def sweeping() -> Iterator[pa.RecordBatch]:
        seen.append(store.sweep_temporary())
        yield rows(0, 3)

    land(store, sweeping(), batch_id=2)
    assert seen == [2]
    assert living.exists()
    store.verify(manifest)
    store.verify(store.load_manifest("one_stop", "ho_so", 2))


def test_killed_while_writing_leaves_no_batch(tmp_path: Path) -> None:
    program = f"""
import os, signal, pyarrow as pa
from pathlib import Path
from dx_pipeline.landing.store import LandingStore
def batches():
    yield pa.RecordBatch.from_pydict({{"a": list(range(200_000))}})
    os.kill(os.getpid(), signal.SIGKILL)
LandingStore(Path({str(tmp_path)!r})).write(system="s", dataset="d", batch_id=1,
    schema=pa.schema([("a", pa.int64())]), batches=batches(), facts={{}})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    store = LandingStore(tmp_path)
    with pytest.raises(LandingError, match="no landed batch"):
        store.load_manifest("s", "d", 1)
    assert store.sweep_temporary() == 1
    assert list((tmp_path / "s" / "d").iterdir()) == []


def test_disk_that_refuses(tmp_path: Path) -> None:
    """The kernel refuses to let the file grow; the batch must vanish and the message must say why."""
    program = f"""
import os, resource, pyarrow as pa
from pathlib import Path
from dx_pipeline.errors import LandingError
from dx_pipeline.landing.store import LandingStore
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
batch = pa.RecordBatch.from_arrays([pa.array([os.urandom(40).hex() for _ in range(50_000)])], names=["a"])
try:
    LandingStore(Path({str(tmp_path)!r})).write(system="s", dataset="d", batch_id=1,
        schema=batch.schema, batches=[batch] * 5, facts={{}})
except LandingError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "s.d batch 1: the landing zone" in done.stdout
    assert "nothing of the batch was kept" in done.stdout
    assert list((tmp_path / "s" / "d").iterdir()) == []


def test_full_disk(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk; test_disk_that_refuses covers the rest")
    try:
        store = LandingStore(tmp_path / "landing")
        noise = pa.array([os.urandom(40).hex() for _ in range(20_000)])
        batch = pa.RecordBatch.from_arrays([noise], names=["a"])
        with pytest.raises(LandingError, match=r"the disk of the landing zone .* is full"):
            store.write(system="s", dataset="d", batch_id=1, schema=batch.schema, batches=[batch] * 20, facts={})
        assert list((tmp_path / "landing" / "s" / "d").iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_landing_zone_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("a file is in the way")
    with pytest.raises(LandingError, match="cannot be written"):
        land(LandingStore(tmp_path / "landing"), [rows(0, 1)])
