"""Industry cards, contracts and scenes for tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.engine import Connection, Engine
from stdnum import luhn

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import Binding, Channel, Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.model.iot import (
    Assessment,
    AssessmentResult,
    CardState,
    ContractStatus,
    FenceTerms,
    IotCard,
    IotContract,
    TrafficClass,
)
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.iot_cards import find_card, sell_cards
from shiming.registrations.use_cases.iot_contracts import (
    IotRefused,
    NewIotContract,
    conclude_contract,
    record_assessment,
)
from shiming.registrations.use_cases.iot_sale import CardSold, IotDesk, WantedCard
from shiming.registrations.use_cases.iot_stock import import_stock
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.organisations import Desk as OrganisationDesk
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid, Imei, Imsi
from tests.registrations.builders import a_session
from tests.registrations.enterprise_builders import (
    HANDLER,
    HANDLER_SESSION,
    ORGANISATION,
    Enterprise,
    add_block,
    an_enterprise,
)

T = TypeVar("T")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPERATOR = "cn-mobile"


def a_policy() -> Policy:
    return policy_on(read_pack("cn"), date(2026, 3, 1))


def an_iccid(index: int = 0) -> str:
    digits = f"898601128{index:010d}"
    return digits + str(luhn.calc_check_digit(digits))


def an_imsi(index: int = 0) -> str:
    return f"46000{index:010d}"


def an_imei(index: int = 0) -> str:
    digits = f"35686800{index:06d}"
    return digits + str(luhn.calc_check_digit(digits))


def a_card_number(index: int = 0) -> str:
    return f"+86147{index:08d}"


def a_card(index: int = 0, **changes: Any) -> IotCard:
    card = IotCard(
        Iccid.parse(an_iccid(index)),
        Imsi.parse(an_imsi(index)),
        Msisdn.parse(a_card_number(index)),
        OPERATOR,
        CardState.STOCK,
    )
    return replace(card, **changes)


def an_imei_value(index: int = 0) -> Imei:
    return Imei.parse(an_imei(index))


def some_terms(**changes: Any) -> FenceTerms:
    terms = FenceTerms(apns=("meter.example",), targets=("head.example",), binding=Binding.IMEI)
    return replace(terms, **changes)


def a_contract(**changes: Any) -> IotContract:
    contract = IotContract(
        contract_id="IC-1",
        operator=OPERATOR,
        organisation="ORG-1",
        scene="metering",
        traffic=TrafficClass.SMALL,
        cards_max=10,
        terms=some_terms(),
        channel=Channel.SHOP,
        resale_clause=True,
        sells_devices=False,
        handler_session="SES-1",
        assessment=None,
        status=ContractStatus.ACTIVE,
        signed_at=NOON,
    )
    return replace(contract, **changes)


def an_assessment(**changes: Any) -> Assessment:
    made = Assessment("ASM-1", OPERATOR, "ORG-1", AssessmentResult.PASSED, "ACC-1", "EVD-1", NOON)
    return replace(made, **changes)


@dataclass(frozen=True)
class IotShop:
    """The desk of an operator that sells industry cards to one organisation."""

    enterprise: Enterprise
    registration: RegistrationPolicy

    @property
    def engine(self) -> Engine:
        return self.enterprise.engine

    @property
    def desk(self) -> OrganisationDesk:
        return self.enterprise.desk

    @property
    def iot(self) -> IotDesk:
        return IotDesk(self.desk, self.registration)

    def at(self, now: datetime) -> "IotShop":
        return replace(self, enterprise=self.enterprise.at(now))

    def do(self, work: Callable[[Connection], T]) -> T:
        return transact(self.engine, work)

    def stocked(self, count: int, first: int = 0) -> ImportReport:
        rows = [(an_iccid(at), an_imsi(at), a_card_number(at)) for at in range(first, first + count)]
        return self.bring_stock(stock_table(rows))

    def bring_stock(self, content: bytes, operator: str = OPERATOR) -> ImportReport:
        stream = BytesIO(content)
        return import_stock(
            self.desk, self.engine, operator=operator, stream=stream, name="stock.csv", region="CN"
        )

    def assessed(self, result: AssessmentResult = AssessmentResult.PASSED) -> Assessment:
        return self.do(
            lambda connection: record_assessment(
                self.desk, connection, ORGANISATION, result=result, assessor="ACC-1", evidence="EVD-9"
            )
        )

    def concluded(self, **changes: Any) -> IotContract | IotRefused:
        asked = replace(
            NewIotContract(ORGANISATION, "metering", 10, some_terms(), Channel.SHOP, resale_clause=True),
            **changes,
        )
        return self.do(lambda connection: conclude_contract(self.desk, connection, asked))

    def contract(self, **changes: Any) -> IotContract:
        contract = self.concluded(**changes)
        assert isinstance(contract, IotContract), contract
        return contract

    def proven(self, session_id: str, subject: str) -> str:
        """Write a verified session with its identity record; return its reference."""
        session = replace(a_session(session_id, subject=subject), decided_at=self.desk.now)
        self.enterprise.sessions.add(session)
        self.enterprise.registration.keep_identity(
            session, IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区")
        )
        return session_id

    def sell(self, contract: IotContract, *wanted: WantedCard) -> tuple[CardSold | IotRefused, ...]:
        return self.do(lambda connection: sell_cards(self.iot, connection, contract.contract_id, wanted))

    def card(self, index: int) -> IotCard:
        with reading(self.engine) as connection:
            found = find_card(connection, Iccid.parse(an_iccid(index)))
        assert found is not None
        return found

    def line_status(self, line_id: str | None) -> LineStatus:
        with reading(self.engine) as connection:
            line = find_line(connection, line_id or "")
        assert line is not None
        return line.status

    def events(self, kind: str) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(outbox.select().where(outbox.c.type == kind)))


def wanted(index: int, *, imei: int | None = None, session: str | None = None) -> WantedCard:
    return WantedCard(Iccid.parse(an_iccid(index)), an_imei_value(index if imei is None else imei), session)


def stock_table(rows: Sequence[Sequence[str]], heading: str = "iccid,imsi,number") -> bytes:
    return "\n".join([heading, *(",".join(row) for row in rows)]).encode() + b"\n"


def an_iot_shop(folder: Path, url: str | None = None) -> IotShop:
    """An assessed organisation whose handler was proven just now, and a pool for numbers of data cards."""
    enterprise = an_enterprise(folder, url)
    add_block(enterprise.engine, 8614700000000, 8614799999999, kind="data_card")
    registration = RegistrationPolicy.of(enterprise.policy, number_regions=("CN",))
    shop = IotShop(enterprise, registration)
    shop.proven(HANDLER_SESSION, HANDLER)
    shop.assessed()
    return shop
