"""Industry cards over real HTTP and at a terminal."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.jurisdictions.model import Policy
from shiming.registrations.commands.iot import app
from tests.infrastructure.http_peers import CLERK, OTHER, TableGatekeeper, serving
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import ORGANISATION
from tests.registrations.iot_builders import (
    OPERATOR,
    IotShop,
    a_card_number,
    an_iccid,
    an_imei,
    an_imsi,
    an_iot_shop,
    stock_table,
)

ROUTERS = tuple(f"shiming.registrations.api.{name}" for name in ("iot_contracts", "iot_cards", "iot_reports"))
PICTURE = b"\xff\xd8\xff" + bytes(2000)
FENCE = {"apns": ["meter.example"], "targets": ["head.example"], "binding": "imei"}
CONTRACT = {
    "organisation": ORGANISATION,
    "scene": "metering",
    "cards": 10,
    "fence": FENCE,
    "channel": "shop",
    "resale_clause": True,
    "sells_devices": True,
}
CALLERS = {
    CLERK: Caller("ACC-clerk", "person-1", "staff", OPERATOR),
    OTHER: Caller("ACC-other", "person-2", "staff", "cn-two"),
}


@dataclass
class Platform:
    """What the routes and commands need of the wired program."""

    shop: IotShop
    gatekeeper: TableGatekeeper = field(default_factory=lambda: TableGatekeeper(CALLERS))
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    language: str = "en"
    default_pack: str = "cn"

    def __getattr__(self, name: str) -> Any:
        found = {
            "engine": self.shop.engine,
            "registrations": self.shop.enterprise.tools,
            "registration_policy": self.shop.registration,
            "data_folder": self.shop.enterprise.registration.vault.settings.data_folder,
        }
        if name not in found:
            raise AttributeError(name)
        return found[name]

    def today(self) -> date:
        return NOW.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", NOW.date())
        return self.shop.enterprise.policy


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    shop = an_iot_shop(tmp_path)
    yield Platform(shop)
    shop.engine.dispose()


@dataclass
class Http:
    address: str

    def send(self, method: str, path: str, *, token: str = CLERK, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
        return httpx.request(method, f"{self.address}/v1/iot/{path}", headers=headers, timeout=20, **more)

    def post(self, path: str, content: Any, **more: Any) -> httpx.Response:
        return self.send("POST", path, json=content, **more)

    def upload(self, path: str, content: bytes) -> httpx.Response:
        return self.send("POST", path, files={"table": ("table.csv", content, "text/csv")})


@pytest.fixture
def http(platform: Platform) -> Iterator[Http]:
    limits = RateLimits(per_address=None, per_caller_and_route=None)
    with serving(create_app(platform, routers=ROUTERS, limits=limits)) as address:
        yield Http(address)


def a_stock(count: int = 2) -> bytes:
    return stock_table([(an_iccid(at), an_imsi(at), a_card_number(at)) for at in range(count)])


def a_contract(http: Http) -> str:
    contract: str = http.post("contracts", CONTRACT).json()["id"]
    return contract


def codes(answer: httpx.Response) -> list[str]:
    return [reason["code"] for reason in answer.json()["details"]["reasons"]]


def test_from_assessment_to_a_sold_card(http: Http) -> None:
    files = {"image": ("paper.jpg", PICTURE, "image/jpeg")}
    kept = http.send("POST", "papers", files=files, data={"organisation": ORGANISATION})
    assert kept.status_code == 201, kept.text
    evidence = kept.json()["evidence"]
    unknown = http.send("POST", "papers", files=files, data={"organisation": "ORG-NONE"})
    assert unknown.json()["code"] == "ORGANISATION_UNKNOWN"
    wanted = {"organisation": ORGANISATION, "result": "passed", "evidence": evidence}
    assessed = http.post("assessments", wanted)
    assert (assessed.status_code, assessed.json()["assessor"]) == (201, "ACC-clerk")
    made = http.post("contracts", CONTRACT, headers={"idempotency-key": "k1"})
    again = http.post("contracts", CONTRACT, headers={"idempotency-key": "k1"})
    assert (made.status_code, made.json()["traffic"]) == (201, "small")
    assert again.json() == made.json()
    contract = made.json()["id"]
    assert http.upload(f"stock/{OPERATOR}/imports", a_stock()).json()["added"] == 2
    cards = [{"iccid": an_iccid(0), "imei": an_imei(0)}, {"iccid": an_iccid(1)}]
    sold = http.post(f"contracts/{contract}/cards", {"cards": cards}).json()
    assert (sold["sold"], sold["refused"]) == (1, 1)
    assert sold["cards"][0]["fence"]["binding"] == {"type": "imei"}
    assert [each["code"] for each in sold["cards"][1]["reasons"]] == ["FENCE_IMEI_MISSING"]
    card = http.post("card-queries", {"iccid": an_iccid(0)}).json()
    assert (card["state"], card["line"]) == ("sold", sold["cards"][0]["line"])
    assert card["camara_bind"] == [{"device": {"phoneNumber": a_card_number(0)}, "bindType": "IMEIBIND"}]
    assert http.post("sightings", {"iccid": an_iccid(0), "imei": an_imei(0)}).json() == {"seen": "inside"}
    assert http.post("sightings", {"iccid": an_iccid(0), "imei": an_imei(5)}).json() == {"seen": "broken"}
    assert http.send("GET", "reconciliation").json()["agrees"] is True
    change = {"iccid": an_iccid(0), "imei": an_imei(6)}
    assert http.post("device-changes", change).json()["imei"].endswith(an_imei(6)[-1])
    returned = http.post("card-returns", {"iccid": an_iccid(0), "why": "device_broken"})
    assert returned.json()["state"] == "returned"


def test_a_table_of_sales_and_of_end_users(http: Http) -> None:
    http.upload(f"stock/{OPERATOR}/imports", a_stock())
    contract = a_contract(http)
    table = stock_table([(an_iccid(at), an_imei(at)) for at in range(2)], "iccid,imei")
    assert http.upload(f"contracts/{contract}/cards/table", table).json()["added"] == 2
    devices = [{"device_serial": "SN-0", "iccid": an_iccid(0), "buyer": ORGANISATION}]
    path = f"contracts/{contract}/end-users"
    assert http.post(path, {"devices": devices}).json()["devices"][0]["outcome"] == "new"
    bad = [{"device_serial": "SN-1", "iccid": an_iccid(8)}]
    assert http.post(path, {"devices": bad}).json()["devices"][0]["outcome"] == "CARD_NOT_OF_CONTRACT"
    users = stock_table([("SN-0", an_iccid(0), ORGANISATION)], "device_serial,iccid,buyer")
    assert http.upload(f"{path}/table", users).json()["unchanged"] == 1
    stated = {"on": NOW.date().isoformat(), "sold": 2, "stock": 0}
    answer = http.post(f"contracts/{contract}/stock-statements", stated).json()
    assert [each["what"] for each in answer["differences"]] == ["sold"]
    assert http.send("GET", f"contracts/{contract}/reconciliation").json() == answer


def test_a_contract_that_the_rules_refuse(http: Http) -> None:
    answer = http.post("contracts", {**CONTRACT, "channel": "online", "fence": {**FENCE, "voice": True}})
    assert (answer.status_code, answer.json()["code"]) == (409, "IOT_CONTRACT_REFUSED")
    assert codes(answer) == ["FENCE_VOICE", "IOT_CHANNEL_REFUSED"]
    unusable = http.post("contracts", {**CONTRACT, "fence": {**FENCE, "apns": ["a b"]}})
    assert (unusable.status_code, unusable.json()["code"]) == (400, "APN_INVALID")


def test_a_contract_ends_by_the_version_that_was_read(http: Http) -> None:
    contract = a_contract(http)
    read = http.send("GET", f"contracts/{contract}")
    path = f"contracts/{contract}/ending"
    assert http.send("POST", path).status_code == 428
    ended = http.send("POST", path, headers={"if-match": read.headers["etag"]})
    assert ended.json()["status"] == "ended"
    assert http.send("POST", path, headers={"if-match": read.headers["etag"]}).status_code == 412


def test_another_operators_contracts_and_cards_are_not_found(http: Http) -> None:
    http.upload(f"stock/{OPERATOR}/imports", a_stock())
    contract = a_contract(http)
    assert http.send("GET", f"contracts/{contract}", token=OTHER).json()["code"] == "IOT_CONTRACT_UNKNOWN"
    assert http.post("card-queries", {"iccid": an_iccid(0)}, token=OTHER).status_code == 404
    assert http.post("contracts", CONTRACT, token=OTHER).status_code == 404
    assert http.send("GET", "contracts", token=OTHER).json()["items"] == []
    assert http.send("GET", f"reconciliation?operator={OPERATOR}", token=OTHER).status_code == 403


def test_contracts_are_paged(http: Http) -> None:
    made = sorted(a_contract(http) for _ in range(3))
    first = http.send("GET", "contracts?limit=2").json()
    second = http.send("GET", "contracts", params={"limit": 2, "cursor": first["next"]}).json()
    assert [row["id"] for row in first["items"] + second["items"]] == made
    assert second["next"] is None


def test_a_case_of_resale(http: Http) -> None:
    contract = a_contract(http)
    wanted = {"contract": contract, "evidence": "EVD-7"}
    opened = http.post("resale-reports", wanted)
    path = f"resale-reports/{opened.json()['id']}"
    assert (opened.status_code, opened.json()["state"]) == (201, "open")
    assert opened.json()["remedy"]["en"]

    def decide(verb: str, answer: httpx.Response, **more: Any) -> httpx.Response:
        return http.send("POST", f"{path}/{verb}", headers={"if-match": answer.headers["etag"]}, **more)

    upheld = decide("upholding", opened)
    assert (upheld.json()["state"], upheld.json()["liable"]) == ("upheld", ORGANISATION)
    assert decide("upholding", upheld).json()["code"] == "RESALE_CASE_CLOSED"
    appealed = decide("appeal", upheld, json={"appeal": "EVD-8"})
    dismissed = decide("dismissal", appealed)
    assert dismissed.json()["state"] == "dismissed"
    assert http.send("GET", path).json() == dismissed.json()
    assert http.send("GET", path, token=OTHER).json()["code"] == "RESALE_CASE_UNKNOWN"


def run(platform: Platform, *arguments: str | Path, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"], obj=lambda: platform)
    assert done.exit_code == code, (done.output, done.exception)
    return json.loads(done.stdout)


CONCLUDE = ("conclude", ORGANISATION, "--scene", "metering", "--cards", "5", "--apn", "meter.example")


def test_the_whole_way_at_a_terminal(platform: Platform, tmp_path: Path) -> None:
    picture = tmp_path / "paper.jpg"
    picture.write_bytes(PICTURE)
    evidence = run(platform, "paper", ORGANISATION, picture)["evidence"]
    options = ("--result", "passed", "--assessor", "ACC-1", "--evidence", evidence)
    assert run(platform, "assess", ORGANISATION, *options)["result"] == "passed"
    made = run(platform, *CONCLUDE, "--target", "head.example", "--resale-clause", "--sells-devices")
    contract = made["contract"]
    stock, sale, users = (tmp_path / name for name in ("stock.csv", "sale.csv", "users.csv"))
    stock.write_bytes(a_stock(3))
    assert run(platform, "stock", stock, "--operator", OPERATOR)["added"] == 3
    sale.write_bytes(stock_table([(an_iccid(1), an_imei(1))], "iccid,imei"))
    assert run(platform, "sell", contract, "--table", sale)["added"] == 1
    one = run(platform, "sell", contract, "--iccid", an_iccid(0), "--imei", an_imei(0))
    assert one["state"] == "sold"
    assert run(platform, "card", an_iccid(0))["camara_bind"][0]["bindType"] == "IMEIBIND"
    users.write_bytes(stock_table([("SN-0", an_iccid(0), "")], "device_serial,iccid,buyer"))
    assert run(platform, "end-users", contract, users)["added"] == 1
    assert run(platform, "declare", contract, "--sold", "1", "--in-stock", "1")["differences"] == []
    assert run(platform, "declare", contract, "--sold", "2", "--in-stock", "0", code=1)["differences"]
    assert run(platform, "reconcile", "--operator", OPERATOR, code=1)["agrees"] is False
    assert run(platform, "seen", an_iccid(0), "--imei", an_imei(0))["seen"] == "inside"
    assert run(platform, "seen", an_iccid(0), "--imei", an_imei(7), code=1)["seen"] == "broken"
    taken = run(platform, "rebind", an_iccid(0), "--imei", an_imei(1), code=1)
    assert [reason["code"] for reason in taken["reasons"]] == ["IOT_DEVICE_BOUND"]
    assert run(platform, "rebind", an_iccid(0), "--imei", an_imei(7))["line"] == one["line"]
    assert run(platform, "return", an_iccid(0), "--why", "device_broken")["state"] == "returned"
    assert [each["contract"] for each in run(platform, "contracts")["contracts"]] == [contract]
    assert run(platform, "end", contract)["status"] == "ended"


def test_a_refusal_at_a_terminal_names_every_reason(platform: Platform) -> None:
    refused = run(platform, *CONCLUDE, "--sms", "--channel", "online", code=1)
    found = [reason["code"] for reason in refused["reasons"]]
    assert found == [
        "FENCE_SMS",
        "FENCE_TARGETS_MISSING",
        "IOT_CHANNEL_REFUSED",
        "IOT_RESALE_CLAUSE_MISSING",
    ]


def test_resale_at_a_terminal(platform: Platform) -> None:
    contract = run(platform, *CONCLUDE, "--target", "head.example", "--resale-clause")["contract"]
    case = run(platform, "resold", contract, "--evidence", "EVD-7")["case_id"]
    assert run(platform, "uphold", case, "--by", "ACC-9")["liable"] == ORGANISATION
    assert run(platform, "appeal", case, "--paper", "EVD-8")["state"] == "appealed"
    assert run(platform, "dismiss", case, "--by", "ACC-5")["state"] == "dismissed"


def test_what_people_see(platform: Platform) -> None:
    def show(*arguments: str) -> str:
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(arguments), obj=lambda: platform).stdout

    contract = run(platform, *CONCLUDE, "--target", "head.example", "--resale-clause")["contract"]
    assert contract in show("contracts", "--operator", OPERATOR)
    assert "agrees" in show("reconcile", "--operator", OPERATOR)
    platform.language = "zh"
    assert "转售" in show("resold", contract, "--evidence", "EVD-7")
