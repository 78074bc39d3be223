"""A served desk with something in every list, and a browser of each member of staff."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shiming.accounts.model import Role
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.signed_notes import NoteSigner
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.store.ledger import ledger_leaves
from tests.entrypoints.pages.desk_builders import TWO, DeskWorld, fill
from tests.infrastructure.http_peers import serving

WITNESS = NoteSigner("known.example", Ed25519Signer.from_seed(b"w" * 32))
PERSON = {"accept": "text/html", "accept-language": "en"}


@dataclass
class Desk:
    """A served platform with something in every list; one browser a member of staff."""

    world: DeskWorld
    staff: dict[str, SignedIn]
    browsers: dict[str, httpx.Client]

    def get(self, who: str, path: str, **headers: str) -> httpx.Response:
        return self.browsers[who].get(path, headers={**PERSON, **headers})

    def post(self, who: str, path: str, **fields: Any) -> httpx.Response:
        fields["csrf_token"] = self.staff[who].csrf_token
        return self.browsers[who].post(path, data=fields, headers=PERSON)

    def upload(self, who: str, path: str, content: bytes) -> httpx.Response:
        headers = {"x-csrf-token": self.staff[who].csrf_token, **PERSON}
        files = {"table": ("table.csv", content, "text/csv")}
        return self.browsers[who].post(path, files=files, headers=headers)


@contextmanager
def a_desk_site(folder: Path) -> Iterator[Desk]:
    """Serve an installation whose data lie in a new folder."""
    folder.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHIMING_PASSKEY_REQUIRED_ROLES", "none")
        known = (WITNESS.cosigning_key.text,)
        platform = Platform(replace(sandbox_settings(folder), ledger_witnesses=known))
        world = fill(platform)
    staff = {
        "supervisor": world.staff("supervisor", Role.SUPERVISOR),
        "clerk": world.staff("clerk", Role.CLERK),
        "compliance": world.staff("compliance", Role.COMPLIANCE_OFFICER),
        "privacy": world.staff("privacy", Role.PRIVACY_OFFICER),
        "other": world.staff("other", Role.SUPERVISOR, Role.COMPLIANCE_OFFICER, operator=TWO),
        "auditor": world.staff("auditor", Role.AUDITOR, operator=None),
        "administrator": world.staff("administrator", Role.ADMINISTRATOR, operator=None),
        "administrator-one": world.staff("administrator-one", Role.ADMINISTRATOR),
    }
    app = create_app(platform, limits=RateLimits(None, None))
    with ExitStack() as stack:
        address = stack.enter_context(serving(app))
        browsers = {
            name: httpx.Client(
                base_url=address, trust_env=False, timeout=60, cookies={"shiming_session": session.token}
            )
            for name, session in staff.items()
        }
        for browser in browsers.values():
            stack.enter_context(browser)
        yield Desk(world, staff, browsers)
    platform.engine.dispose()


def areas_of(answer: httpx.Response) -> set[str]:
    return set(re.findall(r'<a href="(/desk[^"]*)" data-go=', answer.text))


def leaves(desk: Desk, kind: str) -> int:
    """How many leaves of a kind the ledger has."""
    with reading(desk.world.platform.engine) as connection:
        rows = connection.execute(sa.select(ledger_leaves.c.leaf)).scalars()
        return sum(json.loads(row)["kind"] == kind for row in rows)


def version_of(page: str) -> str:
    """Return the version that a form of a page was made from."""
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]
