"""Sell industry cards under a contract, one by one or from a table, and take them back.

Cards of small traffic are opened with the proof of the company's handler; a card with general traffic with
the proof of its actual user, one session a card. What cannot be sold is told apart and stops no other card.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.bulk_rows import BadRow, Column, Row, read_rows
from shiming.infrastructure.database import transact
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import IotCard
from shiming.registrations.permissions.iot import MayManageIot, MayReadIot
from shiming.registrations.store import iot_cards as store
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.iot_contracts import IotRefused, get_contract, get_organisation, tell
from shiming.registrations.use_cases.iot_sale import (
    Allowed,
    Batch,
    CardSold,
    IotDesk,
    WantedCard,
    counter_of_user,
    decide_card,
    open_cards,
    read_batch,
)
from shiming.registrations.use_cases.lines import terminate_line
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import BadInput, ShimingError, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.sim_identifiers import Iccid, Imei

T = TypeVar("T")
LINE_ENDED = "line_ended"
COLUMNS = (Column("iccid"), Column("imei", required=False), Column("session", required=False))
BATCH_ROWS = 50  # each row is a whole registration: half a second, while other writers of SQLite wait


@asks(MayManageIot)
def sell_cards(
    iot: IotDesk,
    connection: Connection,
    contract_id: str,
    wanted: Sequence[WantedCard],
    *,
    handler_session: str | None = None,
) -> tuple[CardSold | IotRefused, ...]:
    """Sell cards under a contract; one outcome for each that is wanted, in order.

    `handler_session`: a fresh proof of the handler, which lines of small traffic are opened with; without it
    that of the contract.
    """
    #  (1) the contract is held, so that its count stays right  (2) the rules say of each card whether it goes
    #  (3) lines are opened, cards leave the stock, the network gets the fences  (4) one leaf, one event
    contract = get_contract(connection, contract_id, for_update=True)
    organisation = get_organisation(connection, contract.organisation)
    session = handler_session or contract.handler_session
    batch = read_batch(iot, connection, contract, organisation, wanted, handler_session=session)
    sell = _one_by_one if batch.needs_actual_user else _together
    outcomes = tuple(sell(batch, wanted))
    _tell_sold(batch, [each.card for each in outcomes if isinstance(each, CardSold) and not each.repeated])
    return outcomes


@asks(MayManageIot)
def sell_table(
    iot: IotDesk,
    engine: Engine,
    contract_id: str,
    *,
    stream: BinaryIO,
    name: str,
    handler_session: str | None = None,
) -> ImportReport:
    """Sell the cards of a file (CSV or XLSX: iccid, imei, session); the same file again changes nothing."""
    report = ImportReport()
    for batch in _batches(stream, name, report):
        work = partial(
            sell_cards,
            iot,
            contract_id=contract_id,
            wanted=list(batch.values()),
            handler_session=handler_session,
        )
        outcomes = once_more(partial(transact, engine, work))
        for line, outcome in zip(batch, outcomes, strict=True):
            _report(report, line, outcome)
    return report


@asks(MayManageIot)
def return_card(iot: IotDesk, connection: Connection, iccid: Iccid, *, why: str) -> IotCard:
    """Take a sold card back: its line ends, its device and the place of its user are free. Twice is once."""
    clear = iccid.reveal("lookup")
    card = store.find_cards(connection, [clear], for_update=True).get(clear)
    if card is None:
        raise card_unknown()
    if _take_back(iot.desk, connection, card, why=why) and card.line_id is not None:
        terminate_line(
            iot.desk.tools,
            connection,
            card.line_id,
            why=why,
            policy=iot.registration,
            now=iot.desk.now,
        )
    return store.find_cards(connection, [clear])[clear]


@inside("a job that follows the end of a line")
def follow_termination(desk: Desk, connection: Connection, line_id: str) -> bool:
    """Take the card of a line back that ended in another way; False when it had none, or is back already."""
    card = store.find_card_of_line(connection, line_id)
    return card is not None and _take_back(desk, connection, card, why=LINE_ENDED)


@asks(MayReadIot)
def find_card(connection: Connection, iccid: Iccid) -> IotCard | None:
    """Return a card; None when it was never in the stock."""
    clear = iccid.reveal("lookup")
    return store.find_cards(connection, [clear]).get(clear)


@inside("the edges open the transaction of a sale")
def once_more(sale: Callable[[], T]) -> T:
    """Run a sale again when another one took a device meanwhile: then that is seen, and refused."""
    try:
        return sale()
    except IntegrityError:  # the unique key of devices
        return sale()


@inside("shared by the verbs about industry cards")
def card_unknown() -> BadInput:
    """Return the error for a card that was never in the stock."""
    return BadInput(
        "IOT_CARD_UNKNOWN",
        Text(zh="没有这张行业卡。", en="There is no such industry card."),
        Text(zh="请核对ICCID，或先导入库存。", en="Compare the ICCID, or import the card first."),
    )


def _take_back(desk: Desk, connection: Connection, card: IotCard, *, why: str) -> bool:
    if not store.take_back(connection, card.iccid.reveal("lookup"), now=desk.now):
        return False
    contract = get_contract(connection, card.contract or "")
    counter = counter_of_user(contract, desk, card.actual_user)
    if counter is not None:
        store.free_place_of_user(connection, counter)
    facts: dict[str, Fact] = {"contract": card.contract, "line": card.line_id, "why": why}
    subject = card.line_id or contract.contract_id
    tell(desk, connection, events.IOT_CARD_RETURNED, subject, operator=card.operator, facts=facts)
    return True


def _together(batch: Batch, wanted: Sequence[WantedCard]) -> Iterator[CardSold | IotRefused]:
    """Sell all cards with one proof of the handler."""
    decided = [decide_card(batch, each) for each in wanted]
    opened = iter(open_cards(batch, [each for each in decided if isinstance(each, Allowed)]))
    yield from (next(opened) if isinstance(each, Allowed) else each for each in decided)


def _one_by_one(batch: Batch, wanted: Sequence[WantedCard]) -> Iterator[CardSold | IotRefused]:
    """Sell each card with the proof of its own user, counted before the next one is decided."""
    for each in wanted:
        decided = decide_card(batch, each)
        yield from open_cards(batch, [decided]) if isinstance(decided, Allowed) else [decided]


def _tell_sold(batch: Batch, sold: Sequence[IotCard]) -> None:
    if not sold:
        return
    iccids = "\n".join(sorted(card.iccid.reveal("hashed") for card in sold))
    facts: dict[str, Fact] = {
        "cards": len(sold),
        "iccids": f"sha256:{hashlib.sha256(iccids.encode()).hexdigest()}",
    }
    contract = batch.contract
    tell(
        batch.iot.desk,
        batch.connection,
        events.IOT_CARDS_SOLD,
        contract.contract_id,
        operator=contract.operator,
        facts=facts,
    )


def _batches(stream: BinaryIO, name: str, report: ImportReport) -> Iterator[dict[int, WantedCard]]:
    batch: dict[int, WantedCard] = {}
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


def _read(row: Row) -> WantedCard | BadRow:
    column = "iccid"
    try:
        iccid = Iccid.parse(row.cells["iccid"])
        column = "imei"
        imei = Imei.parse(row.cells["imei"]) if row.cells["imei"] else None
        return WantedCard(iccid, imei, row.cells["session"] or None)
    except ShimingError as problem:
        return BadRow.of(row, column, problem)


def _report(report: ImportReport, line: int, outcome: CardSold | IotRefused) -> None:
    if isinstance(outcome, CardSold):
        report.count(repeated=outcome.repeated)
        return
    first = outcome.refusals[0]
    report.refuse(BadRow(line, "iccid", first.code.value, first.words.clerk))
