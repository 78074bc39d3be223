"""Dump and restore a PostgreSQL database by its own programs, in the custom format.

`pg_dump` takes one snapshot and waits for nobody. The programs are looked for in `SHIMING_PG_BIN` and then in
PATH; they must not be older than the server. The password goes by the environment, never by the command line,
which every user of the machine can read.

The revision of the schema is left out of the dump: after a restore its table is empty until everything else
is done, so a restore that was interrupted is never mistaken for a database.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO

from sqlalchemy.engine import URL

from shiming.infrastructure.migrations import VERSION_TABLE
from shiming.vocabulary.errors import Text, Unavailable

_CHUNK = 1 << 20
_VERSION = re.compile(r"(\d+)(?:\.\d+)?")
_REASON_LENGTH_MAX = 200
_PROGRAM_TIMEOUT_S = 30  # to say its version
Progress = Callable[[int, int | None], None]


def dump_postgresql(
    url: URL, server: int, out: IO[bytes], progress: Progress, environment: Mapping[str, str]
) -> None:
    """Write a dump of the database to `out`; Unavailable when there is no fitting pg_dump or it fails."""
    command = [
        _program("pg_dump", server, environment),
        *("--format=custom", "--no-owner", "--no-privileges", "--no-password"),
        f"--exclude-table-data={VERSION_TABLE}",
        f"--dbname={_address(url)}",
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - PostgreSQL's program with our arguments
            command, stdout=subprocess.PIPE, stderr=said, env=_with_password(url, environment)
        )
        with _killed_on_failure(process):
            done = 0
            while chunk := _pipe(process.stdout).read(_CHUNK):
                out.write(chunk)
                done += len(chunk)
                progress(done, None)
        if process.wait():
            raise _failed("pg_dump", said)


def restore_postgresql(
    url: URL, server: int, write: Callable[[IO[bytes]], None], environment: Mapping[str, str]
) -> None:
    """Feed a dump, by `write`, into an empty database; all of it or nothing."""
    command = [
        _program("pg_restore", server, environment),
        *("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"),
        f"--dbname={_address(url)}",
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - PostgreSQL's program with our arguments
            command, stdin=subprocess.PIPE, stderr=said, env=_with_password(url, environment)
        )
        with contextlib.suppress(BrokenPipeError), _killed_on_failure(process):  # it gave up, and says why
            write(_pipe(process.stdin))
            _pipe(process.stdin).close()
        if process.wait():
            raise _failed("pg_restore", said)


@contextlib.contextmanager
def _killed_on_failure(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the program before it sees an end of its input and commits what is not whole."""
    with process:
        try:
            yield
        except BaseException:
            process.kill()
            raise


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError(subprocess.PIPE)
    return pipe


def _program(name: str, server: int, environment: Mapping[str, str]) -> str:
    folder = environment.get("SHIMING_PG_BIN")
    found = shutil.which(name, path=folder or environment.get("PATH", os.defpath))
    if found is None:
        raise Unavailable(
            "POSTGRESQL_PROGRAM_MISSING",
            Text(zh=f"找不到 {name}。", en=f"{name} is not installed."),
            _ADVICE,
            {"program": name, "needed": server},
        )
    version = _version(found)
    if version < server:
        raise Unavailable(
            "POSTGRESQL_PROGRAM_OLD",
            Text(
                zh=f"{name} 的版本是 {version}，服务器是 {server}。",
                en=f"{name} is of version {version}, the server of version {server}.",
            ),
            _ADVICE,
            {"program": name, "found": version, "needed": server},
        )
    return found


_ADVICE = Text(
    zh="请安装与服务器同版本或更新的 PostgreSQL 客户端程序，并用 SHIMING_PG_BIN 指定其目录。",
    en="Install PostgreSQL's client programs, not older than the server; SHIMING_PG_BIN names their folder.",
)


def _version(program: str) -> int:
    said = subprocess.run(  # noqa: S603 - PostgreSQL's program
        [program, "--version"], check=False, capture_output=True, text=True, timeout=_PROGRAM_TIMEOUT_S
    ).stdout
    found = _VERSION.search(said.rsplit(")", 1)[-1])
    return int(found.group(1)) if found else 0


def _address(url: URL) -> str:
    """Return the connection string of the same database without its password."""
    plain = url.set(drivername="postgresql", password=None)
    return plain.render_as_string(hide_password=False)


def _with_password(url: URL, environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, **({"PGPASSWORD": str(url.password)} if url.password else {})}


def _failed(name: str, said: IO[bytes]) -> Unavailable:
    """Say why in the program's first complaint; what follows it may quote rows."""
    said.seek(0)
    words = said.read(_CHUNK).decode(errors="replace")
    reasons = [line for line in words.splitlines() if line.startswith(f"{name}: error: ")]
    reason = reasons[0].removeprefix(f"{name}: error: ") if reasons else "unknown"
    return Unavailable(
        "POSTGRESQL_PROGRAM_FAILED",
        Text(zh=f"{name} 没有完成。", en=f"{name} did not finish; nothing was kept of it."),
        Text(zh="请检查服务器和权限。", en="Check the server and the rights of its role."),
        {"program": name, "reason": reason[:_REASON_LENGTH_MAX]},
    )


def server_major(version_num: int) -> int:
    """Return 18 for PostgreSQL's 180006."""
    return version_num // 10_000
