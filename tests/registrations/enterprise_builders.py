"""An organisation with everything that it has to bring, a pool of numbers, and a contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.engine import Engine
from stdnum import luhn

from shiming.infrastructure.canonical_json import content_hash
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.jurisdictions.model import Channel, Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.model.confirmation import CodeIssued, Confirmed
from shiming.registrations.model.enterprise_lines import EnterpriseContract, EnterpriseRefused, ImportReport
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.model.organisations import Organisation, OrganisationState
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.model.terms import PublishedTerms, Terms
from shiming.registrations.store.enterprise_lines import add_contract, find_contract
from shiming.registrations.store.number_tables import number_blocks
from shiming.registrations.store.organisations import add_organisation
from shiming.registrations.store.terms import add_terms
from shiming.registrations.use_cases.contract_confirmations import (
    confirm_contract_lines,
    issue_contract_code,
)
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from shiming.registrations.use_cases.organisations import Desk, find_organisation
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import Text
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk as RegistrationDesk
from tests.registrations.builders import WrittenSessions, a_desk, a_session

OPERATOR = "cn-mobile"
ORGANISATION = "ORG-0082-0C20-A1G7-7"
CONTRACT = "ENT-0082-0C20-A1G7-D"
CODE = "91110000600037341L"
HANDLER_SESSION = "SES-HANDLER"
HANDLER = "p1.handler"
FIRST_NUMBER = 8613800000000
POOL = 1_000_000
T = TypeVar("T")


@cache
def the_policy() -> Policy:
    """The whole of the shipped pack of the tests."""
    return policy_on(read_pack("cn"), NOW.date())


def some_numbers(count: int, first: int = 0) -> Iterator[str]:
    return (f"+{FIRST_NUMBER + first + at}" for at in range(count))


def an_organisation(**changes: Any) -> Organisation:
    """An organisation that lacks nothing."""
    whole = Organisation(
        organisation_id=ORGANISATION,
        operator=OPERATOR,
        code=CODE,
        name="示例科技有限公司",
        state=OrganisationState.COMPLETE,
        created_at=NOW,
        licence_evidence="EVD-1",
        legal_representative_evidence="EVD-2",
        handler_session=HANDLER_SESSION,
        handler_subject=HANDLER,
        power_of_attorney_evidence="EVD-3",
        power_of_attorney_from=NOW,
        power_of_attorney_until=NOW + timedelta(days=300),
        responsible_evidence="EVD-4",
    )
    return replace(whole, **changes)


@dataclass(frozen=True)
class Enterprise:
    """The desk of an operator that serves one organisation."""

    registration: RegistrationDesk
    policy: Policy
    contract_id: str = CONTRACT
    now: datetime = NOW

    @property
    def engine(self) -> Engine:
        return self.registration.engine

    @property
    def tools(self) -> RegistrationTools:
        return self.registration.tools

    @property
    def sessions(self) -> WrittenSessions:
        return self.registration.sessions

    @property
    def desk(self) -> Desk:
        return Desk(self.tools, self.policy, self.now, self.now.date())

    @property
    def registration_policy(self) -> RegistrationPolicy:
        return RegistrationPolicy.of(self.policy, number_regions=("CN",))

    def prove(self, session_id: str, person: str, *, number: str = "11010519491231002X") -> str:
        """Write a verified session of a person, with what the law wants recorded of them."""
        session = replace(a_session(session_id, subject=person), decided_at=self.now, operator=OPERATOR)
        self.sessions.add(session)
        self.registration.keep_identity(session, IdentityRecord("resident_id", number, "张三丰", "北京市"))
        return session_id

    def contract(self) -> EnterpriseContract:
        with reading(self.engine) as connection:
            found = find_contract(connection, self.contract_id)
        assert found is not None
        return found

    def confirm(self, lines: int, *, contract: str | None = None) -> None:
        """Let the handler confirm the total by a code."""
        reference, rules = contract or self.contract_id, self.policy.contracts

        def work(connection: Any) -> None:
            sent = issue_contract_code(self.tools, connection, reference, lines, policy=rules, now=self.now)
            assert isinstance(sent, CodeIssued)
            said = confirm_contract_lines(
                self.tools, connection, reference, lines, sent.code, policy=rules, now=self.now
            )
            assert isinstance(said, Confirmed)

        transact(self.engine, work)

    def do(self, verb: Callable[..., T], *arguments: Any, **more: Any) -> T:
        """Run a verb on the contract in a transaction of its own."""
        contract = self.contract()
        return transact(
            self.engine, lambda connection: verb(self.desk, connection, contract, *arguments, **more)
        )

    def at(self, now: datetime) -> "Enterprise":
        """The same desk at another time."""
        return replace(self, now=now)

    def under(self, policy: Policy) -> "Enterprise":
        """The same desk under other rules."""
        return replace(self, policy=policy)

    def organisation(self, reference: str = ORGANISATION) -> Organisation:
        with reading(self.engine) as connection:
            found = find_organisation(connection, reference)
        assert found is not None
        return found

    def bring(
        self, rows: Sequence[Mapping[str, str]], *, contract: str | None = None
    ) -> ImportReport | EnterpriseRefused:
        """Import rows as a CSV."""
        return self.bring_file(a_table(rows), contract=contract)

    def bring_file(
        self, content: bytes, *, name: str = "lines.csv", contract: str | None = None
    ) -> ImportReport | EnterpriseRefused:
        return import_enterprise_lines(
            self.desk, self.engine, contract or self.contract_id, stream=BytesIO(content), name=name,
            region="CN",
        )  # fmt: skip

    def entered(self, count: int) -> list[str]:
        """Enter lines for staff 0, 1, ...; return their numbers."""
        numbers = list(some_numbers(count))
        rows = [a_row(number, at, iccid=a_card(at)) for at, number in enumerate(numbers)]
        report = self.bring(rows)
        assert isinstance(report, ImportReport)
        assert report.entered == count
        return numbers


def a_row(number: str, staff: int = 0, **changes: str) -> dict[str, str]:
    return {"number": number, "kind": "mobile", "product": "voice", "user": f"staff-{staff:04d}"} | changes


def a_card(index: int) -> str:
    """The number of a card, with its check digit."""
    body = f"898601128512{index:07d}"
    return body + luhn.calc_check_digit(body)


def a_table(rows: Sequence[Mapping[str, str]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
    return "\n".join(lines).encode() + b"\n"


def an_enterprise(
    folder: Path, url: str | None = None, *, lines: int = 100, policy: Policy | None = None
) -> Enterprise:
    """An organisation, a million numbers and a contract for so many lines."""
    desk = a_desk(folder, url=url)
    enterprise = Enterprise(desk, policy or the_policy())
    desk.sessions.add(a_session(HANDLER_SESSION, subject=HANDLER))

    def write(connection: Any) -> None:
        add_organisation(connection, an_organisation())
        add_contract(connection, a_contract(lines_confirmed=lines))

    transact(desk.engine, write)
    add_block(desk.engine, FIRST_NUMBER, FIRST_NUMBER + POOL - 1)
    return enterprise


def a_contract(**changes: Any) -> EnterpriseContract:
    terms = TermsAcceptance("2026-01", "sha256:" + "2" * 64, NOW, Channel.SHOP)
    contract = EnterpriseContract(CONTRACT, OPERATOR, ORGANISATION, HANDLER_SESSION, 100, NOW, terms=terms)
    return replace(contract, **changes)


def publish_terms(enterprise: Enterprise, version: str, since: date) -> None:
    """Publish terms of the operator."""
    terms = Terms(OPERATOR, version, since, Text(zh="服务协议", en="Terms"), ())
    with unit_of_work(enterprise.engine) as connection:
        assert add_terms(connection, PublishedTerms(terms, content_hash(terms.content()), NOW))


def add_block(
    engine: Engine, first: int, last: int, *, kind: str = "mobile", excluded: bool = False,
    operator: str = OPERATOR,
) -> None:  # fmt: skip
    row = {
        "block_id": f"BLK-{first}-{excluded}",
        "operator": operator,
        "first": f"+{first}",
        "last": f"+{last}",
        "kind": kind,
        "excluded": excluded,
        "added_at": NOW,
    }
    with unit_of_work(engine) as connection:
        connection.execute(number_blocks.insert().values(**row))
