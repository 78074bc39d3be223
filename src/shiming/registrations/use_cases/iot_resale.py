"""Somebody reports that industry cards were resold: a case, a suspension, a decision, an appeal.

While a case is open nothing new is sold under the contract or to the company, and the card that was named is
stopped. When it is upheld the seller is liable together with whoever used the cards, and a job stops all
lines of the contract. When it is dismissed contract, company and lines are restored.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.errors.iot import resale_allowed, resale_case_closed, resale_case_unknown
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import ContractStatus, IotContract
from shiming.registrations.model.iot_reports import ResaleCase, ResaleState
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.permissions.iot import MayDecideResale, MayReadIot, MayReportIot
from shiming.registrations.store import iot as contracts
from shiming.registrations.store import iot_cards as cards
from shiming.registrations.store import iot_reports as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.use_cases.iot_cards import card_unknown
from shiming.registrations.use_cases.iot_contracts import get_contract, get_organisation, tell
from shiming.registrations.use_cases.organisations import Desk, resume_organisation, suspend_organisation
from shiming.registrations.use_cases.stops import lift_stop, set_stop
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.sim_identifiers import Iccid

WHY = "resale_report"
LINES_AT_ONCE = 100  # stopped in one transaction: each is a leaf and two events
_UNDECIDED = frozenset({ResaleState.OPEN, ResaleState.APPEALED})


@asks(MayReportIot)
def report_resale(
    desk: Desk, connection: Connection, contract_id: str, *, evidence: str, iccid: Iccid | None = None
) -> ResaleCase:
    """Open a case about a contract, or one card of it; `evidence` refers to what was handed in."""
    contract = get_contract(connection, contract_id, for_update=True)
    if desk.policy.iot.resale_allowed.value:
        raise resale_allowed()
    clear = None if iccid is None else iccid.reveal("kept with the case")
    line_id = _line_of(connection, contract, clear)
    case = ResaleCase(
        case_id=desk.tools.privacy.new_reference("RSE"),
        operator=contract.operator,
        organisation=contract.organisation,
        contract=contract_id,
        iccid=clear,
        evidence=evidence,
        state=ResaleState.OPEN,
        reported_at=desk.now,
    )
    store.add_case(connection, case)
    if contract.status is ContractStatus.ACTIVE:
        contracts.set_status(connection, contract, ContractStatus.SUSPENDED)
    organisation = get_organisation(connection, contract.organisation, for_update=True)
    suspend_organisation(desk, connection, organisation, why=WHY)
    if line_id is not None:
        _stop(desk, connection, line_id, case.case_id, StopActor.SYSTEM)
    _tell(desk, connection, events.IOT_RESALE_REPORTED, case, {"line": line_id, "evidence": evidence})
    return case


@asks(MayDecideResale)
def uphold_resale(desk: Desk, connection: Connection, case: ResaleCase, *, by: str) -> ResaleCase:
    """Find that cards were resold: the seller is jointly liable; a job stops the lines of the contract."""
    decided = _decide(
        desk, connection, case, state=ResaleState.UPHELD, decided_by=by, liable=case.organisation
    )
    _tell(desk, connection, events.IOT_RESALE_UPHELD, decided, {"liable": case.organisation})
    return decided


@asks(MayDecideResale)
def dismiss_resale(desk: Desk, connection: Connection, case: ResaleCase, *, by: str) -> ResaleCase:
    """Find that nothing was resold, or that the appeal is right: restore contract, company and lines."""
    decided = _decide(desk, connection, case, state=ResaleState.DISMISSED, decided_by=by, liable=None)
    contract = get_contract(connection, case.contract, for_update=True)
    _tell(desk, connection, events.IOT_RESALE_DISMISSED, decided, {})
    if store.is_under_suspicion(connection, case.organisation):
        return decided  # another case goes on
    if contract.status is ContractStatus.SUSPENDED:
        contracts.set_status(connection, contract, ContractStatus.ACTIVE)
    organisation = get_organisation(connection, case.organisation, for_update=True)
    if organisation.state is OrganisationState.SUSPENDED and organisation.suspended_why == WHY:
        resume_organisation(desk, connection, organisation)
    return decided


@asks(MayReportIot)
def appeal_resale(desk: Desk, connection: Connection, case: ResaleCase, *, appeal: str) -> ResaleCase:
    """Take the company's objection to a decision; `appeal` refers to what it handed in."""
    if case.state is not ResaleState.UPHELD:
        raise resale_case_closed()
    changed = _change(connection, case, state=ResaleState.APPEALED, appeal=appeal)
    _tell(desk, connection, events.IOT_RESALE_APPEALED, changed, {"appeal": appeal})
    return changed


