"""Terms, orders and a desk for what a customer agrees to, under the rules that ship."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import Channel, ContractPolicy, EntryKind, Policy, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.model.confirmation import CodeIssued, Confirmed, NotConfirmed
from shiming.registrations.model.lines import LineIdentifier, LineKind
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.terms import (
    TRANSFER_CLAUSE,
    AcceptTerms,
    Clause,
    PublishedTerms,
    Terms,
    TermsAccepted,
    TermsPublished,
    TermsRefused,
)
from shiming.registrations.ports.notices import NoticeAccepted, NoticeMessage, NoticeRejected
from shiming.registrations.store.orders import add_order, change_order, find_order
from shiming.registrations.use_cases import confirmations, terms
from shiming.registrations.use_cases.notices import NoticeTools
from shiming.vocabulary.errors import Text
from tests.infrastructure.http_peers import TableGatekeeper
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk, a_number

TODAY = NOW.date()
OPERATOR = "cn-one"
SESSION = "SES-1"


@cache
def the_policy() -> Policy:
    return policy_on(read_pack("cn"), TODAY)


def a_contract_policy() -> ContractPolicy:
    return the_policy().contracts


def some_terms(version: str = "2026-01", effective_from: date = TODAY, **more: str) -> Terms:
    """Terms with the clause against transfer, and other clauses by name."""
    clauses = {
        "scope": "We connect you.",
        TRANSFER_CLAUSE: "You neither sell, lend nor hand on the card or the number.",
        **more,
    }
    return Terms(
        OPERATOR,
        version,
        effective_from,
        Text(zh="电信服务协议", en="Terms of service"),
        tuple(Clause(name, Text(zh=f"条款 {name}", en=text)) for name, text in clauses.items() if text),
    )


def an_order(session_id: str = SESSION, identifier: LineIdentifier | None = None) -> LineOrder:
    return LineOrder(
        session_id=session_id,
        operator=OPERATOR,
        entry=EntryKind.OPEN,
        kind=LineKind.MOBILE,
        product_class=ProductClass.VOICE,
        channel=Channel.SHOP,
        created_at=NOW,
        identifier=identifier or a_number(),
    )


@dataclass(frozen=True)
class ContractDesk:
    """A desk where customers accept and confirm."""

    desk: Desk

    def publish(self, wanted: Terms, *, today: date = TODAY) -> TermsPublished | TermsRefused:
        return transact(
            self.desk.engine,
            lambda connection: terms.publish_terms(
                self.desk.tools, connection, wanted, policy=a_contract_policy(), today=today, now=NOW
            ),
        )

    def published(self, wanted: Terms, *, today: date = TODAY) -> PublishedTerms:
        outcome = self.publish(wanted, today=today)
        assert isinstance(outcome, TermsPublished)
        return outcome.published

    def accept(
        self, published: PublishedTerms, *, today: date = TODAY, **changed: Any
    ) -> TermsAccepted | TermsRefused:
        wanted = AcceptTerms(SESSION, published.terms.version, published.content_hash, "zh")
        return transact(
            self.desk.engine,
            lambda connection: terms.accept_terms(
                self.desk.tools,
                connection,
                replace(wanted, **changed),
                operator=OPERATOR,
                policy=a_contract_policy(),
                today=today,
                now=NOW,
            ),
        )

    def add(self, order: LineOrder) -> None:
        transact(self.desk.engine, lambda connection: add_order(connection, order))

    def order(self, session_id: str = SESSION) -> LineOrder:
        with reading(self.desk.engine) as connection:
            found = find_order(connection, session_id)
        assert found is not None
        return found

    def choose(self, identifier: LineIdentifier, session_id: str = SESSION) -> None:
        """Give the order another number, as choosing one does."""
        number = identifier.reveal("test")
        transact(self.desk.engine, lambda connection: change_order(connection, session_id, identifier=number))

    def issue(self, session_id: str = SESSION, *, now: datetime = NOW) -> CodeIssued | NotConfirmed:
        return transact(
            self.desk.engine,
            lambda connection: confirmations.issue_code(
                self.desk.tools,
                connection,
                session_id,
                operator=OPERATOR,
                policy=a_contract_policy(),
                now=now,
            ),
        )

    def issued(self, session_id: str = SESSION, *, now: datetime = NOW) -> CodeIssued:
        outcome = self.issue(session_id, now=now)
        assert isinstance(outcome, CodeIssued)
        return outcome

    def confirm(
        self, code: str, session_id: str = SESSION, *, now: datetime = NOW
    ) -> Confirmed | NotConfirmed:
        return transact(
            self.desk.engine,
            lambda connection: confirmations.confirm_line(
                self.desk.tools,
                connection,
                session_id,
                code,
                operator=OPERATOR,
                policy=a_contract_policy(),
                now=now,
            ),
        )

    def confirm_on_device(self, token: str, *, now: datetime = NOW) -> Confirmed | NotConfirmed:
        return transact(
            self.desk.engine,
            lambda connection: confirmations.confirm_on_device(
                self.desk.tools, connection, token, policy=a_contract_policy(), now=now
            ),
        )


def a_contract_desk(folder: Path, url: str) -> ContractDesk:
    return ContractDesk(a_desk(folder, url=url))


def codes_of(outcome: object) -> list[str]:
    assert isinstance(outcome, TermsRefused | NotConfirmed), outcome
    return [refusal.code.value for refusal in outcome.refusals]


@dataclass
class KeepingChannel:
    """A channel that keeps what it was given; `answers` False: nothing ever arrives."""

    answers: bool = True
    sent: list[NoticeMessage] = field(default_factory=list)

    def send(self, message: NoticeMessage) -> NoticeAccepted | NoticeRejected:
        self.sent.append(message)
        return NoticeAccepted("kept") if self.answers else NoticeRejected("unknown_number")


@dataclass
class ContractServer:
    """What the application and these routes need of the wired platform."""

    desk: Desk
    gatekeeper: TableGatekeeper = field(default_factory=TableGatekeeper)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    default_pack: str = "cn"
    language: str = "en"
    channel: KeepingChannel = field(default_factory=KeepingChannel)

    @property
    def notices(self) -> NoticeTools:
        return NoticeTools(self.desk.tools.privacy, self.channel)

    def __getattr__(self, name: str) -> Any:
        found = {
            "engine": self.desk.engine,
            "registrations": self.desk.tools,
            "settings": self.desk.vault.settings,
            "data_folder": self.desk.vault.settings.data_folder,
        }
        if name == "operator_name":
            return str
        if name not in found:
            raise AttributeError(name)
        return found[name]

    def today(self) -> date:
        return TODAY

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", TODAY)
        return the_policy()
