"""Assess companies, conclude and end contracts for industry cards."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Channel
from shiming.privacy.model import StagedEvidence
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import keep_staged
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import (
    CARDS_OF_CONTRACT_MAX,
    Assessment,
    AssessmentResult,
    ContractStatus,
    FenceTerms,
    IotContract,
)
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.permissions.iot import MayManageIot, MayReadIot, MayReportIot
from shiming.registrations.rules.iot_contract import (
    ContractAsked,
    ContractFacts,
    ContractRefused,
    decide_iot_contract,
)
from shiming.registrations.rules.organisation_standing import decide_organisation_standing
from shiming.registrations.store import iot as store
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class NewIotContract:
    """What is to be signed with an organisation, by the handler who was proven for it."""

    organisation: str
    scene: str
    cards_max: int
    terms: FenceTerms
    channel: Channel
    resale_clause: bool
    sells_devices: bool = False


@dataclass(frozen=True, slots=True)
class IotRefused:
    """Nothing was done, for all these reasons."""

    refusals: tuple[Refusal, ...]


@asks(MayReportIot)
def keep_paper(desk: Desk, connection: Connection, staged: StagedEvidence) -> str:
    """Keep a picture of a paper - of an assessment, a report, an objection; return its reference."""
    return keep_staged(desk.tools.privacy, connection, staged).evidence_id


@asks(MayManageIot)
def record_assessment(
    desk: Desk,
    connection: Connection,
    organisation_id: str,
    *,
    result: AssessmentResult,
    assessor: str,
    evidence: str,
    assessed_at: datetime | None = None,
) -> Assessment:
    """Record the security assessment of a company; `evidence` and `assessor` are references."""
    organisation = get_organisation(connection, organisation_id)
    assessed_at = assessed_at or desk.now
    if assessed_at > desk.now:
        raise BadInput(
            "ASSESSED_LATER",
            Text(zh="评估时间晚于现在。", en="The assessment is of a time that has not come."),
            Text(zh="请核对时间。", en="Compare the time, and the clock."),
        )
    reference = desk.tools.privacy.new_reference("ASM")
    made = Assessment(
        reference, organisation.operator, organisation_id, result, assessor, evidence, assessed_at
    )
    store.add_assessment(connection, made)
    facts: dict[str, Fact] = {"organisation": organisation_id, "result": result.value, "evidence": evidence}
    tell(desk, connection, events.IOT_ASSESSED, reference, operator=organisation.operator, facts=facts)
    return made


@asks(MayManageIot)
def conclude_contract(desk: Desk, connection: Connection, new: NewIotContract) -> IotContract | IotRefused:
    """Conclude a contract when the company, its assessment, the scene and the way of sale allow it."""
    if not 1 <= new.cards_max <= CARDS_OF_CONTRACT_MAX:
        raise BadInput("CARDS_INVALID", Text(zh="卡数无效。", en="This is no number of cards."))
    organisation = get_organisation(connection, new.organisation, for_update=True)
    standing = decide_organisation_standing(organisation, desk.policy, now=desk.now)
    assessment = store.find_latest_assessment(connection, new.organisation)
    asked = ContractAsked(new.scene, new.terms, new.channel, new.resale_clause)
    facts = ContractFacts(standing.refusals, assessment)
    outcome = decide_iot_contract(asked, facts, desk.policy, now=desk.now)
    if isinstance(outcome, ContractRefused):
        _record_refusal(desk, connection, organisation, outcome.refusals)
        return IotRefused(outcome.refusals)
    contract = IotContract(
        contract_id=desk.tools.privacy.new_reference("THG"),
        operator=organisation.operator,
        organisation=new.organisation,
        scene=new.scene,
        traffic=outcome.traffic,
        cards_max=new.cards_max,
        terms=new.terms,
        channel=new.channel,
        resale_clause=new.resale_clause,
        sells_devices=new.sells_devices,
        handler_session=organisation.handler_session or "",
        assessment=None if assessment is None else assessment.assessment_id,
        status=ContractStatus.ACTIVE,
        signed_at=desk.now,
    )
    store.add_contract(connection, contract)
    told: dict[str, Fact] = {
        "organisation": new.organisation,
        "scene": new.scene,
        "traffic": outcome.traffic.value,
        "cards_max": new.cards_max,
        "assessment": contract.assessment,
    }
    tell(
        desk,
        connection,
        events.IOT_CONTRACT_CONCLUDED,
        contract.contract_id,
        operator=contract.operator,
        facts=told,
    )
    return contract


@asks(MayManageIot)
def end_contract(desk: Desk, connection: Connection, contract: IotContract) -> IotContract:
    """End a contract: nothing more is sold under it, its lines go on. Twice is once."""
    if contract.status is ContractStatus.ENDED:
        return contract
    ended = set_contract_status(connection, contract, ContractStatus.ENDED)
    facts: dict[str, Fact] = {"organisation": contract.organisation}
    tell(
        desk,
        connection,
        events.IOT_CONTRACT_ENDED,
        contract.contract_id,
        operator=contract.operator,
        facts=facts,
    )
    return ended


@asks(MayReadIot)
def find_contract(
    connection: Connection, contract_id: str, *, for_update: bool = False
) -> IotContract | None:
    """Return a contract by its reference."""
    return store.find_contract(connection, contract_id, for_update=for_update)


@asks(MayReadIot)
def list_contracts(
    connection: Connection, operator: str | None, *, after: str | None, limit: int
) -> tuple[IotContract, ...]:
    """Return contracts of an operator, or of all."""
    return store.list_contracts(connection, operator, after=after, limit=limit)


@inside("shared by the verbs about industry cards")
def get_contract(connection: Connection, contract_id: str, *, for_update: bool = False) -> IotContract:
    """Return a contract; BadInput when there is none."""
    found = store.find_contract(connection, contract_id, for_update=for_update)
    if found is None:
        raise contract_unknown()
    return found


@inside("shared by the verbs and the edges")
def contract_unknown() -> BadInput:
    """Return the error for a contract that is not there."""
    return BadInput(
        "IOT_CONTRACT_UNKNOWN",
        Text(zh="没有这个行业卡合同。", en="There is no such contract for industry cards."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


@inside("shared by the verbs about industry cards")
def get_organisation(
    connection: Connection, organisation_id: str, *, for_update: bool = False
) -> Organisation:
    """Return an organisation; BadInput when there is none."""
    found = find_organisation(connection, organisation_id, for_update=for_update)
    if found is None:
        raise BadInput(
            "ORGANISATION_UNKNOWN",
            Text(zh="没有这个单位。", en="There is no such organisation."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return found


@inside("shared by the verbs about industry cards")
def set_contract_status(connection: Connection, contract: IotContract, status: ContractStatus) -> IotContract:
    """Save a status; BadInput when somebody was faster."""
    if not store.set_status(connection, contract, status):
        raise BadInput(
            "VERSION_CHANGED",
            Text(zh="资源已被更改。", en="The resource has changed since you read it."),
            Text(zh="请重新读取后再试。", en="Read it again, then repeat the change."),
        )
    return replace(contract, status=status, version=contract.version + 1)


@inside("shared by the verbs about industry cards")
def tell(
    desk: Desk,
    connection: Connection,
    kind: str,
    subject: str,
    *,
    operator: str,
    facts: Mapping[str, Fact],
) -> None:
    """Write the leaf and the event of one change."""
    leaf = {"subject": subject, "pack": desk.policy.content_hash, **facts}
    record(connection, desk.tools.privacy.keys, kind=kind, facts=leaf, now=desk.now, operator=operator)
    emit(connection, Event(kind, subject, operator, desk.now, facts))


def _record_refusal(
    desk: Desk, connection: Connection, organisation: Organisation, refusals: tuple[Refusal, ...]
) -> None:
    codes = ",".join(refusal.code.value for refusal in refusals)
    facts: dict[str, Fact] = {"organisation": organisation.organisation_id, "codes": codes[:200]}
    record(
        connection,
        desk.tools.privacy.keys,
        kind=events.IOT_CONTRACT_REFUSED,
        facts=facts,
        now=desk.now,
        operator=organisation.operator,
    )
