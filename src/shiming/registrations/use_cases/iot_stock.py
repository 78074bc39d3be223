"""Take industry cards into the stock of an operator, from a table: twice is once, bad rows stop nobody."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.bulk_rows import BadRow, Column, Row, read_rows
from shiming.infrastructure.database import transact
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import IotCard
from shiming.registrations.model.lines import SimForm
from shiming.registrations.model.numbers import read_operator
from shiming.registrations.model.sims import NewSim, SimState
from shiming.registrations.permissions.iot import MayManageIot
from shiming.registrations.store import iot_cards as store
from shiming.registrations.store import sims
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.iot_contracts import tell
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import ShimingError, Text
from shiming.vocabulary.msisdn import Msisdn, NumberSeries
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.sim_identifiers import Iccid, Imsi

COLUMNS = (Column("iccid"), Column("imsi"), Column("number"))
BATCH_ROWS = 1000  # one transaction: some tens of milliseconds
_TAKEN = Text(
    zh="该ICCID、IMSI或号码已属于另一张卡。", en="This ICCID, IMSI or number belongs to another card already."
)


@dataclass(frozen=True, slots=True)
class _Plan:
    region: str | None
    also: tuple[NumberSeries, ...]


@asks(MayManageIot)
def import_stock(
    desk: Desk,
    engine: Engine,
    *,
    operator: str,
    stream: BinaryIO,
    name: str,
    region: str | None = None,
) -> ImportReport:
    """Take the cards of a file (CSV, XLSX: iccid, imsi, number) into the stock; report what was not."""
    read_operator(operator)
    report = ImportReport()
    plan = _Plan(region, desk.policy.numbering.series)
    for batch in _batches(stream, name, operator, plan, report):
        transact(engine, partial(_take_in, desk, operator, batch, report))
    return report


def _batches(
    stream: BinaryIO, name: str, operator: str, plan: _Plan, report: ImportReport
) -> Iterator[dict[int, IotCard]]:
    batch: dict[int, IotCard] = {}
    for row in read_rows(stream, name, COLUMNS):
        read = _read(row, operator, plan) if isinstance(row, Row) else row
        if isinstance(read, BadRow):
            report.refuse(read)
            continue
        batch[row.line] = read
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = {}
    if batch:
        yield batch


def _read(row: Row, operator: str, plan: _Plan) -> IotCard | BadRow:
    column = ""
    try:
        column = "iccid"
        iccid = Iccid.parse(row.cells[column])
        column = "imsi"
        imsi = Imsi.parse(row.cells[column])
        column = "number"
        return IotCard(iccid, imsi, Msisdn.parse(row.cells[column], plan.region, also=plan.also), operator)
    except ShimingError as problem:
        return BadRow.of(row, column, problem)


def _take_in(
    desk: Desk, operator: str, batch: dict[int, IotCard], report: ImportReport, connection: Connection
) -> None:
    """Write a batch; what cannot be written is the same card, or a part of it belongs to another one."""
    by_iccid = {card.iccid.reveal("lookup"): line for line, card in reversed(batch.items())}
    singles = {line: batch[line] for line in sorted(by_iccid.values())}
    added = store.add_cards(connection, list(singles.values()), now=desk.now)
    added -= _known_otherwise(connection, [singles[by_iccid[iccid]] for iccid in added], desk.now)
    there = store.find_cards(connection, by_iccid)
    outcomes: list[BadRow | bool] = []
    for line, card in batch.items():
        iccid = card.iccid.reveal("lookup")
        if iccid in added and by_iccid[iccid] == line:
            outcomes.append(False)
        elif iccid in there and _is_same(there[iccid], card):
            outcomes.append(True)
        else:
            outcomes.append(BadRow(line, "iccid", "CARD_EXISTS", _TAKEN))
    if added:
        _tell(desk, connection, operator, sorted(added))
    for outcome in outcomes:  # counted last: a transaction that is run again counts once
        if isinstance(outcome, BadRow):
            report.refuse(outcome)
        else:
            report.count(repeated=outcome)


def _known_otherwise(connection: Connection, cards: list[IotCard], now: datetime) -> frozenset[str]:
    """Put new cards into the stock of all cards too; those that are something else there go out of ours."""
    form = SimForm.PHYSICAL
    sims.add_sims(connection, [NewSim(card.iccid, card.operator, card.imsi, form) for card in cards], now)
    known = sims.find_sims(connection, [card.iccid.reveal("lookup") for card in cards])
    wrong = frozenset(
        iccid
        for iccid, card in ((card.iccid.reveal("lookup"), card) for card in cards)
        if iccid not in known
        or (known[iccid].imsi, known[iccid].operator) != (card.imsi, card.operator)
        or known[iccid].state is not SimState.STOCK
    )
    if wrong:
        store.remove_from_stock(connection, wrong)
    return wrong


def _is_same(there: IotCard, card: IotCard) -> bool:
    return (there.imsi, there.number, there.operator) == (card.imsi, card.number, card.operator)


def _tell(desk: Desk, connection: Connection, operator: str, iccids: list[str]) -> None:
    digest = hashlib.sha256("\n".join(iccids).encode()).hexdigest()
    facts: dict[str, Fact] = {"cards": len(iccids), "iccids": f"sha256:{digest}"}
    tell(desk, connection, events.IOT_CARDS_IMPORTED, operator, operator=operator, facts=facts)
