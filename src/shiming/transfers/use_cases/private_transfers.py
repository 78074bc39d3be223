"""Lines that were sold, rented out, lent or resold: reported, assessed, sanctioned or dismissed, appealed."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Policy, StopActor
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.notices import NewNotice
from shiming.registrations.model.stops import StopRefused
from shiming.registrations.use_cases.notices import queue_notice
from shiming.registrations.use_cases.stops import lift_stop, set_stop
from shiming.transfers.events.transfers import CASE_CHANGED, CASE_OPENED, CASE_REPORTED_AGAIN
from shiming.transfers.model.notice_texts import LINE_SANCTIONED
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.private_transfer import (
    CaseState,
    CaseStep,
    PrivateTransferKind,
    Reported,
    Sanction,
    TransferCase,
)
from shiming.transfers.permissions.transfers import MayDecideTransfer, MayReadTransfer, MayTransfer
from shiming.transfers.rules.private_transfer import decide_case_step, decide_report, decide_sanction
from shiming.transfers.store import cases as store
from shiming.transfers.use_cases.deciding import get_held, note
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.permissions import asks

_REFERENCE = "TRC"
_LOOKS_MAX = 3  # a case that ends between two looks


@asks(MayTransfer)
def report_private_transfer(
    tools: TransferTools,
    connection: Connection,
    line_id: str,
    kind: PrivateTransferKind,
    *,
    reporter: str,
    policy: Policy,
    now: datetime,
) -> Reported | TransferRefused:
    """Open a case about a line, or join the one that runs; the same reporter twice is one report.

    `reporter` is a reference: of a member of staff, a complaint or a program; never a name.
    """
    held = get_held(connection, line_id)
    decision = decide_report(policy.transfers)
    if isinstance(decision, TransferRefused):
        return decision
    for _ in range(_LOOKS_MAX):
        running = store.find_running(connection, line_id)
        case = running or TransferCase(
            case_id=tools.registrations.privacy.new_reference(_REFERENCE),
            line_id=line_id,
            operator=held.line.operator,
            subject=held.line.subject,
            kind=kind,
            state=CaseState.OPEN,
            version=1,
            reports=0,
            opened_at=now,
        )
        if running is None and not store.add_case(connection, case):
            continue
        if not store.add_report(connection, case.case_id, reporter, kind, now):
            return Reported(case, joined=True)
        told = replace(case, reports=case.reports + 1)
        _tell(tools, connection, CASE_OPENED if running is None else CASE_REPORTED_AGAIN, told, now)
        return Reported(told, joined=running is not None)
    raise Unavailable(
        "TRANSFER_CASE_BUSY",
        Text(zh="该号码的案件正在变化。", en="The cases of this line are changing at this moment."),
        Text(zh="请稍后重试。", en="Try again in a moment."),
    )


@asks(MayDecideTransfer)
def assess_case(
    tools: TransferTools,
    connection: Connection,
    case: TransferCase,
    *,
    finding: str,
    evidence: str | None,
    by: str,
    policy: Policy,
    now: datetime,
) -> TransferCase | TransferRefused:
    """Record what was found: a code, and the reference of what was looked at."""
    kept = {"finding": finding, "evidence": evidence}
    return _step(tools, connection, case, CaseStep.ASSESS, by=by, policy=policy, now=now, **kept)


@asks(MayDecideTransfer)
def sanction_case(
    tools: TransferTools,
    connection: Connection,
    case: TransferCase,
    *,
    by: str,
    policy: Policy,
    now: datetime,
) -> TransferCase | TransferRefused:
    """Stop the line, bar its holder from transfers, and tell them why and how to appeal."""
    sanction = decide_sanction(policy.transfers)
    kept = {
        "stop": sanction.stop.value,
        "citation": sanction.citation,
        "sanctioned_by": by,
        "decided_at": now,
    }
    done = _step(tools, connection, case, CaseStep.SANCTION, by=by, policy=policy, now=now, **kept)
    if isinstance(done, TransferRefused):
        return done
    stopped = set_stop(
        tools.registrations,
        connection,
        case.line_id,
        reason=sanction.stop,
        actor=StopActor.COMPLIANCE,
        reference=case.case_id,
        now=now,
        policy=policy,
        account=by,
    )
    if isinstance(stopped, StopRefused):
        return TransferRefused(stopped.refusals)
    store.add_bar(connection, case, now)
    _tell_holder(tools, connection, case, now)
    return done


@asks(MayDecideTransfer)
def dismiss_case(
    tools: TransferTools,
    connection: Connection,
    case: TransferCase,
    *,
    by: str,
    policy: Policy,
    now: datetime,
) -> TransferCase | TransferRefused:
    """End a case for which nothing was found."""
    return _step(tools, connection, case, CaseStep.DISMISS, by=by, policy=policy, now=now, decided_at=now)


@asks(MayTransfer)
def appeal_case(
    tools: TransferTools,
    connection: Connection,
    case: TransferCase,
    *,
    by: str,
    policy: Policy,
    now: datetime,
) -> TransferCase | TransferRefused:
    """Take the holder's appeal in."""
    return _step(tools, connection, case, CaseStep.APPEAL, by=by, policy=policy, now=now)


