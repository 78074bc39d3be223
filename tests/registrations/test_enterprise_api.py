"""Organisations, their lines, links and key services over real HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.organisation_codes import read_organisation_code
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import Policy
from tests.infrastructure.http_peers import CLERK, OTHER, PROGRAM, TableGatekeeper, client, serving
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import (
    HANDLER_SESSION,
    OPERATOR,
    ORGANISATION,
    Enterprise,
    a_card,
    a_row,
    a_table,
    an_enterprise,
    publish_terms,
    some_numbers,
)
from tests.registrations.test_enterprise_users import proofing
from tests.registrations.test_key_services import a_line

JPEG = b"\xff\xd8\xff\xe0" + b"a picture" * 20


def a_gatekeeper() -> TableGatekeeper:
    return TableGatekeeper(
        {
            CLERK: Caller("ACC-clerk", "person-1", "staff", OPERATOR),
            OTHER: Caller("ACC-other", "person-2", "staff", "cn-unicom"),
            PROGRAM: Caller("CLI-program", "program", "client", OPERATOR),
        }
    )


@dataclass
class Platform:
    """What the application and these routes need of the wired platform."""

    enterprise: Enterprise
    gatekeeper: TableGatekeeper = field(default_factory=a_gatekeeper)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    default_pack: str = "cn"
    registrar: Any = field(default_factory=lambda: SimpleNamespace(close=_nothing))

    def today(self) -> date:
        return NOW.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", NOW.date())
        return self.enterprise.policy

    def read_organisation_code(self, code: str) -> str:
        return partial(read_organisation_code, "unified_social_credit_code")(code)

    def proofing_tools(self, authority: Any = None) -> Any:
        assert authority is None
        return proofing(self.enterprise)

    def __getattr__(self, name: str) -> Any:
        found = {
            "engine": self.enterprise.engine,
            "registrations": self.enterprise.tools,
            "registration_policy": self.enterprise.registration_policy,
            "data_folder": self.enterprise.registration.vault.settings.data_folder,
        }
        if name not in found:
            raise AttributeError(name)
        return found[name]


async def _nothing() -> None:
    """There is no hot path here to close."""


@dataclass(frozen=True)
class Server:
    address: str
    enterprise: Enterprise

    def by(self, token: str | None = CLERK, **headers: str) -> httpx.Client:
        return client(self.address, token, **headers)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    enterprise = an_enterprise(tmp_path)
    app = create_app(Platform(enterprise), limits=RateLimits(None, None))
    with serving(app) as address:
        yield Server(address, enterprise)
    enterprise.engine.dispose()


def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reasons(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [each["code"] for each in answer.json()["details"]["reasons"]]


def test_an_organisation_is_recorded_and_completed(server: Server) -> None:
    new = {"code": "9111000071093043X2", "name": "示例商贸有限公司"}
    with server.by(idempotency_key="k1") as http:
        made = http.post("/v1/organisations", json=new)
        again = http.post("/v1/organisations", json=new)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == ok(made, 201)
    path, version = made.headers["location"], made.headers["etag"]
    with server.by() as http:
        assert http.post("/v1/organisations", json=new).status_code == 409
        assert http.put(f"{path}/licence", files={"image": ("a", JPEG, "image/jpeg")}).status_code == 428
        server.enterprise.prove("SES-HANDLER2", "p1.second")
        person = {"name": "欧阳明月"}
        steps: list[tuple[str, dict[str, Any]]] = [
            ("licence", {"files": {"image": ("a.jpg", JPEG, "image/jpeg")}}),
            ("legal-representative", {"json": person}),
            ("handler", {"json": {"session": "SES-HANDLER2"}}),
            (
                "power-of-attorney",
                {
                    "files": {"image": ("a.jpg", JPEG, "image/jpeg")},
                    "data": {"begins": NOW.isoformat(), "until": (NOW + timedelta(days=9)).isoformat()},
                },
            ),
            ("responsible-person", {"json": person}),
        ]
        for step, body in steps:
            done = http.put(f"{path}/{step}", headers={"if-match": version}, **body)
            assert "欧阳明月" not in done.text
            version = done.headers["etag"] if ok(done) else ""
        assert ok(http.get(path))["state"] == "complete"
        answers: dict[str, Any] = {"headers": {"if-match": version}}
        both = http.put(f"{path}/responsible-person", json={"session": "SES-NONE", **person}, **answers)
        assert both.status_code == 422, both.text
        unknown = http.put(f"{path}/responsible-person", json={"session": "SES-NONE"}, **answers)
        assert reasons(unknown) == ["SESSION_UNKNOWN"]
        server.enterprise.prove("SES-ANSWERS", "p1.answers")
        proven = http.put(f"{path}/responsible-person", json={"session": "SES-ANSWERS"}, **answers)
        version = proven.headers["etag"] if ok(proven) else ""
        stale = http.put(f"{path}/responsible-person", json=person, headers={"if-match": '"1"'})
        assert stale.status_code == 412
        refused = http.put(f"{path}/handler", json={"session": "SES-NONE"}, headers={"if-match": version})
        assert reasons(refused) == ["SESSION_UNKNOWN"]
        for step, state in (("suspension", "suspended"), ("resumption", "complete"), ("closing", "closed")):
            json = {"why": "resale_report"} if step == "suspension" else None
            done = http.post(f"{path}/{step}", headers={"if-match": version}, json=json)
            version = done.headers["etag"]
            assert ok(done)["state"] == state
        page = ok(http.get("/v1/organisations", params={"limit": 1}))
        assert page["next"]
        rest = ok(http.get("/v1/organisations", params={"cursor": page["next"]}))
        assert {row["id"] for row in page["items"] + rest["items"]} == {ORGANISATION, path.split("/")[-1]}
    with server.by(OTHER) as http:
        assert http.get(path).status_code == 404
        assert ok(http.get("/v1/organisations"))["items"] == []
        assert http.get(f"/v1/enterprise-contracts/{server.enterprise.contract_id}").status_code == 404


def test_lines_are_imported_and_their_users_proven(server: Server) -> None:
    numbers = list(some_numbers(3))
    table = a_table([a_row(number, at, iccid=a_card(at)) for at, number in enumerate(numbers)])
    with server.by() as http:
        made = http.post("/v1/enterprise-contracts", json={"organisation": ORGANISATION, "lines": 2})
        path = f"/v1/enterprise-contracts/{ok(made, 201)['id']}"
        assert ok(made, 201)["lines_confirmed"] == 0  # until the handler has confirmed them
        server.enterprise.confirm(2, contract=ok(made, 201)["id"])
        files = {"table": ("lines.csv", table, "text/csv")}
        report = ok(http.post(f"{path}/imports", files=files), 201)
        assert (report["entered"], report["refused"]) == (2, 1)
        assert report["rows"][0]["code"] == "CONTRACT_LINES_USED_UP"
        assert ok(http.get(path))["lines_entered"] == 2
        listed = ok(http.get(f"{path}/lines", params={"state": "awaiting", "limit": 1}))
        assert [line["number"] for line in listed["items"]] == numbers[:1]
        assert reasons(http.post(f"{path}/links", json={})) == ["TERMS_NOT_ACCEPTED"]
        publish_terms(server.enterprise, "2026-01", NOW.date())
        assert reasons(http.post(f"{path}/terms", json={"version": "2025"}))[0] == "TERMS_VERSION_UNKNOWN"
        assert ok(http.post(f"{path}/terms", json={"version": "2026-01"}))["terms"] == "2026-01"
        links = ok(http.post(f"{path}/links", json={}), 201)["links"]
        assert [link["number"] for link in links] == numbers[:2]
        given_out = ok(http.get(f"{path}/links", params={"limit": 1}))
        assert [(each["number"], each["notice"], each["state"]) for each in given_out["items"]] == [
            (numbers[0], None, None)
        ]
        assert given_out["next"]
        assert ok(http.get(f"{path}/links", params={"arrived": "false"}))["items"] == []  # none was sent
        assert reasons(http.post(f"{path}/exits", json={"number": numbers[0]})) == ["LINE_WITHOUT_USER"]
    link = f"/v1/actual-user-links/{links[0]['token']}"
    with server.by(None) as http:
        seen = ok(http.get(link))
        assert seen["organisation"] == server.enterprise.organisation().name
        assert numbers[0] not in str(seen)
        assert reasons(http.post(f"{link}/session", json={"confirmed": False})) == ["USER_DID_NOT_CONFIRM"]
        opened = http.post(f"{link}/session", json={"confirmed": True})
        session = ok(opened, 201)["session"]
        assert opened.headers["cache-control"] == "no-store"
        assert ok(http.post(f"{link}/session", json={"confirmed": True}))["session"] == session
        assert http.get(f"/v1/proofing-sessions/{session}").status_code == 401  # the link is no sign-in
        assert reasons(http.get(f"/v1/actual-user-links/{'A' * 43}")) == ["ACTUAL_USER_LINK_UNKNOWN"]
        assert http.get("/v1/actual-user-links/short").status_code == 422
        other = f"/v1/actual-user-links/{links[1]['token']}"
        early = http.post(f"{other}/decision")
        assert (early.status_code, early.json()["code"]) == (409, "STEP_OUT_OF_ORDER")


def test_a_clerk_names_the_user_and_what_follows(server: Server) -> None:
    (number,) = server.enterprise.entered(1)
    contracts = schema.tables["enterprise_contracts"]
    path = f"/v1/enterprise-contracts/{server.enterprise.contract_id}"
    server.enterprise.prove("SES-USER1", "p1.wang")
    with server.by() as http:
        named = {"number": number, "session": "SES-USER1"}
        done = ok(http.post(f"{path}/actual-users", json=named), 201)
        assert done["position"] == 1
        assert ok(http.post(f"{path}/exits", json={"number": number}))["state"] == "vacated"
        (use,) = ok(http.post(f"{path}/uses", json={"number": number}))["uses"]
        assert (use["session"], use["used_to"] is None) == ("SES-USER1", False)
        assert ok(http.post(f"{path}/returns", json={"number": number}))["line"] == done["line"]
    with unit_of_work(server.enterprise.engine) as connection:
        assert connection.execute(contracts.select()).one().lines_entered == 0


def test_a_key_service_and_its_number_set(server: Server) -> None:
    line = a_line(server.enterprise)
    path = f"/v1/key-services/{line.line_id}"
    begins = NOW - timedelta(days=1)
    with server.by() as http:
        paper = ok(http.post(f"{path}/authorisations", files={"image": ("a.jpg", JPEG, "image/jpeg")}), 201)
        number = {"number": "+8613999999999", "valid_from": begins.isoformat()}
        assert reasons(http.post(f"{path}/numbers", json=number)) == ["NUMBER_NOT_OWN"]
        number |= {"authorised_by": paper["evidence"]}
        ok(http.post(f"{path}/numbers", json=number), 201)
        naive = http.post(f"{path}/numbers", json=number | {"valid_from": "2026-03-01T00:00:00"})
        assert naive.json()["code"] == "INSTANT_FORMAT"
        shown = ok(http.get(f"{path}/authorised-numbers"))
        assert shown["numbers"] == ["+8613999999999"]
        before = ok(http.get(f"{path}/authorised-numbers", params={"at": "2026-01-01T00:00:00Z"}))
        assert before["numbers"] == []
        assert len(ok(http.get(f"{path}/numbers"))["items"]) == 1
        assert http.post(f"{path}/withdrawals", json={"number": "+8613999999999"}).status_code == 200
        assert ok(http.get(f"{path}/authorised-numbers"))["numbers"] == []
        assert reasons(http.post("/v1/key-services", json={"session": HANDLER_SESSION})) == ["ORDER_MISSING"]
    with server.by(OTHER) as http:
        assert http.get(f"{path}/authorised-numbers").status_code == 404
    with server.by(PROGRAM) as http:  # calling-party authentication asks as a program
        assert http.get(f"{path}/authorised-numbers").status_code == 200
