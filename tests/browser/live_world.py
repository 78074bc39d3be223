"""A whole installation for browsers: server, worker, pretended authority and network, staff, pool, terms.

Everything runs in processes of its own, as an operator would run it. The challenge is the one that the
specimen clip answers (`SHIMING_SANDBOX_CHALLENGE`); all else goes through pages.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account, invite
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo_counter import fill_pool, publish_terms
from shiming.entrypoints.demo_processes import free_port, running, sandbox_authority, sandbox_network
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.settings import Settings
from tests.databases import a_postgresql_database
from tools.specimens.fake_media import write_all

SPECIMENS = Path(__file__).parents[2] / "specimens"
DEMO: dict[str, Any] = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
OPERATOR, NUMBER = "cn-mobile", "+8613800138000"
PASSWORD = "a long sentence for a test"
#: One account each; the second supervisor is another person, for everything that takes two.
STAFF: dict[str, frozenset[Role]] = {
    "clerk": frozenset({Role.CLERK}),
    "supervisor": frozenset({Role.SUPERVISOR}),
    "second": frozenset({Role.SUPERVISOR}),
    "compliance": frozenset({Role.COMPLIANCE_OFFICER}),
    "auditor": frozenset({Role.AUDITOR}),
    "administrator": frozenset({Role.ADMINISTRATOR}),
}
SERVER_NICENESS = 15
_DRAWN = count(101)
OF_OPERATOR = frozenset({"clerk", "supervisor", "second"})


def drawn_anew() -> int:
    """Return three digits that no test of this run has had: a second try of a test stands on its own."""
    return next(_DRAWN)


@dataclass
class World:
    """A running installation. `platform` is the same installation in this process, to prepare and to look."""

    address: str
    folder: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def population(self) -> Path:
        """The people whom the pretended authority knows; it reads a changed file again."""
        return self.folder / "population" / "people.json"

    @cached_property
    def platform(self) -> Platform:
        """Return the installation, wired in this process."""
        with mock.patch.dict(os.environ, self.environment):  # accounts read theirs from the environment
            platform = Platform(Settings.from_environment(self.environment))
            assert platform.accounts.settings.public_url == self.address
            return platform

    def sign_in(self, name: str) -> SignedIn:
        """Return a fresh session of a member of staff, as their browser would have it."""
        with self.platform.begin() as connection:
            from shiming.accounts.use_cases.accounts import get_account_by_name, reset_credentials  # noqa: PLC0415

            account = get_account_by_name(connection, name)
            token = reset_credentials(self.platform.accounts, connection, account, by=Actor())
        found = enrol_password(self.platform.accounts, self.platform.engine, token=token, password=PASSWORD)
        assert isinstance(found, SignedIn), found
        return found


def world_environment(folder: Path, database_url: str, port: int) -> dict[str, str]:
    """Return the variables of an installation that browsers reach at localhost, where passkeys work."""
    challenge = f"{','.join(DEMO['gestures'])}/{DEMO['digits']}"
    return {
        "SHIMING_DATA": str(folder / "data"),
        "SHIMING_DATABASE_URL": database_url,
        "SHIMING_SANDBOX": "1",
        "SHIMING_SANDBOX_CHALLENGE": challenge,
        "SHIMING_PUBLIC_URL": f"http://localhost:{port}",
        "SHIMING_PASSKEY_REQUIRED_ROLES": "none",
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def a_world(kind: str, folder: Path) -> Iterator[World]:
    """Start an installation on a kind of database; everything ends with the block."""
    port = free_port()
    (folder / "data").mkdir(mode=0o700)
    with ExitStack() as stack:
        url = stack.enter_context(_empty_database(kind, folder))
        environment = world_environment(folder, url, port)
        world = World(f"http://localhost:{port}", folder, environment)
        _initialised(environment)
        furnish(world.platform)
        stack.callback(world.platform.engine.dispose)
        shutil.copytree(SPECIMENS / "population", world.population.parent)
        authority = stack.enter_context(sandbox_authority(str(folder), world.population))
        server = ["up", "--authority", authority]
        stack.enter_context(
            sandbox_network(world.platform, str(folder), OPERATOR, f"http://127.0.0.1:{port}")
        )
        process = stack.enter_context(running("server", str(folder), port, server, environment))
        # a counter's browser does not share two cores with the server: its camera would lose frames
        os.setpriority(os.PRIO_PROCESS, process.pid, SERVER_NICENESS)
        yield world


def _initialised(environment: dict[str, str]) -> None:
    """Make keys and tables, as an operator does on the first day."""
    command = [sys.executable, "-m", "shiming", "db", "init"]
    done = subprocess.run(  # noqa: S603 - ourselves
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _empty_database(kind: str, folder: Path) -> Iterator[str]:
    """Give a database without tables: the program makes them, as on an operator's first day."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'shiming.db'}"
        return
    with a_postgresql_database() as url:
        yield url


def furnish(platform: Platform) -> None:
    """Put staff, numbers and terms in."""
    with platform.begin() as connection:
        for name, roles in STAFF.items():
            operator = OPERATOR if name in OF_OPERATOR else None
            wanted = NewAccount(name, f"person of {name}", roles, operator)
            account = create_account(platform.accounts, connection, wanted, by=Actor())
            invite(platform.accounts, connection, account, by=Actor())
        fill_pool(platform, connection, OPERATOR, NUMBER)
        publish_terms(platform, connection, OPERATOR)


def fake_media(folder: Path) -> Path:
    """Write what the browser's camera and microphone play; return the folder."""
    write_all(folder)
    return folder
