"""Orders and reviews over real HTTP, and by the commands of a terminal."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.commands import orders, registrations, reviews
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.store.tables import cap_counters
from shiming.registrations.use_cases.hot_path import Registrar, open_registrar
from shiming.vocabulary.errors import BadInput
from tests.infrastructure.http_peers import CLERK, OTHER, TableGatekeeper, serving
from tests.privacy.builders import NOW
from tests.registrations.builders import ICCID, Desk, a_desk, a_session

RULES = policy_on(read_pack("cn"), NOW.date())
PACK = RegistrationPolicy.of(RULES, number_regions=("CN",), time_zone="Asia/Shanghai")
OPERATOR = "cn-one"  # of the clerk's token
COLLEAGUE = "token-of-a-colleague"


@dataclass
class Platform:
    """What routes and commands need of the wired platform."""

    desk: Desk
    registrar: Registrar | None = None
    gatekeeper: TableGatekeeper = field(default_factory=TableGatekeeper)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    default_pack: str = "cn"
    language: str = "en"

    def today(self) -> date:
        return NOW.date()

    def policy(self, _pack: str, _on: date) -> Policy:
        return RULES

    def sign_in_staff(self, user_name: str, password: str) -> Caller:
        if password != "right":
            raise BadInput("SIGN_IN_FAILED", BadInput.__doc__)  # type: ignore[arg-type]
        return Caller(f"ACC-{user_name}", f"person-{user_name}", "staff", OPERATOR)

    def __getattr__(self, name: str) -> Any:
        found = {
            "engine": self.desk.engine,
            "registrations": self.desk.tools,
            "registration_policy": self.desk.policy,
            "data_folder": self.desk.vault.settings.data_folder,
        }
        if name not in found:
            raise AttributeError(name)
        return found[name]


@pytest.fixture
def platform(tmp_path: Path, database_url: str) -> Iterator[Platform]:
    desk = a_desk(tmp_path, PACK, database_url)
    desk.sessions.add(*(a_session(f"SES-{index}") for index in range(1, 5)))
    platform = Platform(desk, open_registrar(desk.tools, desk.engine))
    colleague = Caller("ACC-colleague", "person-colleague", "staff", OPERATOR)
    platform.gatekeeper.callers = {**platform.gatekeeper.callers, COLLEAGUE: colleague}
    yield platform
    desk.engine.dispose()


@pytest.fixture
def http(platform: Platform) -> Iterator[httpx.Client]:
    names = ("registrations", "orders", "reviews")
    app = create_app(
        platform,
        routers=tuple(f"shiming.registrations.api.{name}" for name in names),
        limits=RateLimits(None, None),
    )
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        client.headers["authorization"] = f"Bearer {CLERK}"
        yield client


def as_(token: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **more}


CARD = {
    "session": "SES-1",
    "operator": OPERATOR,
    "kind": "mobile",
    "product_class": "voice",
    "channel": "shop",
    "identifier": "138 0013 8000",
    "iccid": ICCID,
    "sim_form": "esim",
}


def test_an_order_is_opened_read_changed_and_abandoned(http: httpx.Client) -> None:
    made = http.post("/v1/orders", json=CARD, headers={"idempotency-key": "k1"})
    assert made.status_code == 201, made.text
    assert (made.json()["identifier"], made.json()["sim_form"]) == ("+8613800138000", "esim")
    assert http.post("/v1/orders", json=CARD, headers={"idempotency-key": "k1"}).text == made.text
    read = http.get("/v1/orders/SES-1")
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    change = {"identifier": "+8613800138001"}
    assert http.patch("/v1/orders/SES-1", json=change).status_code == 428
    assert http.patch("/v1/orders/SES-1", json=change, headers={"if-match": '"old"'}).status_code == 412
    changed = http.patch("/v1/orders/SES-1", json=change, headers={"if-match": read.headers["etag"]})
    assert (changed.status_code, changed.json()["identifier"]) == (200, "+8613800138001")
    assert http.get("/v1/orders/SES-1", headers=as_(OTHER)).status_code == 404
    given_up = http.post("/v1/orders/SES-1/abandonment", headers={"if-match": changed.headers["etag"]})
    assert given_up.json() == {"session": "SES-1", "abandoned": True}
    gone = http.get("/v1/orders/SES-1")
    assert (gone.status_code, gone.json()["code"]) == (404, "ORDER_UNKNOWN")


def test_an_order_that_cannot_be_is_refused_with_every_reason(http: httpx.Client) -> None:
    online = {**CARD, "product_class": "iot_small", "channel": "online"}
    refused = http.post("/v1/orders", json=online, headers={"idempotency-key": "k"})
    assert (refused.status_code, refused.json()["code"]) == (409, "ORDER_REFUSED")
    assert [reason["code"] for reason in refused.json()["details"]["reasons"]] == [
        "HOLDER_KIND_NOT_ALLOWED",
        "CHANNEL_NOT_ALLOWED",
        "CHANNEL_NOT_OF_SESSION",
    ]
    nobody = {**CARD, "session": "SES-nobody"}
    assert http.post("/v1/orders", json=nobody, headers={"idempotency-key": "k2"}).status_code == 404
    bad = {**CARD, "iccid": "89860112851234567892"}
    answer = http.post("/v1/orders", json=bad, headers={"idempotency-key": "k3"})
    assert answer.json()["code"] == "ICCID_CHECK_DIGIT"
    other = {**CARD, "operator": "cn-two"}
    assert http.post("/v1/orders", json=other, headers={"idempotency-key": "k4"}).status_code == 403


def test_a_place_is_kept_and_an_order_without_terms_is_not_registered(http: httpx.Client) -> None:
    http.post("/v1/orders", json=CARD, headers={"idempotency-key": "k"})
    kept = http.post("/v1/orders/SES-1/cap-reservation", headers={"idempotency-key": "p"})
    assert (kept.status_code, kept.json()["remaining"]) == (201, 4)
    wanted = {"operator": OPERATOR, "number": "+8613800138000", "session": "SES-1"}
    refused = http.post("/v1/registrations", json=wanted, headers={"idempotency-key": "r"})
    codes = [reason["code"] for reason in refused.json()["details"]["reasons"]]
    assert refused.json()["code"] == "REGISTRATION_REFUSED"
    assert {"TERMS_NOT_ACCEPTED", "LINE_NOT_CONFIRMED", "NUMBER_NOT_IN_POOL"} <= set(codes)


def test_a_review_is_asked_for_and_decided_by_somebody_else(platform: Platform, http: httpx.Client) -> None:
    with platform.desk.engine.begin() as connection:
        connection.execute(
            cap_counters.insert().values(
                subject="p1.someone", cap_scope=f"operator:{OPERATOR}", cap_name="cards", active=7, cap=7
            )
        )
    http.post("/v1/orders", json=CARD, headers={"idempotency-key": "k"})
    asked = http.post("/v1/orders/SES-1/review", headers={"idempotency-key": "v"}).json()
    (waiting,) = http.get("/v1/registration-reviews").json()["items"]
    assert waiting == asked == http.get(f"/v1/registration-reviews/{asked['id']}").json()
    url, verdict = f"/v1/registration-reviews/{asked['id']}/decision", {"decision": "passed", "why": "seen"}
    own = http.post(url, json=verdict)
    assert (own.status_code, own.json()["code"]) == (409, "REVIEW_REFUSED")
    assert http.post(url, json=verdict, headers=as_(OTHER)).status_code == 404
    decided = http.post(url, json=verdict, headers=as_(COLLEAGUE))
    assert (decided.status_code, decided.json()["decision"]) == (200, "passed")
    assert http.get("/v1/registration-reviews").json()["items"] == []
    assert http.get("/v1/orders/SES-1").json()["review"] == asked["id"]
    over = http.get("/v1/holders-over-cap").json()
    expected = {"subject": "p1.someone", "cap": "cards", "scope": f"operator:{OPERATOR}", "lines": 7}
    assert over == {"items": [expected], "next": None}
    assert http.get("/v1/holders-over-cap", headers=as_(OTHER)).json()["items"] == []


root = typer.Typer()
root.add_typer(orders.app, name="orders")
root.add_typer(reviews.app, name="reviews")
root.add_typer(registrations.app, name="register")
root.command("over-cap")(reviews.over_cap)


def run(platform: Platform, *arguments: str) -> Result:
    return CliRunner().invoke(root, arguments, obj=lambda: platform)


def test_the_terminal_does_the_same(platform: Platform, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("right\n")
    made = ("--operator", OPERATOR, "--kind", "mobile", "--product", "voice", "--channel", "shop")
    opened = run(platform, "orders", "open", "SES-2", *made, "--identifier", "13800138000", "--json")
    assert opened.exit_code == 0, opened.output
    assert json.loads(opened.output)["order"]["identifier"] == "+8613800138000"
    changed = run(platform, "orders", "change", "SES-2", "--iccid", ICCID, "--sim-form", "physical")
    assert "physical" in changed.output
    kept = run(platform, "orders", "keep-place", "SES-2")
    assert json.loads(kept.output)["remaining"] == 4
    assert json.loads(run(platform, "orders", "show", "SES-2", "--json").output)["order"]["place_kept_until"]
    who = ("--as", "wang", "--password-file", str(password))
    asked = run(platform, "reviews", "ask", "SES-2", *who, "--json")
    review = json.loads(asked.output)["items"][0]["id"]
    decide = ("reviews", "decide", review, "--decision", "declined", "--why", "not_seen")
    assert run(platform, *decide, *who).exit_code == 1
    other = run(platform, *decide, "--as", "li", "--password-file", str(password), "--json")
    assert json.loads(other.output)["items"][0]["decision"] == "declined"
    assert json.loads(run(platform, "reviews", "list", "--json").output) == {"items": []}
    refused = run(
        platform, "orders", "open", "SES-3", *made[:4], "--product", "iot_small", "--channel", "shop"
    )
    assert refused.exit_code == 1
    assert "HOLDER_KIND_NOT_ALLOWED" in refused.output
    assert run(platform, "orders", "abandon", "SES-2").exit_code == 0
    assert isinstance(run(platform, "orders", "show", "SES-2").exception, BadInput)
    assert json.loads(run(platform, "over-cap", "--json").output) == {"items": []}
