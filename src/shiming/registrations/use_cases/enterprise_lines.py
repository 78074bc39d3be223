"""Contracts of organisations, the lines under them, and what follows when a user leaves."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Channel, EntryKind, EntryRequirement, StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.enterprise_lines import ActualUserRefusal
from shiming.registrations.events import enterprise_lines as events
from shiming.registrations.model.enterprise_lines import (
    LINES_CONFIRMED_MAX,
    EnterpriseContract,
    EnterpriseLine,
    EnterpriseLineState,
    EnterpriseRefused,
    LineUse,
)
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.model.stops import StopSet
from shiming.registrations.permissions.enterprise_lines import (
    MayManageEnterpriseLines,
    MayReadEnterpriseLines,
)
from shiming.registrations.rules.actual_users import decide_exit
from shiming.registrations.rules.organisation_standing import decide_organisation_standing
from shiming.registrations.store import enterprise_lines as store
from shiming.registrations.store.actual_user_links import close_links
from shiming.registrations.store.numbers import release
from shiming.registrations.store.terms import find_terms
from shiming.registrations.use_cases.lines import terminate_line
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.stops import set_stop
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid

CONTRACT = "ENT"
RETURNED = "returned_by_organisation"
OVERDUE_AT_ONCE = 200  # lines of one transaction of the job


@asks(MayManageEnterpriseLines)
def make_contract(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    *,
    lines: int,
    terms_version: str | None,
    language: str = "zh",
) -> EnterpriseContract | EnterpriseRefused:
    """Make a contract for so many lines; nothing can be entered beyond.

    Where the pack wants the customer to confirm what is opened, it begins with none: the handler confirms the
    total by a code (`contract_confirmations`), and again when it grows.
    """
    if not 0 < lines <= LINES_CONFIRMED_MAX:
        raise BadInput(
            "LINES_CONFIRMED_RANGE",
            Text(zh=f"线路数应为1至{LINES_CONFIRMED_MAX}。", en=f"One to {LINES_CONFIRMED_MAX} lines."),
        )
    by_code = EntryRequirement.CONFIRMATION in desk.policy.entries[EntryKind.OPEN].requirements.value
    standing = decide_organisation_standing(organisation, desk.policy, now=desk.now)
    if standing.refusals or organisation.handler_session is None:
        return EnterpriseRefused(standing.refusals)
    contract = EnterpriseContract(
        contract_id=desk.tools.privacy.new_reference(CONTRACT),
        operator=organisation.operator,
        organisation=organisation.organisation_id,
        handler_session=organisation.handler_session,
        lines_confirmed=0 if by_code else lines,
        created_at=desk.now,
        terms=_accepted(desk, connection, organisation.operator, terms_version, language),
    )
    store.add_contract(connection, contract)
    facts: dict[str, Fact] = {
        "lines": lines,
        "confirmed": contract.lines_confirmed,
        "session": contract.handler_session,
        "terms": terms_version,
    }
    tell(desk, connection, contract, events.ENTERPRISE_CONTRACT_MADE, facts)
    return contract


@asks(MayReadEnterpriseLines)
def find_contract(
    connection: Connection, contract_id: str, *, for_update: bool = False
) -> EnterpriseContract | None:
    """Return a contract by its reference."""
    return store.find_contract(connection, contract_id, for_update=for_update)


@asks(MayReadEnterpriseLines)
def list_contracts(
    connection: Connection, organisation: str, *, limit: int
) -> tuple[EnterpriseContract, ...]:
    """Return the contracts of an organisation, the latest first."""
    return store.list_contracts(connection, organisation, limit=limit)


@asks(MayReadEnterpriseLines)
def list_lines(
    connection: Connection,
    contract_id: str,
    *,
    state: EnterpriseLineState | None = None,
    after: str | None = None,
    limit: int,
) -> tuple[EnterpriseLine, ...]:
    """Return lines of a contract in the order of their numbers."""
    return store.list_lines(connection, contract_id, state=state, after=after, limit=limit)


@asks(MayReadEnterpriseLines)
def list_uses(connection: Connection, contract_id: str, number: str) -> tuple[LineUse, ...]:
    """Return who used a line of a contract from when to when, first to last."""
    line = store.find_line(connection, number)
    if line is None or line.contract_id != contract_id or line.line_id is None:
        return ()
    return store.list_uses(connection, line.line_id)


@asks(MayManageEnterpriseLines)
def name_card(
    desk: Desk, connection: Connection, contract: EnterpriseContract, number: str, card: Iccid
) -> EnterpriseLine | EnterpriseRefused:
    """Say which card goes with a line that awaits its first user."""
    line = _held(connection, contract, number)
    citation = desk.policy.enterprise.link_days.citation
    if line is None or not line.kind.has_sim:
        return EnterpriseRefused((Refusal(ActualUserRefusal.LINE_UNKNOWN, citation),))
    if line.state is not EnterpriseLineState.AWAITING:
        return EnterpriseRefused((Refusal(ActualUserRefusal.LINE_HAS_USER, citation),))
    iccid = card.reveal("kept with its line")
    store.change_line(connection, number, iccid=iccid)
    tell(desk, connection, contract, events.ENTERPRISE_CARD_NAMED, {"cards": 1})
    return replace(line, iccid=iccid)


@asks(MayManageEnterpriseLines)
def record_exit(
    desk: Desk, connection: Connection, contract: EnterpriseContract, number: str
) -> EnterpriseLine | EnterpriseRefused:
    """Record that the user of a line has left: the clock runs until the next one is proven."""
    line = _held(connection, contract, number)
    refusals = decide_exit(line.state if line else None, desk.policy)
    if line is None or line.line_id is None or refusals:
        return EnterpriseRefused(refusals)
    until = desk.now + timedelta(days=desk.policy.enterprise.exit_days.value)
    store.end_use(connection, line.line_id, desk.now)
    columns = {"state": EnterpriseLineState.VACATED.value, "vacated_until": until}
    store.change_line(connection, number, session_id=None, subject=None, **columns)
    facts: dict[str, Fact] = {"line": line.line_id, "session": line.session_id, "until": until.isoformat()}
    tell(desk, connection, contract, events.ACTUAL_USER_LEFT, facts)
    return replace(
        line, state=EnterpriseLineState.VACATED, vacated_until=until, session_id=None, subject=None
    )


@asks(MayManageEnterpriseLines)
def return_line(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    number: str,
    *,
    registration: RegistrationPolicy,
) -> EnterpriseLine | EnterpriseRefused:
    """Give a line back: a registered one ends, a number that was only kept is free again."""
    held = store.find_contract(connection, contract.contract_id, for_update=True)
    line = _held(connection, contract, number)
    if held is None or line is None:
        citation = desk.policy.enterprise.exit_days.citation
        return EnterpriseRefused((Refusal(ActualUserRefusal.LINE_UNKNOWN, citation),))
    if line.line_id is None:
        release(connection, number, operator=line.operator, held_for=line.organisation)
    else:
        terminate_line(desk.tools, connection, line.line_id, why=RETURNED, policy=registration, now=desk.now)
    _forget(desk, connection, held, line)
    tell(desk, connection, contract, events.ENTERPRISE_LINE_RETURNED, {"line": line.line_id})
    return line


@inside("the job that follows the end of a line, however it ended")
def follow_termination(desk: Desk, connection: Connection, line_id: str) -> bool:
    """Take a line that has ended out of its contract; True when it was in one."""
    line = store.find_line_by_id(connection, line_id)
    contract = store.find_contract(connection, line.contract_id, for_update=True) if line else None
    if line is None or contract is None:
        return False
    _forget(desk, connection, contract, line)
    return True


@inside("the clock of users who left runs by itself")
def stop_overdue_lines(desk: Desk, connection: Connection) -> int:
    """Stop lines whose next user was not proven in time; return how many were looked at."""
    overdue = store.list_vacated(connection, desk.now, OVERDUE_AT_ONCE)
    for line in overdue:
        held = store.find_line(connection, line.number, for_update=True)
        if held is None or held.line_id is None or held.vacated_until != line.vacated_until:
            continue
        outcome = set_stop(
            desk.tools,
            connection,
            held.line_id,
            reason=StopReason.ACTUAL_USER_LEFT,
            actor=StopActor.SYSTEM,
            reference=held.contract_id,
            now=desk.now,
            policy=desk.policy,
        )
        store.change_line(connection, held.number, vacated_until=None)
        contract = store.find_contract(connection, held.contract_id)
        if contract is not None:
            facts: dict[str, Fact] = {"line": held.line_id, "stopped": isinstance(outcome, StopSet)}
            tell(desk, connection, contract, events.ACTUAL_USER_OVERDUE, facts)
    return len(overdue)


@inside("shared by the verbs about lines of organisations")
def tell(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    event: str,
    facts: dict[str, Fact],
) -> None:
    """Write the leaf and the event of what happened under a contract."""
    reference, operator = contract.contract_id, contract.operator
    leaf = {"contract": reference, "organisation": contract.organisation, **facts}
    record(connection, desk.tools.privacy.keys, kind=event, facts=leaf, now=desk.now, operator=operator)
    told = {name: fact for name, fact in facts.items() if name != "subject"}
    emit(connection, Event(event, reference, operator, desk.now, told))


def _held(connection: Connection, contract: EnterpriseContract, number: str) -> EnterpriseLine | None:
    line = store.find_line(connection, number, for_update=True)
    return line if line is not None and line.contract_id == contract.contract_id else None


def _forget(desk: Desk, connection: Connection, contract: EnterpriseContract, line: EnterpriseLine) -> None:
    """Take a line out of its contract; who used it stays on record."""
    if line.line_id is not None:
        store.end_use(connection, line.line_id, desk.now)
    close_links(connection, (line.number,), desk.now)
    store.remove_line(connection, line.number)
    store.change_contract(connection, contract.contract_id, lines_entered=contract.lines_entered - 1)


def _accepted(
    desk: Desk, connection: Connection, operator: str, version: str | None, language: str
) -> TermsAcceptance | None:
    if version is None:
        return None
    found = find_terms(connection, operator, version)
    if found is None:
        raise BadInput(
            "TERMS_UNKNOWN",
            Text(zh="没有这个版本的服务条款。", en="There is no such version of the terms."),
            details={"version": version},
        )
    return TermsAcceptance(version, found.content_hash, desk.now, Channel.SHOP, language)
