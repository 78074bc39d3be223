"""The routes of registrations over real HTTP, on both engines."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.receipts import receipt_is_genuine
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.hot_path import Registrar, open_registrar
from shiming.vocabulary.permissions import Permission
from tests.infrastructure.http_peers import CLERK, OTHER, PROGRAM, TableGatekeeper, serving
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk, a_session

URL = "/v1/registrations"
EVERYWHERE = "token-of-the-platform"


class Gatekeeper(TableGatekeeper):
    """Who belongs to no operator may ask about all of them."""

    def allow(self, caller: Caller, question: Permission) -> bool:
        return caller.operator is None or super().allow(caller, question)


@dataclass
class Platform:
    """What the application and the routes need of the wired platform."""

    desk: Desk
    registrar: Registrar
    gatekeeper: Gatekeeper = field(default_factory=Gatekeeper)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

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


@dataclass(frozen=True)
class Counter:
    """A client at the counter of an operator."""

    desk: Desk
    http: httpx.Client

    def post(self, key: str = "k1", *, token: str = CLERK, **body: str) -> httpx.Response:
        wanted = {"operator": "cn-one", "number": "+8613800000000", "session": "SES-1", **body}
        return self.http.post(URL, json=wanted, headers=headers(token) | {"idempotency-key": key})

    def get(self, path: str = "", *, token: str = CLERK, **query: str) -> httpx.Response:
        return self.http.get(URL + path, headers=headers(token), params=query)

    def terminate(self, line: str, version: str | None, token: str = CLERK) -> httpx.Response:
        wanted = headers(token) | ({} if version is None else {"if-match": version})
        return self.http.post(f"{URL}/{line}/termination", json={"why": "holder_asked"}, headers=wanted)


def headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[Counter]:
    desk = a_desk(tmp_path, url=database_url)
    desk.sessions.add(*(a_session(f"SES-{index}", subject="p1.someone") for index in range(1, 8)))
    platform = Platform(desk, open_registrar(desk.tools, desk.engine))
    callers = {**platform.gatekeeper.callers, EVERYWHERE: Caller("ACC-all", "person-3", "staff", None)}
    platform.gatekeeper.callers = callers
    app = create_app(
        platform, routers=("shiming.registrations.api.registrations",), limits=RateLimits(None, None)
    )
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield Counter(desk, http)
    desk.engine.dispose()


def rows(engine: Engine, table: sa.Table) -> int:
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_line_is_registered_read_and_its_receipt_is_genuine(counter: Counter) -> None:
    made = counter.post()
    assert made.status_code == 201, made.text
    line = made.json()
    assert (line["number"], line["status"], line["holder"]) == ("+8613800000000", "pending", "p1.someone")
    assert made.headers["location"] == f"{URL}/{line['id']}"
    read = counter.get(f"/{line['id']}")
    assert (read.status_code, read.json(), read.headers["etag"]) == (200, line, made.headers["etag"])
    first, again = counter.get(f"/{line['id']}/receipt"), counter.get(f"/{line['id']}/receipt")
    assert receipt_is_genuine(first.json(), counter.desk.tools.signer.public_key)
    assert first.json() == again.json()
    assert first.json()["line"]["id"] == line["id"]
    assert isinstance(verify_ledger(counter.desk.engine, counter.desk.vault.keys), LedgerVerified)


def test_a_repeat_answers_the_same_and_another_body_under_its_key_is_refused(counter: Counter) -> None:
    first, again = counter.post(), counter.post()
    assert (again.status_code, again.text, again.headers["etag"]) == (201, first.text, first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    other = counter.post(number="+8613800000001")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    by_itself = counter.post("another-key")  # the session and the number say that it is the same
    assert (by_itself.status_code, by_itself.json()) == (201, first.json())
    assert rows(counter.desk.engine, lines) == 1


def test_what_is_sent_many_times_at_once_happens_once(counter: Counter) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: counter.post(), range(24)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert rows(counter.desk.engine, lines) == 1


def test_a_key_is_needed(counter: Counter) -> None:
    wanted = {"operator": "cn-one", "number": "+8613800000000", "session": "SES-1"}
    refused = counter.http.post(URL, json=wanted, headers=headers(CLERK))
    assert (refused.status_code, refused.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")


def test_a_refusal_names_every_reason(counter: Counter) -> None:
    for index in range(1, 6):
        assert counter.post(f"k{index}", session=f"SES-{index}", number=f"+861380000000{index}").is_success
    refused = counter.post("k6", session="SES-6", number="+8613800000001")
    assert (refused.status_code, refused.json()["code"]) == (409, "REGISTRATION_REFUSED")
    codes = [reason["code"] for reason in refused.json()["details"]["reasons"]]
    assert codes == ["NUMBER_TAKEN", "CAP_REACHED"]
    unknown = counter.post("k7", session="SES-nobody", number="+8613800000009")
    assert [reason["code"] for reason in unknown.json()["details"]["reasons"]] == ["SESSION_UNKNOWN"]
    assert counter.post("k8", number="xx").json()["code"] == "MSISDN_FORMAT"


def test_a_line_ends_once_by_who_has_seen_how_it_stands(counter: Counter) -> None:
    made = counter.post()
    line, version = made.json()["id"], made.headers["etag"]
    assert counter.terminate(line, None).status_code == 428
    assert counter.terminate(line, '"other"').status_code == 412
    ended = counter.terminate(line, version)
    assert (ended.status_code, ended.json()["status"]) == (200, "terminated")
    assert ended.json()["terminated_why"] == "holder_asked"
    assert counter.terminate(line, version).status_code == 412
    assert counter.post("k2", session="SES-2").status_code == 201  # the number is free again
    assert counter.get(f"/{line}").json()["status"] == "terminated"


def test_a_persons_lines_come_in_pages(counter: Counter) -> None:
    made = [
        counter.post(f"k{index}", session=f"SES-{index}", number=f"+861380000000{index}").json()["id"]
        for index in range(1, 6)
    ]
    found: list[str] = []
    query = {"subject": "p1.someone", "limit": "2"}
    while True:
        page = counter.get(**query).json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert sorted(found) == sorted(made)
    assert len(found) == 5
    assert counter.get(subject="p1.nobody").json() == {"items": [], "next": None}
    assert counter.get(subject="p1.someone", token=OTHER).json()["items"] == []
    assert len(counter.get(subject="p1.someone", token=EVERYWHERE).json()["items"]) == 5
    wrong = counter.get(subject="p1.someone", cursor="bm90aGluZw")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "CURSOR_INVALID")


@pytest.mark.parametrize(
    "ask",
    [
        lambda counter, line: counter.get(f"/{line}", token=OTHER),
        lambda counter, line: counter.get(f"/{line}/receipt", token=OTHER),
        lambda counter, line: counter.terminate(line, "*", OTHER),
        lambda counter, _: counter.get("/REG-0000-0000-0000-0"),
    ],
    ids=["read", "receipt", "termination", "none"],
)
def test_a_line_of_another_operator_is_not_found(
    counter: Counter, ask: Callable[[Counter, str], httpx.Response]
) -> None:
    line = counter.post().json()["id"]
    answer = ask(counter, line)
    assert (answer.status_code, answer.json()["code"]) == (404, "LINE_UNKNOWN")


def test_who_may_not_is_refused_and_nothing_happens(counter: Counter) -> None:
    assert counter.post(operator="cn-two").status_code == 403
    assert counter.post(token=OTHER).status_code == 403
    assert counter.http.post(URL, json={}).status_code == 401
    assert rows(counter.desk.engine, lines) == 0
    assert counter.post(token=PROGRAM).status_code == 201


def test_an_answer_is_in_the_language_that_was_asked_for(counter: Counter) -> None:
    wanted = {"operator": "cn-one", "number": "+8613800000000", "session": "SES-nobody"}
    sent = headers(CLERK) | {"idempotency-key": "k", "accept-language": "zh-CN"}
    assert counter.http.post(URL, json=wanted, headers=sent).json()["title"] == "不能登记该号码。"
