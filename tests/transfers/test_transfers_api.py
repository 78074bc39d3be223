"""The routes of transfers over real HTTP, on both engines."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import Engine

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.jurisdictions.model import EntryKind, Policy
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.terms import PublishedTerms, Terms
from shiming.registrations.store.orders import add_order
from shiming.registrations.store.terms import add_terms
from shiming.transfers.connectors.fake import FakeDonor
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict
from shiming.transfers.use_cases.terms_upgrades import run_campaigns
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import Text
from tests.infrastructure.http_peers import TableGatekeeper, serving
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OPERATOR,
    RECEIVER,
    TransferDesk,
    a_line,
    a_transfer_desk,
    an_order_for,
)

MODULES = ("lines", "ports", "cases", "terms_campaigns")
CLERK, OFFICER, SECOND, STRANGER = "clerk", "officer", "second-officer", "of-another-operator"


@dataclass
class Platform:
    """What the application and the routes need of the wired platform."""

    desk: TransferDesk
    transfers: TransferTools
    clock: FixedClock = field(default_factory=lambda: FixedClock(LATER))
    default_pack: str = "cn"
    gatekeeper: TableGatekeeper = field(
        default_factory=lambda: TableGatekeeper(
            {
                CLERK: Caller("ACC-clerk", "person-1", "staff", OPERATOR),
                OFFICER: Caller("ACC-officer", "person-2", "staff", OPERATOR),
                SECOND: Caller("ACC-second", "person-3", "staff", OPERATOR),
                STRANGER: Caller("ACC-other", "person-4", "staff", "cn-other"),
            }
        )
    )

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    @property
    def data_folder(self) -> Path:
        return self.desk.desk.vault.settings.data_folder

    def today(self) -> date:
        return LATER.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", LATER.date())
        return self.desk.policy


@dataclass(frozen=True)
class Counter:
    desk: TransferDesk
    http: httpx.Client

    def post(
        self, path: str, *, who: str = CLERK, key: str | None = None, match: str | None = None, **body: Any
    ) -> httpx.Response:
        sent = {"authorization": f"Bearer {who}"}
        sent |= {"idempotency-key": key} if key else {}
        sent |= {"if-match": match} if match else {}
        return self.http.post(f"/v1/transfers{path}", json=body, headers=sent)

    def get(self, path: str, *, who: str = CLERK, **query: Any) -> httpx.Response:
        return self.http.get(f"/v1/transfers{path}", headers={"authorization": f"Bearer {who}"}, params=query)


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[Counter]:
    desk = a_transfer_desk(tmp_path, database_url)
    answer = DonorAnswer(DonorVerdict.CONFIRMED, "DON-1")
    tools = replace(desk.tools, donor=FakeDonor({"CODE-1": answer}))
    platform = Platform(desk, tools)
    routers = tuple(
        f"shiming.transfers.api.{name}" for name in ("lines", "ports", "cases", "terms_campaigns")
    )
    app = create_app(platform, routers=routers, limits=RateLimits(None, None))
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as http:
        yield Counter(desk, http)
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)
    desk.engine.dispose()


def reasons(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 409, answer.text
    return {reason["code"] for reason in answer.json()["details"]["reasons"]}


def test_a_change_of_holder_with_its_history_and_receipt(counter: Counter) -> None:
    line_id = counter.desk.line()
    counter.desk.prepare(line_id)
    wanted = {"line": line_id, "giver_session": "SES-G", "receiver_session": "SES-R"}
    done = counter.post("/holder-changes", key="k1", **wanted)
    assert done.status_code == 201, done.text
    again = counter.post("/holder-changes", key="k1", **wanted)
    assert again.json() == done.json()
    assert again.headers["idempotency-replayed"] == "true"
    acts = counter.get(f"/lines/{line_id}/acts").json()["items"]
    assert [act["kind"] for act in acts] == ["registered", "change_of_holder"]
    assert counter.get(f"/lines/{line_id}/acts/2/receipt").json() == done.json()["receipt"]
    assert counter.get(f"/lines/{line_id}/acts/3/receipt").status_code == 404
    assert counter.get(f"/lines/{line_id}/acts", who=STRANGER).status_code in {403, 404}


def test_a_refusal_has_every_reason_in_both_languages_and_leaves_a_trace(counter: Counter) -> None:
    line_id = counter.desk.line()
    refused = counter.post("/holder-changes", line=line_id, giver_session="SES-0", receiver_session="SES-1")
    assert reasons(refused) == {"SESSION_UNKNOWN", "TRANSFER_ORDER_MISSING"}
    first = refused.json()["details"]["reasons"][0]
    assert first["next_step"]["zh"]
    assert first["citation"]
    with reading(counter.desk.engine) as connection:
        kinds = connection.exec_driver_sql("SELECT type FROM outbox").scalars().all()
    assert "transfer.refused" in kinds
    unknown = counter.post("/holder-changes", line="REG-0", giver_session="SES-0", receiver_session="SES-1")
    assert unknown.status_code == 404


def test_sims_and_moves_answer_their_refusals(counter: Counter) -> None:
    line_id = counter.desk.line()
    for path in ("/sim-replacements", "/moves"):
        assert "TRANSFER_ORDER_MISSING" in reasons(counter.post(path, line=line_id, session="SES-0"))


def test_a_port_out_from_code_to_completion(counter: Counter) -> None:
    line_id = counter.desk.line()
    counter.desk.prove("SES-P", GIVER)
    given = counter.post("/ports-out", line=line_id, session="SES-P")
    assert given.status_code == 201, given.text
    port, code = given.json()["id"], given.json()["code"]
    assert "code" not in counter.get(f"/ports-out/{port}").json()
    assert counter.get(f"/ports-out/{port}", who=STRANGER).status_code in {403, 404}
    assert counter.get("/ports-out/PRT-0").status_code == 404
    wrong = {"code": "00000000" if code != "00000000" else "00000001", "recipient": "cn-other"}
    for _ in range(2):
        assert reasons(counter.post(f"/ports-out/{port}/completion", **wrong)) == {"PORT_CODE_WRONG"}
    done = counter.post(f"/ports-out/{port}/completion", code=code, recipient="cn-other")
    assert done.json()["state"] == "completed"
    assert reasons(counter.post(f"/ports-out/{port}/cancellation")) == {"PORT_STATE"}


def test_a_port_in_is_confirmed_by_the_donor(counter: Counter) -> None:
    counter.desk.prove("SES-IN", RECEIVER)
    order = an_order_for(a_line(number=a_number(7)), "SES-IN", EntryKind.PORT_IN)
    with unit_of_work(counter.desk.engine) as connection:
        add_order(connection, order)
    wanted = {
        "operator": OPERATOR,
        "session": "SES-IN",
        "donor": "cn-other",
        "number": a_number(7).reveal("asked"),
        "authorisation": "CODE-1",
    }
    assert reasons(counter.post("/ports-in", **{**wanted, "authorisation": "CODE-2"})) == {
        "PORT_DONOR_REFUSED"
    }
    confirmed = counter.post("/ports-in", key="k1", **wanted)
    assert confirmed.status_code == 201, confirmed.text
    assert counter.get(f"/ports-in/{confirmed.json()['id']}").json() == confirmed.json()
    assert counter.get("/ports-in/PRN-0").status_code == 404
    assert counter.post("/ports-in", who=STRANGER, **wanted).status_code == 403


def test_a_case_from_report_to_an_upheld_appeal(counter: Counter) -> None:
    line_id = counter.desk.line()
    first = counter.post("/cases", key="k1", line=line_id, kind="lending")
    joined = counter.post("/cases", line=line_id, kind="sale", reporter="CMP-7")
    assert (first.status_code, joined.json()["reports"]) == (201, 2)
    case = first.json()["id"]
    assert counter.post(f"/cases/{case}/assessment", finding="used_by_others").status_code == 428
    assert counter.get("/cases").json()["items"][0]["id"] == case
    assert counter.get("/cases", who=STRANGER).json()["items"] == []
    assert counter.get(f"/cases/{case}", who=STRANGER).status_code in {403, 404}

    def step(name: str, who: str = OFFICER, **body: Any) -> httpx.Response:
        version = counter.get(f"/cases/{case}").headers["etag"]
        return counter.post(f"/cases/{case}/{name}", who=who, match=version, **body)

    assert reasons(step("sanction")) == {"TRANSFER_CASE_STATE"}
    assert step("assessment", finding="used_by_others", evidence="EVD-1").json()["state"] == "assessed"
    assert counter.post(f"/cases/{case}/sanction", who=OFFICER, match='"1"').status_code == 412
    assert step("sanction").json()["stop"] == "fraud"
    assert step("appeal", CLERK).json()["state"] == "appealed"
    assert reasons(step("appeal-decision", upheld=True)) == {"TRANSFER_CASE_OWN_JUDGE"}
    assert step("appeal-decision", SECOND, upheld=True).json()["state"] == "lifted"
    assert counter.desk.held(line_id).stops == frozenset()


def test_a_dismissed_case(counter: Counter) -> None:
    case = counter.post("/cases", line=counter.desk.line(), kind="rental").json()["id"]
    counter.post(f"/cases/{case}/assessment", who=OFFICER, match="*", finding="nothing_found")
    assert counter.post(f"/cases/{case}/dismissal", who=OFFICER, match="*").json()["state"] == "dismissed"


def test_an_announcement_of_new_terms(counter: Counter) -> None:
    line_id = counter.desk.line()
    terms = Terms(OPERATOR, "2026-12", LATER.date(), Text(zh="协议", en="Terms"), ())
    with unit_of_work(counter.desk.engine) as connection:
        add_terms(connection, PublishedTerms(terms, "sha256:0", NOW))
    when = {
        "notify_by": (LATER + timedelta(days=5)).isoformat(),
        "takes_effect_at": (LATER + timedelta(days=40)).isoformat(),
    }
    wanted = {"operator": OPERATOR, "terms_version": "2026-12", **when}
    short = counter.post("/terms-campaigns", **{**wanted, "takes_effect_at": when["notify_by"]})
    assert reasons(short) == {"TERMS_NOTICE_TOO_SHORT"}
    drafted = counter.post("/terms-campaigns", key="k1", **wanted)
    assert drafted.status_code == 201, drafted.text
    path = f"/terms-campaigns/{drafted.json()['id']}"
    assert reasons(counter.post(f"{path}/steps", step="finish")) == {"TERMS_CAMPAIGN_STATE"}
    assert counter.post(f"{path}/steps", step="start").json()["state"] == "running"
    run_campaigns(counter.desk.tools, counter.desk.engine, now=LATER)
    assert counter.get(path).json()["not_reached"] == 1
    page = counter.get(f"{path}/not-reached", limit=1).json()
    assert [row["line"] for row in page["items"]] == [line_id]
    assert counter.get(f"{path}/not-reached", limit=1, cursor=page["next"]).json() == {
        "items": [],
        "next": None,
    }
    table = counter.get(f"{path}/not-reached.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0] == "line,notice,state,failure"
    assert table.text.splitlines()[1].startswith(f"{line_id},")
    for _ in range(2):
        assert counter.post(f"{path}/acceptances", line=line_id).json()["line"] == line_id
    assert counter.get(path).json()["accepted"] == 1
    assert len(counter.get(f"{path}/not-reached.csv").text.splitlines()) == 1
    assert counter.get("/terms-campaigns").json()["items"][0]["id"] == drafted.json()["id"]
    assert counter.get("/terms-campaigns/TCM-0").status_code == 404
    assert counter.get(path, who=STRANGER).status_code in {403, 404}
