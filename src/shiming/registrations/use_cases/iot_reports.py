"""Makers of devices report who bought them: proven people, organisations, or nobody yet."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.bulk_rows import BadRow, Column, Row, read_rows
from shiming.infrastructure.database import transact
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.errors.iot import EndUserRefusal
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import CardState, IotCard, IotContract
from shiming.registrations.model.iot_reports import EndUser
from shiming.registrations.model.registration import VERIFIED
from shiming.registrations.permissions.iot import MayReportIot
from shiming.registrations.store import iot_cards as cards
from shiming.registrations.store import iot_reports as store
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.iot_contracts import get_contract, tell
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import BadInput, ShimingError, Text
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.sim_identifiers import Iccid

COLUMNS = (Column("device_serial"), Column("iccid"), Column("buyer", required=False))
BATCH_ROWS = 500
SERIAL_CHARACTERS_MAX = 80
ORGANISATION = "ORG-"


@dataclass(frozen=True, slots=True)
class SoldDevice:
    """A device that a maker sold; `buyer` is a proven session, an organisation, or empty: awaited."""

    device_serial: str
    iccid: Iccid
    buyer: str = ""

    @classmethod
    def parse(cls, device_serial: str, iccid: str, buyer: str = "") -> "SoldDevice":
        """Read one; raise BadInput."""
        if not 1 <= len(device_serial) <= SERIAL_CHARACTERS_MAX:
            raise BadInput("SERIAL_FORMAT", Text(zh="设备序列号无效。", en="This is no serial number."))
        return cls(device_serial, Iccid.parse(iccid), buyer)


@asks(MayReportIot)
def report_end_users(
    desk: Desk, connection: Connection, contract_id: str, sold: list[SoldDevice]
) -> tuple[bool | EndUserRefusal, ...]:
    """Record who bought devices of a maker; for each True (new), False (known) or why it is passed over."""
    contract = get_contract(connection, contract_id)
    if not contract.sells_devices:
        raise BadInput(
            "IOT_NOT_A_MAKER",
            Text(zh="该合同不是设备厂商合同。", en="This contract is not of a maker who sells devices."),
            Text(zh="请核对合同。", en="Compare the contract."),
        )
    iccids = [each.iccid.reveal("lookup") for each in sold]
    known = cards.find_cards(connection, iccids)
    there = store.find_end_users(connection, contract_id, [each.device_serial for each in sold], iccids)
    by_device = {each.device_serial: each for each in there if each.contract == contract_id}
    by_card = {each.iccid: each for each in there}
    outcomes: list[bool | EndUserRefusal] = []
    for each in sold:
        card = known.get(each.iccid.reveal("lookup"))
        user = _end_user(connection, contract, each, card)
        if isinstance(user, EndUser):
            user = _consistent(user, by_device, by_card)
        if isinstance(user, EndUserRefusal):
            outcomes.append(user)
            continue
        former = by_device.get(user.device_serial)
        new = former is None or (user.buyer is not None and former.buyer != user.buyer)
        if new:
            store.put_end_user(connection, user, now=desk.now)
            by_device[user.device_serial] = by_card[user.iccid] = user
        outcomes.append(new)
    _tell_reported(desk, connection, contract, sold, outcomes)
    return tuple(outcomes)


@asks(MayReportIot)
def report_table(
    desk: Desk, engine: Engine, contract_id: str, *, stream: BinaryIO, name: str
) -> ImportReport:
    """Record the end users of a file (CSV or XLSX: device_serial, iccid, buyer); twice is once."""
    report = ImportReport()
    for batch in _batches(stream, name, report):
        work = partial(report_end_users, desk, contract_id=contract_id, sold=list(batch.values()))
        for line, outcome in zip(batch, transact(engine, work), strict=True):
            if isinstance(outcome, EndUserRefusal):
                report.refuse(BadRow(line, "iccid", outcome.value, outcome.words.clerk))
            else:
                report.count(repeated=not outcome)
    return report


def _end_user(
    connection: Connection, contract: IotContract, sold: SoldDevice, card: IotCard | None
) -> EndUser | EndUserRefusal:
    if card is None or card.contract != contract.contract_id:
        return EndUserRefusal.CARD_NOT_OF_CONTRACT
    if card.state is not CardState.SOLD:
        return EndUserRefusal.CARD_RETURNED
    buyer = _buyer(connection, sold.buyer, contract.operator)
    if isinstance(buyer, EndUserRefusal):
        return buyer
    iccid = card.iccid.reveal("kept with the device")
    return EndUser(contract.contract_id, sold.device_serial, iccid, *buyer)


def _buyer(
    connection: Connection, buyer: str, operator: str
) -> tuple[str | None, str | None] | EndUserRefusal:
    """Return who the buyer is, and the session that proves it; neither while the buyer is awaited."""
    if not buyer:
        return None, None
    if buyer.startswith(ORGANISATION):
        organisation = find_organisation(connection, buyer)
        known = organisation is not None and organisation.operator == operator
        return (buyer, None) if known else EndUserRefusal.BUYER_UNKNOWN
    session = find_proven_session(connection, buyer)
    if session is None or session.outcome != VERIFIED or session.operator not in {None, operator}:
        return EndUserRefusal.BUYER_NOT_PROVEN
    return (session.subject, buyer) if session.subject else EndUserRefusal.BUYER_NOT_PROVEN


def _consistent(
    user: EndUser, by_device: Mapping[str, EndUser], by_card: Mapping[str, EndUser]
) -> EndUser | EndUserRefusal:
    """One device, one card - as it was reported before."""
    former = by_device.get(user.device_serial)
    if former is not None and former.iccid != user.iccid:
        return EndUserRefusal.DEVICE_HAS_OTHER_CARD
    other = by_card.get(user.iccid)
    if other is not None and (other.contract, other.device_serial) != (user.contract, user.device_serial):
        return EndUserRefusal.CARD_IN_OTHER_DEVICE
    return user


def _batches(stream: BinaryIO, name: str, report: ImportReport) -> Iterator[dict[int, SoldDevice]]:
    batch: dict[int, SoldDevice] = {}
    for row in read_rows(stream, name, COLUMNS):
        read = _read(row) if isinstance(row, Row) else row
        if isinstance(read, BadRow):
            report.refuse(read)
            continue
        batch[row.line] = read
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = {}
    if batch:
        yield batch


def _read(row: Row) -> SoldDevice | BadRow:
    try:
        return SoldDevice.parse(row.cells["device_serial"], row.cells["iccid"], row.cells["buyer"])
    except ShimingError as problem:
        column = "device_serial" if problem.code == "SERIAL_FORMAT" else "iccid"
        return BadRow.of(row, column, problem)


def _tell_reported(
    desk: Desk,
    connection: Connection,
    contract: IotContract,
    sold: list[SoldDevice],
    outcomes: list[bool | EndUserRefusal],
) -> None:
    new = [each for each, outcome in zip(sold, outcomes, strict=True) if outcome is True]
    if not new:
        return
    serials = "\n".join(sorted(each.device_serial for each in new))
    facts: dict[str, Fact] = {
        "devices": len(new),
        "awaited": sum(not each.buyer for each in new),
        "serials": f"sha256:{hashlib.sha256(serials.encode()).hexdigest()}",
    }
    tell(
        desk,
        connection,
        events.IOT_END_USERS_REPORTED,
        contract.contract_id,
        operator=contract.operator,
        facts=facts,
    )
