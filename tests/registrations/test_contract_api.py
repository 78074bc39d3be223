"""Terms, acceptance, confirmation and receipts over real HTTP, on both engines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pypdf
import pytest
from jwcrypto.jwk import JWK

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.paper_receipts import code_in_pdf
from tests.databases import everything_in
from tests.infrastructure.http_peers import CLERK, OTHER, serving
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    TODAY,
    ContractDesk,
    ContractServer,
    a_contract_desk,
    an_order,
    some_terms,
)
from tests.registrations.enterprise_builders import CONTRACT, an_enterprise

ROUTERS = tuple(
    f"shiming.registrations.api.{name}"
    for name in ("terms", "confirmations", "contract_confirmations", "receipts")
)
ORDER = f"/v1/orders/{SESSION}"


@dataclass(frozen=True)
class Counter:
    """A counter of the operator, and a customer with a telephone."""

    desk: ContractDesk
    server: ContractServer
    http: httpx.Client

    def post(self, path: str, body: Any = None, *, token: str | None = CLERK, **more: str) -> httpx.Response:
        return self.http.post(path, json=body, headers=headers(token) | more)

    def get(self, path: str, *, token: str | None = None, **query: str) -> httpx.Response:
        return self.http.get(path, headers=headers(token), params=query)

    def publish(self, version: str = "2026-01", **changed: Any) -> httpx.Response:
        return self.post("/v1/terms", document(version) | changed)

    def register(self) -> str:
        self.desk.desk.sessions.add(a_session(SESSION))
        outcome = self.desk.desk.register(SESSION, a_number(), operator=OPERATOR)
        assert isinstance(outcome, LineRegistered)
        line: str = outcome.receipt["line"]["id"]
        return line

    def later(self, seconds: int) -> None:
        self.server.clock = FixedClock(self.server.clock.now() + timedelta(seconds=seconds))


def headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def document(version: str) -> dict[str, Any]:
    content = some_terms(version).content()
    return {name: value for name, value in content.items() if name != "kind"}


def reasons(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [each["code"] for each in answer.json()["details"]["reasons"]]


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[Counter]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.add(an_order())
    server = ContractServer(desk.desk)
    app = create_app(server, routers=ROUTERS, limits=RateLimits(None, None))
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield Counter(desk, server, http)
    desk.desk.engine.dispose()


def test_terms_are_published_once_and_read_by_anybody(counter: Counter) -> None:
    made = counter.publish()
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/terms/{OPERATOR}/2026-01"
    for path in (f"{OPERATOR}/current", f"{OPERATOR}/2026-01"):
        assert counter.get(f"/v1/terms/{path}").json() == made.json()
    assert counter.publish().json() == made.json()
    changed = counter.publish(title={"zh": "另", "en": "Other"})
    assert (changed.json()["code"], reasons(changed)) == ("TERMS_REFUSED", ["TERMS_VERSION_PUBLISHED"])
    bare = counter.publish("2026-02", clauses=document("x")["clauses"][:1])
    assert reasons(bare) == ["TRANSFER_CLAUSE_MISSING", "TERMS_DATE_TAKEN"]
    later = str(TODAY + timedelta(days=30))
    assert counter.publish("2026-02", effective_from=later).status_code == 201
    pages = [counter.get(f"/v1/terms/{OPERATOR}", limit="1").json()]
    pages.append(counter.get(f"/v1/terms/{OPERATOR}", limit="1", cursor=pages[0]["next"]).json())
    assert [page["items"][0]["version"] for page in pages] == ["2026-02", "2026-01"]
    assert pages[1]["next"] is None
    changes = counter.get(f"/v1/terms/{OPERATOR}/2026-02/changes", since="2026-01")
    assert changes.json()["changes"] == []
    for path in ("cn-two/current", f"{OPERATOR}/2026-09", f"{OPERATOR}/2026-09/changes?since=2026-01"):
        assert counter.http.get(f"/v1/terms/{path}").json()["code"] == "TERMS_UNKNOWN"
    assert counter.get(f"/v1/terms/{OPERATOR}", cursor="x").status_code == 400
    assert counter.post("/v1/terms", document("2026-03"), token=OTHER).status_code == 403
    assert counter.post("/v1/terms", document("2026-03"), token=None).status_code == 401


def test_an_acceptance_names_the_version_and_its_hash(counter: Counter) -> None:
    terms = counter.publish().json()
    wanted = {"version": "2026-01", "content_hash": terms["content_hash"], "language": "zh"}
    path = f"{ORDER}/terms-acceptance"
    accepted = counter.post(path, wanted)
    assert accepted.status_code == 201, accepted.text
    assert accepted.json() == {
        **wanted,
        "session": SESSION,
        "channel": "shop",
        "accepted_at": NOW.isoformat().replace("+00:00", "Z"),
    }
    wrong = counter.post(path, {**wanted, "content_hash": "sha256:" + "0" * 64})
    assert reasons(wrong) == ["TERMS_CONTENT_DIFFERS"]
    for answer in (
        counter.post(path, wanted, token=OTHER),
        counter.post("/v1/orders/SES-none/terms-acceptance", wanted),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "ORDER_UNKNOWN")


def test_the_code_reaches_the_customer_and_never_the_counter(counter: Counter) -> None:
    sent = counter.post(f"{ORDER}/confirmation-code")
    assert sent.status_code == 201, sent.text
    assert set(sent.json()) == {"session", "lines", "expires_at", "attempts", "link", "sent_to"}
    path = httpx.URL(sent.json()["link"]).path
    shown = counter.get(path).json()
    assert (shown["number"], shown["lines"]) == (a_number().reveal("test"), 1)
    assert shown["code"] not in sent.text
    wrong = shown["code"][:-1] + str((int(shown["code"][-1]) + 1) % 10)
    missed = counter.post(f"{ORDER}/confirmation", {"code": wrong})
    assert (missed.json()["details"]["attempts_left"], reasons(missed)) == (2, ["CONFIRMATION_CODE_WRONG"])
    given = counter.post(f"{ORDER}/confirmation", {"code": shown["code"]})
    assert (given.status_code, given.json()["method"], given.json()["lines"]) == (200, "read_back", 1)
    assert reasons(counter.post(f"{ORDER}/confirmation", {"code": shown["code"]})) == [
        "CONFIRMATION_CODE_USED"
    ]
    assert reasons(counter.get(path)) == ["CONFIRMATION_CODE_USED"]
    for verb, body in (("confirmation-code", None), ("confirmation", {"code": "123456"})):
        hidden = counter.post(f"{ORDER}/{verb}", body, token=OTHER)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "ORDER_UNKNOWN")


def test_the_customer_says_yes_on_their_own_device(counter: Counter) -> None:
    path = httpx.URL(counter.post(f"{ORDER}/confirmation-code").json()["link"]).path
    assert counter.get(path).json()["text"]["en"] == "1 new line, number +8613800000000."
    assert counter.post(f"{path}/yes", token=None).json()["method"] == "own_device"
    assert reasons(counter.post(f"{path}/yes", token=None)) == ["CONFIRMATION_CODE_USED"]
    confirmation = counter.desk.order().confirmation
    assert confirmation is not None
    assert confirmation.method.value == "own_device"
    assert reasons(counter.post(f"{ORDER}/confirmation-code")) == ["CONFIRMATION_CODE_TOO_SOON"]
    counter.later(30)
    path = httpx.URL(counter.post(f"{ORDER}/confirmation-code").json()["link"]).path
    assert counter.post(f"{path}/yes", token=None).json()["lines"] == 1


def test_a_code_goes_to_a_line_that_the_customer_holds_past_the_counter(counter: Counter) -> None:
    desk, asked = counter.desk.desk, {"delivery": "own_line"}
    held = "SES-earlier"
    desk.sessions.add(a_session(held), a_session(SESSION))
    assert reasons(counter.post(f"{ORDER}/confirmation-code", asked)) == ["CONFIRMATION_NO_OWN_LINE"]
    outcome = desk.register(held, a_number(5), operator=OPERATOR)
    assert isinstance(outcome, LineRegistered)
    line = outcome.receipt["line"]["id"]
    assert reasons(counter.post(f"{ORDER}/confirmation-code", asked)) == ["CONFIRMATION_NO_OWN_LINE"]
    with unit_of_work(desk.engine) as connection:  # the network has confirmed it
        connection.execute(lines.update().values(status="active"))
    sent = counter.post(f"{ORDER}/confirmation-code", asked)
    assert sent.status_code == 201, sent.text
    assert (sent.json()["sent_to"], sent.json()["link"]) == (line, None)
    (message,) = counter.server.channel.sent
    assert message.to == a_number(5)
    assert "1 new line, number +8613800000000" in message.text.en
    code = message.text.en.split("code ")[1].split()[0]
    assert code not in sent.text + repr(message)
    assert f"code {code}".encode() not in everything_in(desk.engine)
    assert counter.post(f"{ORDER}/confirmation", {"code": code}).status_code == 200
    counter.server.channel.answers = False
    counter.later(30)
    assert reasons(counter.post(f"{ORDER}/confirmation-code", asked)) == ["CONFIRMATION_NO_OWN_LINE"]


def test_the_paper_receipt_is_verified_by_its_code(counter: Counter) -> None:
    line = counter.register()
    path = f"/v1/registrations/{line}/receipt.pdf"
    paper, again = counter.get(path, token=CLERK), counter.get(path, token=CLERK)
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.content == again.content
    assert "+8613800000000" in pypdf.PdfReader(BytesIO(paper.content)).pages[0].extract_text()
    code = code_in_pdf(paper.content)
    assert code is not None
    checked = counter.post("/v1/paper-receipts/verification", {"text": code}, token=None).json()
    assert (checked["genuine"], checked["content"]["line"]) == (True, line)
    forged = counter.post("/v1/paper-receipts/verification", {"text": code[:-1]}, token=None).json()
    assert (forged["genuine"], forged["content"]) == (False, None)
    assert counter.get(path, token=OTHER).status_code == 404
    assert counter.get("/v1/registrations/REG-none/receipt.pdf", token=CLERK).status_code == 404


def test_a_portable_receipt_is_bound_and_verified_by_the_published_key(counter: Counter) -> None:
    line = counter.register()
    key = JWK.generate(kty="EC", crv="P-256")
    path = f"/v1/registrations/{line}/portable-receipt"
    made = counter.post(path, {"holder_key": key.export_public(as_dict=True)})
    assert made.status_code == 201, made.text
    sd_jwt = made.json()["sd_jwt"]
    checked = counter.post("/v1/portable-receipts/verification", {"presentation": sd_jwt}, token=None).json()
    assert (checked["genuine"], checked["holder_bound"]) == (True, False)
    assert checked["content"]["line_number"] == "+8613800000000"
    asked = {"presentation": sd_jwt, "nonce": "n", "audience": "a"}
    unproven = counter.post("/v1/portable-receipts/verification", asked, token=None).json()
    assert unproven["code"] == "KEY_BINDING_MISSING"
    private = counter.post(path, {"holder_key": key.export(as_dict=True)})
    assert (private.status_code, private.json()["code"]) == (400, "HOLDER_KEY_PRIVATE")
    assert counter.post(path, {"holder_key": key.export_public(as_dict=True)}, token=OTHER).status_code == 404
    issuer, keys = counter.get("/.well-known/jwt-vc-issuer").json(), counter.get("/v1/receipt-keys").json()
    assert issuer["issuer"] == checked["content"]["iss"]
    assert issuer["jwks"]["keys"] == [each["jwk"] for each in keys["keys"]]
    assert keys["keys"][0]["public_key"] == counter.desk.desk.tools.signer.public_key
    counter.desk.desk.terminate(line)
    ended = counter.post(path, {"holder_key": key.export_public(as_dict=True)})
    assert reasons(ended) == ["PORTABLE_LINE_ENDED"]


def test_a_handler_confirms_the_lines_of_a_contract(tmp_path: Path, database_url: str) -> None:
    enterprise = an_enterprise(tmp_path, database_url, lines=3)
    operator = enterprise.contract().operator
    desk = ContractDesk(enterprise.registration)
    server = ContractServer(desk.desk)
    server.gatekeeper.callers = {
        CLERK: Caller("ACC-clerk", "person-1", "staff", operator),
        OTHER: Caller("ACC-other", "person-2", "staff", "cn-two"),
    }
    path = f"/v1/enterprise-contracts/{CONTRACT}/confirmation"
    app = create_app(server, routers=ROUTERS, limits=RateLimits(None, None))
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as http:
        counter = Counter(desk, server, http)
        assert counter.get(path, token=CLERK).json()["code"] == "CONFIRMATION_UNKNOWN"
        sent = counter.post(f"{path}-code", {"lines": 12})
        assert sent.status_code == 201, sent.text
        link = httpx.URL(sent.json()["link"]).path
        shown = counter.get(link).json()
        assert (shown["number"], shown["lines"]) == (None, 12)
        other = counter.post(path, {"lines": 13, "code": shown["code"]})
        assert reasons(other) == ["CONFIRMATION_OF_OTHER_LINE"]
        assert reasons(counter.post(f"{path}-code", {"lines": 12})) == ["CONFIRMATION_CODE_TOO_SOON"]
        yes = counter.post(f"{link}/yes", token=None)
        assert yes.json()["lines"] == 12
        assert counter.get(path, token=CLERK).json() == yes.json()
        assert counter.get(path, token=OTHER).status_code == 404
        assert counter.post(path.replace(CONTRACT, "ENT-9"), {"lines": 1, "code": "1234"}).status_code == 404
    assert enterprise.contract().lines_confirmed == 12
    enterprise.engine.dispose()
