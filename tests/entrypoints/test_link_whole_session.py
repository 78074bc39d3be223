"""An actual user proves themselves by a link on their own phone, with everything real; nobody signs in.

The challenge is chosen to fit the shipped clip, as in `shiming demo`; all else goes through the link.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.commands import connector
from shiming.identity_proofing.sandbox_authority.faults import Faults
from shiming.identity_proofing.sandbox_authority.population import read_population
from shiming.identity_proofing.sandbox_authority.server import serving as serving_authority
from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.infrastructure.database import reading
from shiming.registrations.model.enterprise_lines import ImportReport
from shiming.registrations.store.enterprise_lines import add_contract
from shiming.registrations.store.organisations import add_organisation
from shiming.registrations.use_cases.actual_user_links import make_links
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from shiming.registrations.use_cases.enterprise_lines import find_contract, list_lines
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.organisations import Desk
from tests.entrypoints.test_http_whole_session import DEMO, FOLDER, a_fitting_challenge
from tests.infrastructure.http_peers import client, serving
from tests.log_watch import specimens
from tests.registrations.enterprise_builders import (
    CONTRACT,
    FIRST_NUMBER,
    ORGANISATION,
    a_card,
    a_contract,
    a_row,
    a_table,
    add_block,
    an_organisation,
    some_numbers,
)

pytestmark = pytest.mark.models


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return Platform(sandbox_settings(folder))


@pytest.fixture
def http(platform: Platform) -> Iterator[httpx.Client]:
    pretended = SandboxAuthority(
        population=read_population(FOLDER / "population" / "people.json"),
        compare=platform.portrait_comparer(),
        today=lambda: platform.today().isoformat(),
        token=None,
        faults=Faults(),
    )
    with serving_authority(pretended) as authority:
        port = connector(authority, platform.policy("", platform.today()))
        with serving(create_app(platform, authority=port)) as address, client(address, None) as found:
            found.timeout = httpx.Timeout(120)
            yield found
        if port is not None:
            port.close()


def a_link(platform: Platform, number: str) -> str:
    """Enter one line and return the token of its user's link."""
    today = platform.today()
    desk = Desk(platform.registrations, platform.policy("", today), platform.clock.now(), today)
    with platform.begin() as connection:
        add_organisation(connection, an_organisation(power_of_attorney_until=desk.now.replace(year=2099)))
        add_contract(connection, a_contract())
    add_block(platform.engine, FIRST_NUMBER, FIRST_NUMBER + 9999)
    table = BytesIO(a_table([a_row(number, 7, iccid=a_card(7))]))
    report = import_enterprise_lines(desk, platform.engine, CONTRACT, stream=table, name="lines.csv")
    assert isinstance(report, ImportReport)
    assert report.entered == 1
    with platform.begin() as connection:
        contract = find_contract(connection, CONTRACT)
        assert contract is not None
        made = make_links(desk, connection, contract)
    assert isinstance(made, tuple)
    return made[0].token


def test_an_actual_user_proves_themselves_by_the_link(platform: Platform, http: httpx.Client) -> None:
    number = next(some_numbers(1))
    link = f"/v1/actual-user-links/{a_link(platform, number)}"
    assert "****" in http.get(link).json()["number"]
    session = http.post(f"{link}/session", json={"confirmed": True}).json()["session"]
    drawn = http.post(f"{link}/challenges", json={})
    assert drawn.status_code == 201, drawn.text
    challenge = a_fitting_challenge(platform, session)
    front, back, clip = (
        (FOLDER / DEMO[name]).read_bytes() for name in ("document_front", "document_back", "clip")
    )
    files = {"front": ("f.jpg", front, "image/jpeg"), "back": ("b.jpg", back, "image/jpeg")}
    answer = http.put(f"{link}/document", files=files)
    assert answer.status_code == 200, answer.text
    answer = http.put(
        f"{link}/clip",
        files={"clip": ("c.mp4", clip, "video/mp4")},
        data={"challenge": json.dumps(challenge)},
    )
    assert answer.json()["given"] == ["document", "document_back", "clip", "digits"], answer.text
    decided = http.post(f"{link}/decision")
    assert decided.json().get("outcome") == "Verified", decided.text
    with reading(platform.engine) as connection:
        (entered,) = list_lines(connection, CONTRACT, limit=10)
        line = entered.line_id and find_line(connection, entered.line_id)
    assert line
    assert (line.subject, line.session_id, line.status.value) == (ORGANISATION, session, "pending")
    assert http.get(link).json()["details"]["reasons"][0]["code"] == "ACTUAL_USER_LINK_USED"
    assert not specimens().search(decided.text)
