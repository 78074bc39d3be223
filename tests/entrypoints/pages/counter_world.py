"""A counter without cameras and models: what they would find is put in, all else goes through the pages."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account, invite
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo_counter import fill_pool, publish_terms
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.held_forms import identity_bytes, image_bytes
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.model.session import EvidenceKind, SessionState
from shiming.identity_proofing.ports import AuthorityQuestion, AuthorityReply
from shiming.infrastructure.database import open_database, reading
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.settings import Settings
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.notices import NoticeTools, send_due_notices
from shiming.registrations.use_cases.stops import confirm_line
from tests.identity_proofing.proofing_builders import a_challenge, evidence_with
from tests.infrastructure.http_peers import serving
from tests.registrations.stock_builders import an_iccid
from tests.registrations.test_notices import KeepingChannel

ONE, TWO = "cn-one", "cn-two"
PASSWORD = "a long sentence for a test"
FIRST = "+8613800130000"
PAGE = {"accept": "text/html", "accept-language": "en"}
_KEYS = InMemoryKeys({use: {"k1": bytes([number + 1]) * 32} for number, use in enumerate(KeyUse)})


@dataclass
class Hand:
    """A clock that a test moves."""

    at: datetime = field(default_factory=lambda: datetime.now().astimezone())

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class KnowsEverybody:
    """An authority that confirms whatever it is asked, or is out of reach."""

    answers: bool = True

    def verify(self, question: AuthorityQuestion) -> AuthorityReply:
        del question
        return AuthorityReply(AuthorityAnswer.MATCH if self.answers else AuthorityAnswer.UNREACHABLE)


@dataclass
class Browser:
    """Somebody's browser."""

    http: httpx.Client
    csrf: str = ""

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(path, headers={**PAGE, **headers})

    def part(self, path: str) -> Any:
        """Ask as HTMX does."""
        return self.http.get(path, headers={**PAGE, "hx-request": "true"})

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Any:
        body = {"csrf_token": self.csrf, **(form or {})}
        return self.http.post(path, data=body, headers={**PAGE, **headers})

    def follow(self, answer: Any) -> Any:
        """Follow one redirection."""
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])


@dataclass
class Counter:
    """An installation with one operator's counter."""

    platform: Platform
    app: Any
    clock: Hand
    address: str
    clients: list[httpx.Client] = field(default_factory=list)
    people: int = 0

    def browser(self) -> Browser:
        """Return a stranger's browser."""
        client = httpx.Client(base_url=self.address, trust_env=False, timeout=30)
        self.clients.append(client)
        return Browser(client)

    def staff(self, operator: str | None = ONE, role: Role = Role.CLERK) -> Browser:
        """Sign a new member of staff in."""
        browser, found = self.browser(), self.signed_in(operator, role)
        browser.http.cookies.set("shiming_session", found.token)
        browser.http.cookies.set("shiming_csrf", found.csrf_token)
        browser.csrf = found.csrf_token
        return browser

    def invited(self, operator: str | None = ONE, role: Role = Role.CLERK) -> tuple[str, str]:
        """Return the name and the one-time token of a new member of staff."""
        self.people += 1
        name, platform = f"person{self.people}", self.platform
        with platform.begin() as connection:
            wanted = NewAccount(name, f"number {self.people}", frozenset({role}), operator)
            account = create_account(platform.accounts, connection, wanted, by=Actor())
            return name, invite(platform.accounts, connection, account, by=Actor())

    def signed_in(self, operator: str | None = ONE, role: Role = Role.CLERK) -> SignedIn:
        """Return the session of a new member of staff."""
        platform = self.platform
        found = enrol_password(
            platform.accounts, platform.engine, token=self.invited(operator, role)[1], password=PASSWORD
        )
        assert isinstance(found, SignedIn)
        return found

    def opened(self, clerk: Browser, **changed: str) -> str:
        """Open a journey; return its address."""
        answer = clerk.post("/counter", self.form(clerk, **changed))
        assert answer.status_code == 303, answer.text
        address: str = answer.headers["location"]
        return address

    def form(self, clerk: Browser, **changed: str) -> dict[str, str]:
        """Fill in the first page as it is preset, with a card of its own."""
        page = clerk.get("/counter").text
        self.people += 1
        return {
            "key": value_of(page, "key"),
            "identifier": value_of(page, "identifier"),
            "offer": "voice.mobile",
            "holder": "adult",
            "channel": "shop",
            "iccid": an_iccid(self.people),
            "sim_form": "physical",
            **changed,
        }

    def give(self, address: str, person: int = 0, **changed: Any) -> None:
        """Put in what camera and models would have found of a genuine person."""
        reference, platform = address.split("/")[2], self.platform
        now = self.clock.now()
        with platform.begin() as connection:
            session = store.get_session(connection, reference)
            given = replace(
                session,
                state=SessionState.LIVE_EVIDENCE,
                attempts=dict.fromkeys(EvidenceKind, 1),
                fingerprints={EvidenceKind.DOCUMENT: "made", EvidenceKind.CLIP: f"made at {now}"},
            )
            store.save_session(connection, given)
            challenge = a_challenge(drawn_at=now, received_at=now, expires_at=now + timedelta(seconds=120))
            facts = {
                "session_id": reference,
                "on": platform.today(),
                "subject": session.subject,
                "channel": session.channel,
                "challenge": challenge,
                "authority": None,
                **changed,
            }
            store.save_evidence(connection, evidence_with(**facts))
        holding = HoldingTools(
            platform.privacy.objects, platform.keys, platform.proofing_tools().new_reference
        )
        pieces: dict[str, bytes | Path] = {
            "identity": identity_bytes(an_identity(person or self.people)),
            "best_frame": image_bytes(np.full((64, 64, 3), 128, np.uint8)),
        }
        held = held_pieces.hold(holding, platform.begin, reference, given.expires_at, pieces)
        with platform.begin() as connection:
            held_pieces.make_present(connection, reference, held)

    def proven(self, clerk: Browser, person: int = 0, **changed: str) -> str:
        """Open a journey whose person is proven; return its address."""
        address = self.opened(clerk, **changed)
        self.give(address, person)
        answer = clerk.post(f"{address}/decision")
        assert answer.headers.get("location") == f"{address}/result", answer.text
        return address

    def accepted(self, clerk: Browser, person: int = 0, **changed: str) -> str:
        """Open a journey whose customer accepted the terms; return its address."""
        address = self.proven(clerk, person, **changed)
        answer = clerk.post(f"{address}/contract", agreement(clerk.get(f"{address}/contract").text))
        assert answer.status_code == 303, answer.text
        return address

    def order(self, address: str) -> LineOrder | None:
        """Return the order of a journey."""
        with reading(self.platform.engine) as connection:
            return find_order(connection, address.split("/")[2])

    def switched_on(self, line: str) -> None:
        """Let the network confirm a line."""
        platform = self.platform
        policy = platform.policy("", platform.today())
        with platform.begin() as connection:
            confirm_line(platform.registrations, connection, line, now=self.clock.now(), policy=policy)


