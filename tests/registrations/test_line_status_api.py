"""Status of lines, number pool and cards over real HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.jurisdictions.model import Policy
from tests.infrastructure.http_peers import CLERK, OTHER, TableGatekeeper, serving
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.registrations.stock_builders import StockDesk, a_card, a_range, a_stock_desk, an_iccid, the_rules

ONE = "cn-one"  # the operator of the clerk
ROUTERS = tuple(f"shiming.registrations.api.{topic}" for topic in ("stops", "numbers", "sims"))
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Platform:
    """What the application and the routes need of the wired platform."""

    desk: StockDesk
    gatekeeper: TableGatekeeper = field(default_factory=TableGatekeeper)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    default_pack: str = "cn"

    def today(self) -> date:
        return NOW.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == (self.default_pack, NOW.date())
        return the_rules()

    def __getattr__(self, name: str) -> Any:
        found = {
            "engine": self.desk.engine,
            "registrations": self.desk.desk.tools,
            "registration_policy": self.desk.desk.policy,
            "data_folder": self.desk.desk.vault.settings.data_folder,
        }
        if name not in found:
            raise AttributeError(name)
        return found[name]


@dataclass(frozen=True)
class Counter:
    """A client at the counter of an operator."""

    desk: StockDesk
    http: httpx.Client
    platform: Platform

    def ask(self, verb: str, path: str, *, token: str = CLERK, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
        return self.http.request(verb, f"/v1{path}", headers=headers, **more)

    def stop(self, line: str, *, key: str = "k1", token: str = CLERK, **change: str) -> httpx.Response:
        wanted = {"reason": "lost_sim", "actor": "holder", "reference": "CALL-1", **change}
        return self.ask(
            "POST", f"/lines/{line}/stops", json=wanted, token=token, headers={"idempotency-key": key}
        )

    def lift(self, line: str, version: str | None, **change: str) -> httpx.Response:
        wanted = {"reason": "lost_sim", "actor": "clerk", **change}
        headers = {} if version is None else {"if-match": version}
        return self.ask("POST", f"/lines/{line}/stops/lift", json=wanted, headers=headers)


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[Counter]:
    desk = a_stock_desk(tmp_path, database_url)
    platform = Platform(desk)
    app = create_app(platform, routers=ROUTERS, limits=RateLimits(None, None))
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield Counter(desk, http, platform)
    desk.engine.dispose()


def reasons(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [reason["code"] for reason in answer.json()["details"]["reasons"]]


def test_a_line_is_stopped_shown_and_restored(counter: Counter) -> None:
    line = counter.desk.line(at=ONE)
    before = counter.ask("GET", f"/lines/{line}/status")
    assert before.json()["projections"]["camara_subscription_status"]["voiceSmsOut"] == "active"
    made = counter.stop(line)
    assert made.status_code == 201, made.text
    assert (made.json()["before"], made.json()["after"]) == ("active", "two_way_stopped")
    assert counter.stop(line).headers["idempotency-replayed"] == "true"
    assert counter.stop(line, key="k2").json()["repeated"] is True
    shown = counter.ask("GET", f"/lines/{line}/status")
    assert shown.json()["projections"]["tmf638_service"] == {
        "state": "suspended",
        "operatingStatus": "stopped",
    }
    assert shown.json()["projections"]["emergency_calls"] is True
    (stop,) = shown.json()["stops"]
    assert set(stop["holder_is_told"]) == {"reason", "remedy", "materials"}
    assert counter.lift(line, None).status_code == 428
    assert counter.lift(line, before.headers["etag"]).status_code == 412
    lifted = counter.lift(line, shown.headers["etag"])
    assert (lifted.status_code, lifted.json()["after"]) == (200, "active")
    assert reasons(counter.lift(line, "*")) == ["STOP_NOT_SET"]
    history = counter.ask("GET", f"/lines/{line}/stops").json()
    assert [(each["set_by"], each["lifted_by"]) for each in history["items"]] == [("holder", "clerk")]
    assert history["next"] is None


def test_who_asks_needs_the_permission_and_the_pack_names_the_actor(counter: Counter) -> None:
    line = counter.desk.line(at=ONE)
    assert reasons(counter.stop(line, reason="fraud", actor="clerk")) == ["STOP_ROLE"]
    counter.platform.gatekeeper.denied = frozenset({"lines.stop_for_compliance"})
    assert counter.stop(line, reason="fraud", actor="compliance").status_code == 403
    counter.platform.gatekeeper.denied = frozenset({"lines.stop_for_holder"})
    assert counter.stop(line).status_code == 403
    assert counter.stop(line, reason="fraud", actor="compliance").status_code == 201
    assert counter.stop(line, actor="system").status_code == 422
    named = counter.stop(line, key="k2", actor="compliance", reason="fraud", reference="张三")
    assert (named.status_code, named.json()["code"]) == (400, "STOP_REFERENCE_FORMAT")


def test_a_line_of_another_operator_is_not_found(counter: Counter) -> None:
    line = counter.desk.line(at=ONE)
    for answer in (
        counter.ask("GET", f"/lines/{line}/status", token=OTHER),
        counter.ask("GET", f"/lines/{line}/stops", token=OTHER),
        counter.ask("GET", f"/lines/{line}/sims", token=OTHER),
        counter.stop(line, token=OTHER),
        counter.ask("GET", "/lines/REG-nothing/status"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "LINE_UNKNOWN")


def block(operator: str = ONE, **change: Any) -> dict[str, Any]:
    return {"operator": operator, "first": "+861380000xxxx", **change}


def test_ranges_are_added_listed_and_refused(counter: Counter) -> None:
    made = counter.ask("POST", "/number-blocks", json=block())
    assert (made.status_code, made.json()["last"]) == (201, "+8613800009999")
    again = counter.ask("POST", "/number-blocks", json=block(first="+8613800000000", last="+8613800000009"))
    assert reasons(again) == ["BLOCK_OVERLAPS"]
    other = counter.ask("POST", "/number-blocks", json=block("cn-two"))
    assert other.status_code == 403
    abroad = counter.ask("POST", "/number-blocks", json=block(first="+1415555xxxx"))
    assert (abroad.status_code, abroad.json()["code"]) == (400, "RANGE_OTHER_REGION")
    counter.ask("POST", "/number-blocks", json=block(first="+861380001xxxx"))
    first = counter.ask("GET", "/number-blocks", params={"limit": 1}).json()
    second = counter.ask("GET", "/number-blocks", params={"limit": 1, "cursor": first["next"]}).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (1, 1, None)
    assert first["items"] != second["items"]
    assert counter.ask("GET", "/number-blocks", params={"cursor": "x"}).status_code == 400
    assert counter.ask("GET", "/number-blocks", params={"operator": "cn-two"}).status_code == 403


def test_tables_are_taken_in_and_bad_rows_reported(counter: Counter) -> None:
    table = b"operator,first\ncn-one,+861380000xxxx\ncn-two,+861380001xxxx\n"
    sent = counter.ask("POST", "/number-blocks/imports", files={"table": ("t.csv", table, "text/csv")})
    assert (sent.status_code, sent.json()["added"], sent.json()["refused"]) == (200, 1, 1), sent.text
    assert sent.json()["bad_rows"][0]["code"] == "OTHER_OPERATOR"
    book, stream = Workbook(), BytesIO()
    for row in (["operator", "first"], [ONE, "+861380000xxxx"]):
        book.worksheets[0].append(row)
    book.save(stream)
    sheet = ("t.xlsx", stream.getvalue(), XLSX)
    assert counter.ask("POST", "/number-blocks/imports", files={"table": sheet}).json()["unchanged"] == 1
    cards = f"iccid,imsi,form,operator\n{a_card(1, ONE)}\n".encode()
    sims = counter.ask("POST", "/sims/imports", files={"table": ("c.csv", cards, "text/csv")})
    assert sims.json() == {"added": 1, "unchanged": 0, "refused": 0, "bad_rows": []}
    wrong = counter.ask("POST", "/sims/imports", files={"table": ("c.csv", b"x", "image/png")})
    assert wrong.status_code == 415


def test_free_numbers_are_found_page_by_page_kept_and_let_go(counter: Counter) -> None:
    counter.ask("POST", "/number-blocks", json=block(first="+86138000000xx"))
    found: list[str] = []
    query = {"operator": ONE, "limit": "7", "ending": "5"}
    while True:
        page = counter.ask("GET", "/numbers/free", params=query).json()
        found += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert sorted(found) == [f"+86138000000{tens}5" for tens in range(10)]
    for cursor in ("x", "WyJmcmVlLW51bWJlcnMiLDEsImEiLCJiIiwiYyJd"):
        assert counter.ask("GET", "/numbers/free", params={**query, "cursor": cursor}).status_code == 400
    assert counter.ask("GET", "/numbers/free", params={"operator": "cn-two"}).status_code == 403
    assert counter.ask("GET", "/numbers/free", params={**query, "ending": "x"}).status_code == 422

    number, wanted = found[0], {"operator": ONE, "held_for": "SES-1"}
    kept = counter.ask("POST", f"/numbers/{number}/reservation", json=wanted)
    assert (kept.status_code, kept.json()["repeated"]) == (201, False), kept.text
    other = counter.ask("POST", f"/numbers/{number}/reservation", json={**wanted, "held_for": "SES-2"})
    assert reasons(other) == ["NUMBER_RESERVED"]
    shown = counter.ask("GET", f"/numbers/{number}").json()
    assert (shown["state"], shown["held_for"]) == ("reserved", "SES-1")
    assert shown["tmf639_resource"]["resourceStatus"] == "reserved"
    gone = [counter.ask("DELETE", f"/numbers/{number}/reservation", params=wanted) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 404]
    assert counter.ask("GET", f"/numbers/{number}").json()["until"] is None


def test_a_number_of_another_pool_is_not_found(counter: Counter) -> None:
    counter.desk.add_block(a_range(0, 99), "cn-two")
    for path in (f"/numbers/{a_number(5).reveal('t')}", f"/numbers/{a_number(5000).reveal('t')}"):
        answer = counter.ask("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "NUMBER_UNKNOWN")
    assert counter.ask("GET", f"/numbers/{a_number(5).reveal('t')}", token=OTHER).json()["state"] == "free"


def test_cards_are_shown_masked_to_their_operator(counter: Counter) -> None:
    counter.desk.import_sims(a_card(1, ONE))
    line = counter.desk.line(at=ONE)
    counter.desk.assign(line, 1)
    shown = counter.ask("GET", f"/sims/{an_iccid(1)}").json()
    assert (shown["state"], shown["line"]) == ("assigned", line)
    assert "*" in shown["imsi"]
    unknown = counter.ask("GET", f"/sims/{an_iccid(1)}", token=OTHER)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "SIM_UNKNOWN")
    assert counter.ask("GET", "/sims/1").status_code == 400
    uses = counter.ask("GET", f"/lines/{line}/sims").json()
    assert (uses["swapped"], len(uses["items"]), an_iccid(1) in str(uses)) == (False, 1, False)