@asks(MayDecideTransfer)
def decide_appeal(
    tools: TransferTools,
    connection: Connection,
    case: TransferCase,
    *,
    upheld: bool,
    by: str,
    policy: Policy,
    now: datetime,
) -> TransferCase | TransferRefused:
    """Uphold the appeal, and lift everything in the same moment; or reject it. Another person decides."""
    step = CaseStep.UPHOLD if upheld else CaseStep.REJECT
    done = _step(tools, connection, case, step, by=by, policy=policy, now=now, decided_at=now)
    if isinstance(done, TransferRefused) or not upheld:
        return done
    store.lift_bar(connection, case.case_id, now)
    if case.stop is None or get_held(connection, case.line_id).line.status is LineStatus.TERMINATED:
        return done
    lifted = lift_stop(
        tools.registrations,
        connection,
        case.line_id,
        reason=case.stop,
        actor=StopActor.COMPLIANCE,
        reference=case.case_id,
        now=now,
        policy=policy,
        account=by,
    )
    return TransferRefused(lifted.refusals) if isinstance(lifted, StopRefused) else done


@asks(MayReadTransfer)
def get_case(connection: Connection, case_id: str, *, for_update: bool = False) -> TransferCase:
    """Return a case, held until the transaction ends if wanted; BadInput when there is none."""
    case = store.find_case(connection, case_id, for_update=for_update)
    if case is None:
        raise BadInput(
            "TRANSFER_CASE_UNKNOWN",
            Text(zh="没有这个案件。", en="There is no such case."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return case


@asks(MayReadTransfer)
def list_cases(
    connection: Connection, *, operator: str | None, after: str = "", limit: int
) -> tuple[TransferCase, ...]:
    """Return cases of an operator in the order of their references."""
    return store.list_cases(connection, operator=operator, after=after, limit=limit)


@asks(MayReadTransfer)
def sanction_in_force(policy: Policy) -> Sanction:
    """Return what a proven private transfer leads to today."""
    return decide_sanction(policy.transfers)


def _step(
    tools: TransferTools,
    connection: Connection,
    case: TransferCase,
    step: CaseStep,
    *,
    by: str,
    policy: Policy,
    now: datetime,
    **columns: Any,
) -> TransferCase | TransferRefused:
    holder = get_held(connection, case.line_id).line.subject
    following = decide_case_step(case, step, policy.transfers, by=by, holder=holder)
    if isinstance(following, TransferRefused):
        return following
    store.change_case(connection, case, following, **columns)
    done = get_case(connection, case.case_id)
    _tell(tools, connection, CASE_CHANGED, done, now)
    return done


def _tell(tools: TransferTools, connection: Connection, kind: str, case: TransferCase, now: datetime) -> None:
    facts: dict[str, Fact] = {
        "case": case.case_id,
        "line": case.line_id,
        "kind": case.kind.value,
        "state": case.state.value,
        "reports": case.reports,
        "finding": case.finding,
        "citation": case.citation,
    }
    note(tools, connection, kind, facts, subject=case.case_id, operator=case.operator, now=now)


def _tell_holder(tools: TransferTools, connection: Connection, case: TransferCase, now: datetime) -> None:
    notice = NewNotice(
        operator=case.operator,
        line_id=case.line_id,
        subject=case.subject,
        template=LINE_SANCTIONED.template,
        text=LINE_SANCTIONED.text,
        dedupe_key=f"sanctioned:{case.case_id}:{case.version}",
        about=case.case_id,
    )
    queue_notice(tools.registrations.privacy, connection, notice, now=now)
