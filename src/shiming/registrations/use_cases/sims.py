"""The stock of cards: bring cards in, put one into a line, replace it, say when it was changed."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import BinaryIO

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.bulk_rows import BadRow, Column, Row, read_rows
from shiming.infrastructure.database import transact
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.events.sims import SIM_ASSIGNED, SIM_REPLACED, SIMS_ADDED
from shiming.registrations.model.lines import Line, SimForm
from shiming.registrations.model.numbers import read_operator
from shiming.registrations.model.sims import (
    NewSim,
    Sim,
    SimAssigned,
    SimChange,
    SimRefused,
    SimReplaced,
    SimUse,
)
from shiming.registrations.permissions.registration import MayReadRegistration, MayRegisterLine
from shiming.registrations.permissions.sims import MayManageSims, MayReadSims
from shiming.registrations.rules.sims import decide_card
from shiming.registrations.rules.stops import no_rule
from shiming.registrations.store import orders as order_store
from shiming.registrations.store import sims as store
from shiming.registrations.store.stops import lock_line
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, ShimingError, Text, Unavailable
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid, Imsi

BATCH_ROWS = 1000  # as of number blocks
COLUMNS = (Column("iccid"), Column("imsi"), Column("form", required=False), Column("operator"))


@asks(MayManageSims)
def import_sims(
    tools: RegistrationTools,
    engine: Engine,
    stream: BinaryIO,
    name: str,
    *,
    operator: str | None,
    now: datetime,
) -> ImportReport:
    """Take in a CSV or XLSX of cards (iccid, imsi, form, operator); the same file again changes nothing.

    `operator` None: of any operator. Raises BadInput for what is no such table.
    """
    report = ImportReport()
    rows = read_rows(stream, name, COLUMNS)
    while batch := list(islice(rows, BATCH_ROWS)):
        good: list[tuple[Row, NewSim]] = []
        for row in batch:
            card = row if isinstance(row, BadRow) else _new_sim(row, operator)
            if isinstance(card, BadRow):
                report.refuse(card)
            elif isinstance(row, Row):
                good.append((row, card))
        for outcome in transact(engine, partial(_take_in, tools, good, now)):
            if isinstance(outcome, BadRow):
                report.refuse(outcome)
            else:
                report.count(repeated=outcome)
    return report


@asks(MayRegisterLine)
def assign_sim(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    iccid: Iccid,
    *,
    now: datetime,
    policy: Policy,
) -> SimAssigned | SimRefused:
    """Put the first card into a line; the same one again changes nothing."""
    line, uses = _line(connection, line_id)
    present = _present(uses)
    if present is not None and present.iccid == iccid:
        return SimAssigned(present, repeated=True)
    card = store.find_sim(connection, iccid)
    refusals = decide_card(line, card, present, replacing=False, citation=no_rule(policy))
    if refusals or card is None:
        return SimRefused(refusals)
    if not store.hold_for_line(connection, iccid, line, session_id=line.session_id, now=now):
        return _taken(policy)
    use = _put_in(connection, line, card, uses, now=now)
    _tell(tools, connection, SIM_ASSIGNED, card, use, now=now)
    return SimAssigned(use)


@asks(MayRegisterLine)
def replace_sim(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    iccid: Iccid,
    *,
    now: datetime,
    policy: Policy,
    session_id: str | None = None,
) -> SimReplaced | SimAssigned | SimRefused:
    """Put another card into a line and retire the one before; the present one again changes nothing.

    Whoever calls has proven the holder anew, in the session that ordered the card; this only moves cards.
    """
    line, uses = _line(connection, line_id)
    present = _present(uses)
    if present is not None and present.iccid == iccid:
        return SimAssigned(present, repeated=True)
    card = store.find_sim(connection, iccid)
    refusals = decide_card(line, card, present, replacing=True, citation=no_rule(policy))
    if refusals or card is None or present is None:
        return SimRefused(refusals)
    if not store.hold_for_line(connection, iccid, line, session_id=session_id or line.session_id, now=now):
        return _taken(policy)
    store.end_uses(connection, line, at=now)
    use = _put_in(connection, line, card, uses, now=now)
    _tell(tools, connection, SIM_REPLACED, card, use, now=now)
    return SimReplaced(use, present)


@inside("a listener puts in the card that was ordered, when the line is registered")
def assign_ordered_sim(
    tools: RegistrationTools, connection: Connection, line_id: str, *, policy: Policy
) -> SimAssigned | SimRefused | None:
    """Put the card of its order into a new line, since its registration; None: no card was ordered.

    An operator that keeps its stock elsewhere names the card in the order only: it comes into ours with it.
    """
    line, _ = _line(connection, line_id)
    order = order_store.find_order(connection, line.session_id)
    if order is None or order.iccid is None:
        return None
    iccid = Iccid.parse(order.iccid)
    if order.imsi is not None:
        card = NewSim(iccid, line.operator, Imsi.parse(order.imsi), order.sim_form or SimForm.PHYSICAL)
        store.add_sims(connection, [card], line.registered_at)
    return assign_sim(tools, connection, line_id, iccid, now=line.registered_at, policy=policy)


@asks(MayReadRegistration)
def swap_date(connection: Connection, line_id: str) -> SimChange | None:
    """Return when the card of a line was last changed; None: the line has, or had, no card."""
    uses = store.uses_of(connection, line_id)
    return SimChange(uses[-1].since, swapped=len(uses) > 1) if uses else None


@asks(MayReadRegistration)
def sims_of_line(connection: Connection, line_id: str) -> tuple[SimUse, ...]:
    """Return the cards that a line has and had, oldest first."""
    return store.uses_of(connection, line_id)


@asks(MayReadSims)
def find_sim(connection: Connection, iccid: Iccid) -> Sim | None:
    """Return a card."""
    return store.find_sim(connection, iccid)


def _line(connection: Connection, line_id: str) -> tuple[Line, tuple[SimUse, ...]]:
    line = lock_line(connection, line_id)
    if line is None:
        raise BadInput("LINE_UNKNOWN", Text(zh="没有这条登记。", en="There is no such line."))
    return line, store.uses_of(connection, line_id)


def _present(uses: Sequence[SimUse]) -> SimUse | None:
    return uses[-1] if uses and uses[-1].until is None else None


def _taken(policy: Policy) -> SimRefused:
    """Refuse a card that an order has named, or that another line has."""
    return SimRefused((Refusal(OrderRefusal.SIM_TAKEN, no_rule(policy)),))


def _put_in(
    connection: Connection, line: Line, card: Sim, uses: Sequence[SimUse], *, now: datetime
) -> SimUse:
    if not store.take(connection, card, line):
        raise Unavailable(
            "SIM_CHANGED",
            Text(zh="这张卡刚被他人使用。", en="Somebody else has just taken this card."),
            Text(zh="请重试。", en="Try again; nothing was written."),
        )
    use = SimUse(line.line_id, line.operator, len(uses) + 1, card.iccid, now)
    store.add_use(connection, use)
    return use


def _tell(
    tools: RegistrationTools, connection: Connection, kind: str, card: Sim, use: SimUse, *, now: datetime
) -> None:
    told: dict[str, str | int | bool | None] = {
        "line": use.line_id,
        "position": use.position,
        "form": card.form.value,
    }
    emit(connection, Event(kind, use.line_id, use.operator, now, told))
    facts: dict[str, Fact] = {**told}
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=use.operator)


def _take_in(
    tools: RegistrationTools, rows: Sequence[tuple[Row, NewSim]], now: datetime, connection: Connection
) -> list[bool | BadRow]:
    """Write the new cards of a batch; return for each row whether it was there already, or what is wrong."""
    iccids = [card.iccid.reveal("import") for _, card in rows]
    before = store.find_sims(connection, iccids)
    store.add_sims(connection, [card for _, card in rows if card.iccid.reveal("import") not in before], now)
    after = store.find_sims(connection, iccids)
    outcomes: list[bool | BadRow] = []
    seen = set(before)
    added = dict.fromkeys({card.operator for _, card in rows}, 0)
    for (row, card), iccid in zip(rows, iccids, strict=True):
        found = after.get(iccid)
        if found is None:
            outcomes.append(_bad(row, "imsi", "IMSI_TAKEN", "该IMSI已属于另一张卡。", "Another card has it."))
        elif (found.operator, found.imsi, found.form) != (card.operator, card.imsi, card.form):
            outcomes.append(
                _bad(row, "iccid", "SIM_DIFFERS", "库存中此卡的内容不同。", "It differs in stock.")
            )
        else:
            outcomes.append(iccid in seen)
            added[card.operator] += iccid not in seen
            seen.add(iccid)
    for operator, count in sorted(added.items()):
        if count:
            emit(connection, Event(SIMS_ADDED, "", operator, now, {"count": count}))
            facts: dict[str, Fact] = {"count": count}
            record(connection, tools.privacy.keys, kind=SIMS_ADDED, facts=facts, now=now, operator=operator)
    return outcomes


def _new_sim(row: Row, operator: str | None) -> NewSim | BadRow:
    column = "iccid"
    try:
        iccid = Iccid.parse(row.cells["iccid"])
        column = "imsi"
        imsi = Imsi.parse(row.cells["imsi"])
        column = "form"
        form = _form(row.cells["form"])
        column = "operator"
        of = read_operator(row.cells["operator"])
        if operator not in {None, of}:
            raise BadInput(
                "OTHER_OPERATOR",
                Text(zh="不能代其他企业导入。", en="You may not do this for another operator."),
            )
    except ShimingError as problem:
        return BadRow.of(row, column, problem)
    return NewSim(iccid, of, imsi, form)


def _form(text: str) -> SimForm:
    try:
        return SimForm(text or SimForm.PHYSICAL)
    except ValueError:
        raise BadInput(
            "SIM_FORM_UNKNOWN",
            Text(zh="卡类型应为 physical 或 esim。", en="The form is physical or esim."),
        ) from None


def _bad(row: Row, column: str, code: str, zh: str, en: str) -> BadRow:
    return BadRow(row.line, column, code, Text(zh=zh, en=en))
