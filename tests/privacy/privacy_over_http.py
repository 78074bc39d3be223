"""The privacy routes over real HTTP, with people who may do different things."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
from fastapi import Request

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.http.asking import Caller, Unauthenticated
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.signed_notes import NoteKey, log_signer
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.vocabulary.permissions import Permission
from tests.infrastructure.http_peers import client, serving
from tests.privacy.disclosure_builders import NOW
from tests.privacy.disclosure_desk import OPERATOR, OPERATOR_NAME, Desk, a_desk

_ALL = frozenset(
    {
        *("evidence.list", "evidence.read", "identity.read", "access_log.read", "ledger.read"),
        *("disclosures.request", "disclosures.approve", "disclosures.execute", "disclosures.read"),
    }
)
#: token -> who that is, and what they may ask
PEOPLE: Mapping[str, tuple[Caller, frozenset[str]]] = {
    "asker": (Caller("ACC-asker", "person-A", "staff", OPERATOR), _ALL),
    "asker-again": (Caller("ACC-asker-2", "person-A", "staff", OPERATOR), _ALL),
    "first": (Caller("ACC-first", "person-B", "staff", OPERATOR), frozenset({"disclosures.approve"})),
    "second": (Caller("ACC-second", "person-C", "staff", OPERATOR), frozenset({"disclosures.approve"})),
    "platform": (Caller("ACC-platform", "person-D", "staff"), _ALL),
    "witness": (Caller("CLT-witness", "CLT-witness", "client"), frozenset({"ledger.witness"})),
    "stranger": (Caller("ACC-stranger", "person-E", "staff", "cn-other"), _ALL),
    "program": (Caller("CLT-program", "CLT-program", "client", OPERATOR), _ALL),
    "nobody": (Caller("ACC-nobody", "person-F", "staff", OPERATOR), frozenset()),
    "images-only": (Caller("ACC-images", "person-G", "staff", OPERATOR), frozenset({"evidence.read"})),
}


class Gatekeeper:
    def caller(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            return None
        if token not in PEOPLE:
            raise Unauthenticated("TOKEN_INVALID")
        return PEOPLE[token][0]

    def known_caller(self, request: Request) -> Caller | None:
        del request
        return None

    def allow(self, caller: Caller, question: Permission) -> bool:
        codes = next(codes for who, codes in PEOPLE.values() if who == caller)
        asked_about = getattr(question, "operator", "")
        return question.code in codes and caller.operator in {None, asked_about}


@dataclass
class MovingClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class PrivacyHttpPlatform:
    desk: Desk
    data_folder: Path
    gatekeeper: Gatekeeper = field(default_factory=Gatekeeper)
    clock: MovingClock = field(default_factory=MovingClock)

    def __post_init__(self) -> None:
        self.engine = self.desk.vault.engine
        self.privacy = self.desk.vault.tools
        self.address = ""
        self.log = log_signer(self.desk.vault.tools.signer, "shiming.example/test")
        self.ledger_keys = (self.log.key,)
        self.witness_keys: tuple[NoteKey, ...] = ()

    def today(self) -> date:
        return self.clock.at.date()

    def policy(self, pack: str, on: date) -> Policy:
        return policy_on(read_pack(pack or "cn"), on)

    def operator_name(self, operator: str) -> str:
        return OPERATOR_NAME if operator == OPERATOR else ""

    def wait(self, **time: float) -> None:
        self.clock.at += timedelta(**time)

    def seal(self) -> None:
        seal_ledger(self.engine, self.desk.vault.keys, self.log, self.clock)

    def client(self, token: str | None) -> httpx.Client:
        return client(self.address, token)


@contextlib.contextmanager
def privacy_served(folder: Path, url: str) -> Iterator[PrivacyHttpPlatform]:
    with a_desk(folder, url) as desk:
        platform = PrivacyHttpPlatform(desk, folder / "data")
        limits = RateLimits(per_address=None, per_caller_and_route=None)
        app = create_app(platform, routers=("shiming.privacy.api",), limits=limits)
        with serving(app) as address:
            platform.address = address
            yield platform
