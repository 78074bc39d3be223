"""Representatives, clocks, disputes and notices over real HTTP, on both engines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.use_cases.holder_clocks import run_clocks
from shiming.registrations.use_cases.notices import NoticeTools, send_due_notices
from tests.infrastructure.http_peers import CLERK, OTHER, TableGatekeeper, serving
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR
from tests.registrations.people_builders import PICTURE, PeopleDesk, a_people_desk
from tests.registrations.test_notices import KeepingChannel

ROUTERS = tuple(
    f"shiming.registrations.api.{name}"
    for name in ("representation", "holder_clocks", "repudiations", "notices")
)


def callers() -> dict[str, Caller]:
    return {
        CLERK: Caller("ACC-clerk", "person-1", "staff", OPERATOR),
        OTHER: Caller("ACC-other", "person-2", "staff", "cn-two"),
    }


@dataclass
class Platform:
    people: PeopleDesk
    gatekeeper: TableGatekeeper = field(default_factory=lambda: TableGatekeeper(callers()))
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    default_pack: str = "cn"

    def __getattr__(self, name: str) -> Any:
        found = {
            "engine": self.people.engine,
            "registrations": self.people.desk.tools,
            "registration_policy": self.people.desk.policy,
            "data_folder": self.people.desk.vault.settings.data_folder,
        }
        if name not in found:
            raise AttributeError(name)
        return found[name]

    def today(self) -> date:
        return NOW.date()

    def policy(self, _pack: str, _on: date) -> Policy:
        return self.people.policy


@dataclass(frozen=True)
class Counter:
    people: PeopleDesk
    http: httpx.Client

    def post(self, path: str, body: dict[str, Any], *, key: str = "k1", token: str = CLERK) -> httpx.Response:
        return self.http.post(path, json=body, headers=headers(token) | {"idempotency-key": key})

    def get(self, path: str, *, token: str = CLERK, **query: Any) -> httpx.Response:
        return self.http.get(path, headers=headers(token), params=query)

    def upload(self, session: str, content: bytes, *, token: str = CLERK) -> httpx.Response:
        files = {"document": ("letter.jpg", content, "image/jpeg")}
        return self.http.put(f"/v1/orders/{session}/authority-document", files=files, headers=headers(token))


def headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def reasons(refused: httpx.Response) -> list[str]:
    assert refused.status_code == 409, refused.text
    return [reason["code"] for reason in refused.json()["details"]["reasons"]]


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[Counter]:
    people = a_people_desk(tmp_path, database_url)
    app = create_app(Platform(people), routers=ROUTERS, limits=RateLimits(None, None))
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield Counter(people, http)
    people.engine.dispose()


def test_a_proxy_is_named_with_the_document(counter: Counter) -> None:
    counter.people.prove("SES-H", "p1.principal")
    counter.people.prove("SES-P", "p1.proxy")
    counter.people.order("SES-H")
    path = "/v1/orders/SES-H/representative"
    assert (counter.get(path).status_code, counter.get(path).json()["code"]) == (
        404,
        "REPRESENTATIVE_NOT_NAMED",
    )
    wanted: dict[str, Any] = {"role": "proxy", "session": "SES-P"}
    refused = counter.post(path, wanted)
    assert (refused.json()["code"], reasons(refused)) == (
        "REPRESENTATIVE_REFUSED",
        ["AUTHORITY_DOCUMENT_MISSING"],
    )
    kept = counter.upload("SES-H", PICTURE)
    assert kept.status_code == 201, kept.text
    wanted["authority_document"] = kept.json()["authority_document"]
    named, again = counter.post(path, wanted), counter.post(path, wanted)
    assert (named.status_code, again.status_code, again.text) == (201, 201, named.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert counter.get(path).json() == named.json()
    assert "p1.proxy" not in named.text
    assert isinstance(verify_ledger(counter.people.engine, counter.people.desk.vault.keys), LedgerVerified)


def test_another_operators_order_and_what_is_no_picture_are_refused(counter: Counter) -> None:
    counter.people.prove("SES-H", "p1.principal")
    counter.people.order("SES-H")
    assert counter.upload("SES-H", PICTURE, token=OTHER).json()["code"] == "ORDER_UNKNOWN"
    assert counter.get("/v1/orders/SES-H/representative", token=OTHER).status_code == 404
    assert counter.upload("SES-H", b"no picture" * 20).json()["code"] == "CONTENT_NOT_AS_STATED"
    wrong = counter.post("/v1/orders/SES-H/representative", {"role": "handler", "session": "SES-P"})
    assert wrong.status_code == 422


def test_a_line_is_handed_over(counter: Counter) -> None:
    people = counter.people
    people.prove("SES-M", "p1.child", category="minor", majority_on=date(2026, 5, 20))
    line = people.register("SES-M")
    run_clocks(people.desk.tools, people.engine, policy=people.policy, now=NOW, today=NOW.date())
    (clock,) = counter.get("/v1/holder-clocks", due_until="2026-06-01").json()["items"]
    assert (clock["line"], clock["clock"], clock["state"]) == (line, "majority", "reminded")
    assert counter.get("/v1/holder-clocks", token=OTHER).json()["items"] == []
    people.prove("SES-GROWN", "p1.child")
    path = f"/v1/lines/{line}/handover"
    assert counter.post(path, {"session": "SES-GROWN"}, token=OTHER).json()["code"] == "LINE_UNKNOWN"
    assert reasons(counter.post(path, {"session": "SES-NONE"})) == ["HANDOVER_NOT_PROVEN"]
    done = counter.post(path, {"session": "SES-GROWN"})
    assert (done.status_code, done.json()["clocks"][0]["state"]) == (201, "ended")


def test_clocks_are_walked_by_pages(counter: Counter) -> None:
    for index in range(3):
        session = f"SES-M{index}"
        counter.people.prove(session, "p1.child", category="minor", majority_on=date(2026, 5, 20))
        counter.people.register(session, index)
    seen, cursor = [], None
    for _ in range(3):
        query: dict[str, Any] = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = counter.get("/v1/holder-clocks", **query).json()
        seen += [item["line"] for item in page["items"]]
        cursor = page["next"]
    assert (len(set(seen)), cursor) == (3, None)
    assert counter.get("/v1/holder-clocks", cursor="nonsense").json()["code"] == "CURSOR_INVALID"


def test_a_line_is_repudiated_and_the_dispute_decided(counter: Counter) -> None:
    line = counter.people.registered_by_proxy()
    counter.people.confirm(line)
    path = f"/v1/lines/{line}/repudiation"
    assert counter.post(path, {}).json()["code"] == "REPUDIATION_BY_WHAT"
    assert counter.post(path, {"code": "12345678"}, token=OTHER).json()["code"] == "LINE_UNKNOWN"
    assert reasons(counter.post(path, {"code": "12345678"})) == ["REPUDIATION_CODE_WRONG"]
    channel = KeepingChannel()
    send_due_notices(NoticeTools(counter.people.desk.tools.privacy, channel), counter.people.engine, now=NOW)
    (message,) = channel.messages.values()
    code = "".join(character for character in message.text.en if character.isdecimal())
    made, again = counter.post(path, {"code": code}), counter.post(path, {"code": code})
    assert made.status_code == 201, made.text
    assert (again.text, again.headers["idempotency-replayed"]) == (made.text, "true")
    dispute = made.json()
    assert (dispute["by"], dispute["state"], dispute["evidence_sealed"]) == ("code", "open", 3)
    shown = counter.get(made.headers["location"])
    assert shown.json()["line"] == line
    assert counter.get(made.headers["location"], token=OTHER).status_code == 404
    assert [each["id"] for each in counter.get("/v1/repudiations", open=True).json()["items"]] == [
        dispute["id"]
    ]
    decision = f"/v1/repudiations/{dispute['id']}/decision"
    decided = counter.post(decision, {"upheld": True}, key="k2")
    assert (decided.status_code, decided.json()["state"]) == (200, "upheld")
    assert reasons(counter.post(decision, {"upheld": False}, key="k3")) == ["REPUDIATION_DECIDED"]
    assert counter.get("/v1/repudiations", open=True).json()["items"] == []


def test_wrong_codes_over_http_use_the_code_up(counter: Counter) -> None:
    line = counter.people.registered_by_proxy()
    counter.people.confirm(line)
    send_due_notices(
        NoticeTools(counter.people.desk.tools.privacy, KeepingChannel()), counter.people.engine, now=NOW
    )
    path = f"/v1/lines/{line}/repudiation"
    said = [reasons(counter.post(path, {"code": "0000"}))[0] for _ in range(6)]
    assert said == ["REPUDIATION_CODE_WRONG"] * 5 + ["REPUDIATION_CODE_USED_UP"]


def test_notices_are_followed(counter: Counter) -> None:
    counter.people.registered_by_proxy()
    (notice,) = counter.get("/v1/notices", state="queued").json()["items"]
    assert (notice["template"], notice["state"]) == ("proxy_registered", "queued")
    path = f"/v1/notices/{notice['id']}"
    delivered = counter.post(f"{path}/deliveries", {"state": "delivered"})
    assert (delivered.status_code, delivered.json()["state"]) == (200, "delivered")
    late = counter.post(f"{path}/deliveries", {"state": "failed", "why": "EXPIRED"})
    assert (late.json()["state"], late.json()["why"]) == ("delivered", None)
    assert counter.get(path).json() == late.json()
    assert counter.get(path, token=OTHER).json()["code"] == "NOTICE_UNKNOWN"
    reach = counter.get("/v1/notice-campaigns/terms-1").json()
    assert (reach["not_reached"], reach["states"]["delivered"]) == (0, 0)