@asks(MayReadIot)
def find_case(connection: Connection, case_id: str, *, for_update: bool = False) -> ResaleCase | None:
    """Return a case by its reference."""
    return store.find_case(connection, case_id, for_update=for_update)


@inside("the terminal decides about one case; over HTTP it is found first")
def get_case(connection: Connection, case_id: str) -> ResaleCase:
    """Return a case, held until the transaction ends; BadInput when there is none."""
    found = store.find_case(connection, case_id, for_update=True)
    if found is None:
        raise resale_case_unknown()
    return found


@inside("a job that follows the decision about a case")
def follow_decision(desk: Desk, engine: Engine, case_id: str) -> int:
    """Stop every line of a contract whose resale was found, or restore them; return how many were changed.

    Again changes nothing: a stop has the case as its reference, and one that is lifted is not lifted again.
    """
    with reading(engine) as connection:
        case = store.find_case(connection, case_id)
    if case is None:
        raise resale_case_unknown()
    changed, after = 0, ""
    while True:
        with reading(engine) as connection:
            batch = cards.lines_under(connection, case.contract, after=after, limit=LINES_AT_ONCE)
        if not batch:
            return changed
        after = batch[-1]
        changed += transact(engine, partial(_follow, desk, case, batch))


def _follow(desk: Desk, case: ResaleCase, lines: tuple[str, ...], connection: Connection) -> int:
    changed = 0
    for line_id in lines:
        line = find_line(connection, line_id)
        if line is None:
            continue
        if case.state is ResaleState.UPHELD:
            changed += _stop(desk, connection, line_id, case.case_id, StopActor.SYSTEM)
        elif case.state is ResaleState.DISMISSED:
            changed += _lift(desk, connection, line_id, case.case_id)
    return changed


def _stop(desk: Desk, connection: Connection, line_id: str, case_id: str, actor: StopActor) -> bool:
    outcome = set_stop(
        desk.tools,
        connection,
        line_id,
        reason=StopReason.FENCE_BROKEN,
        actor=actor,
        reference=case_id,
        now=desk.now,
        policy=desk.policy,
    )
    return getattr(outcome, "repeated", True) is False


def _lift(desk: Desk, connection: Connection, line_id: str, case_id: str) -> bool:
    outcome = lift_stop(
        desk.tools,
        connection,
        line_id,
        reason=StopReason.FENCE_BROKEN,
        actor=StopActor.COMPLIANCE,  # who decided the case
        reference=case_id,
        now=desk.now,
        policy=desk.policy,
    )
    return bool(getattr(outcome, "stops", ()))


def _line_of(connection: Connection, contract: IotContract, iccid: str | None) -> str | None:
    if iccid is None:
        return None
    card = cards.find_cards(connection, [iccid]).get(iccid)
    if card is None or card.contract != contract.contract_id:
        raise card_unknown()
    return card.line_id


def _decide(desk: Desk, connection: Connection, case: ResaleCase, **columns: Any) -> ResaleCase:
    if case.state not in _UNDECIDED:
        raise resale_case_closed()
    return _change(connection, case, decided_at=desk.now, **columns)


def _change(connection: Connection, case: ResaleCase, **columns: Any) -> ResaleCase:
    stored = {**columns, "state": columns["state"].value}
    if not store.change_case(connection, case, **stored):
        raise resale_case_closed()
    return replace(case, version=case.version + 1, **columns)


def _tell(desk: Desk, connection: Connection, kind: str, case: ResaleCase, more: dict[str, Fact]) -> None:
    facts: dict[str, Fact] = {"contract": case.contract, "organisation": case.organisation, **more}
    tell(desk, connection, kind, case.case_id, operator=case.operator, facts=facts)