def agreement(page: str) -> dict[str, str]:
    """Fill in the page of the contract."""
    hidden = {name: value_of(page, name) for name in ("version", "content_hash", "language")}
    return {**hidden, "agreed": "true", "not_passed_on": "true"}


def value_of(page: str, name: str) -> str:
    """Return the first value of a field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, (name, page)
    return html.unescape(found[1])


def heading(answer: Any) -> str:
    """Return the heading of a page."""
    found = re.search(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)
    assert found, answer.text
    return html.unescape(found[1])


def customers_code(clerk: Browser, address: str) -> str:
    """Open the customer's link, as their own phone would, and return the code that it shows."""
    picture = clerk.get(f"{address}/code.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    token = next(each.value for each in clerk.http.cookies.jar if each.name == "shiming_counter_link")
    shown = clerk.http.get(f"/v1/confirmations/{token}", headers={"accept": "application/json"})
    code: str = shown.json()["code"]
    return code


def told_by_message(counter: Counter, line: str) -> tuple[str, str]:
    """Send what is due; return the link that a line's holder is told, and the notice."""
    channel, platform = KeepingChannel(), counter.platform
    tools = NoticeTools(platform.registrations.privacy, channel, "https://shiming.example")
    send_due_notices(tools, platform.engine, now=counter.clock.now())
    (told,) = [each for each in channel.messages.values() if each.line_id == line]
    return re.findall(r"https://shiming\.example(/r/[A-Za-z0-9_-]{43})", told.text.en)[0], told.notice_id


def reached(counter: Counter, notice: str) -> int:
    """Count how often it was told that a notice has reached its reader."""
    with reading(counter.platform.engine) as connection:
        query = outbox.select().where(outbox.c.type == "notice.reached", outbox.c.subject == notice)
        return len(connection.execute(query).all())


def path_of(answer: Any) -> str:
    """Return where a redirection leads, without its query."""
    return str(urlsplit(answer.headers["location"]).path)


def an_identity(person: int) -> ClaimedIdentity:
    """Return who is on the document: somebody else for each number."""
    return ClaimedIdentity(
        "resident_id",
        f"11010519900101{person:04d}",
        "王小明",
        date(1990, 1, 1),
        None,
        date(2020, 1, 1),
        date(2040, 1, 1),
        address="北京市朝阳区建国路1号",
    )


@contextmanager
def a_counter(folder: Path, database_url: str, *, authority: Any = None) -> Iterator[Counter]:
    """Give an installation with numbers, terms and an authority that knows everybody."""
    (folder / "data").mkdir(mode=0o700)
    clock = Hand()
    platform = Platform(Settings(data_folder=folder / "data", database_url=database_url, sandbox=True))
    platform.__dict__.update(keys=_KEYS, engine=open_database(database_url), clock=clock)
    with platform.begin() as connection:
        for operator, first in ((ONE, FIRST), (TWO, "+8613900130000")):
            fill_pool(platform, connection, operator, first)
            publish_terms(platform, connection, operator)
    app = create_app(platform, authority=authority or KnowsEverybody(), limits=RateLimits(None, None))
    with serving(app) as address:
        counter = Counter(platform, app, clock, address)
        yield counter
        for client in counter.clients:
            client.close()
    platform.engine.dispose()
