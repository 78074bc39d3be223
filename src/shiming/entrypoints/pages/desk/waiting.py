"""What waits for somebody: counted through the same use cases as the lists that the counts lead to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy.engine import Connection

from shiming.entrypoints.job_permissions import MayManageJobs, MayManageWebhooks
from shiming.entrypoints.pages.desk.desk_page import COUNTED_MAX
from shiming.identity_proofing.permissions import MayReviewSession
from shiming.identity_proofing.use_cases.reviewing import list_waiting as list_reviews
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.job_queue.dead_letters import list_jobs
from shiming.infrastructure.job_queue.model import JobState
from shiming.infrastructure.webhooks.subscriptions import list_webhooks
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.model.provisioning import OrderState
from shiming.registrations.permissions.orders import MayDecideReview
from shiming.registrations.permissions.organisations import MaySuspendOrganisation
from shiming.registrations.permissions.provisioning import MayReadProvisioning
from shiming.registrations.permissions.repudiation import MayDecideRepudiation
from shiming.registrations.use_cases.organisations import list_organisations
from shiming.registrations.use_cases.repudiation import list_repudiations
from shiming.registrations.use_cases.reviews import list_waiting
from shiming.registrations.use_cases.service_orders import list_orders
from shiming.transfers.model.private_transfer import CaseState
from shiming.transfers.permissions.transfers import MayDecideTransfer
from shiming.transfers.use_cases.private_transfers import list_cases
from shiming.vocabulary.errors import Text
from shiming.vocabulary.permissions import Permission

_LOOKED_AT = 500  # rows of a list that cannot be asked by state; beyond, the list itself says more
#: Finds what waits now of one operator, or (None) of all.
Find = Callable[[Connection, str | None, datetime], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A heap of work: how much, where, and whether somebody should look today."""

    href: str
    title: Text
    count: int
    more: bool
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class _Heap:
    href: str
    title: Text
    question: Callable[[str], Permission]
    find: Find
    is_urgent: bool = False


def _open_cases(connection: Connection, operator: str | None, _now: datetime) -> Sequence[Any]:
    decided_on = {CaseState.OPEN, CaseState.ASSESSED, CaseState.APPEALED}
    found = list_cases(connection, operator=operator, after="", limit=_LOOKED_AT)
    return [case for case in found if case.state in decided_on]


def _suspended(connection: Connection, operator: str | None, _now: datetime) -> Sequence[Any]:
    found = list_organisations(connection, operator, after=None, limit=_LOOKED_AT)
    return [each for each in found if each.state is OrganisationState.SUSPENDED]


def _quiet_webhooks(connection: Connection, operator: str | None, _now: datetime) -> Sequence[Any]:
    return [each for each in list_webhooks(connection, operator=operator or "") if each.disabled_at]


_HEAPS = (
    _Heap(
        "/desk/reviews",
        Text(zh="待人工比对的核验", en="Proofs to compare by eye"),
        MayReviewSession,
        lambda connection, operator, now: list_reviews(
            connection, now, operator=operator, limit=COUNTED_MAX + 1
        ),
        is_urgent=True,
    ),
    _Heap(
        "/desk/registration-reviews",
        Text(zh="待核查的加强核查", en="Enhanced reviews to decide"),
        MayDecideReview,
        lambda connection, operator, _now: list_waiting(connection, operator=operator, limit=COUNTED_MAX + 1),
    ),
    _Heap(
        "/desk/repudiations?state=open",
        Text(zh="待裁定的非本人办理异议", en="Disputes to decide"),
        MayDecideRepudiation,
        lambda connection, operator, _now: list_repudiations(
            connection, operator=operator, open_only=True, after="", limit=COUNTED_MAX + 1
        ),
    ),
    _Heap(
        "/desk/transfers",
        Text(zh="待处理的转售转租案件", en="Transfer cases to decide"),
        MayDecideTransfer,
        _open_cases,
    ),
    _Heap(
        "/desk/companies?state=suspended",
        Text(zh="已暂停的单位", en="Companies that are suspended"),
        MaySuspendOrganisation,
        _suspended,
    ),
    _Heap(
        "/desk/service-orders",
        Text(zh="失败或挂起的开通工单", en="Service orders that failed or are held"),
        MayReadProvisioning,
        lambda connection, operator, _now: list_orders(
            connection,
            operator=operator,
            states=(OrderState.FAILED, OrderState.HELD),
            limit=COUNTED_MAX + 1,
        ),
        is_urgent=True,
    ),
    _Heap(
        "/desk/jobs?state=dead",
        Text(zh="失败停止的任务", en="Jobs that gave up"),
        lambda _: MayManageJobs(),
        lambda connection, _operator, _now: list_jobs(connection, state=JobState.DEAD, limit=COUNTED_MAX + 1),
        is_urgent=True,
    ),
    _Heap(
        "/desk/webhooks",
        Text(zh="已停用的事件订阅", en="Webhooks that are disabled"),
        MayManageWebhooks,
        _quiet_webhooks,
    ),
)


def what_waits(request: Request, asking: Asking) -> tuple[Waiting, ...]:
    """Return the heaps that the caller may work on, empty ones too."""
    return tuple(_counted(request, asking))


def _counted(request: Request, asking: Asking) -> Iterator[Waiting]:
    operator = asking.caller.operator
    mine = [heap for heap in _HEAPS if asking.gatekeeper.allow(asking.caller, heap.question(operator or ""))]
    platform = request.app.state.platform
    now = platform.clock.now()
    with reading(platform.engine) as connection:
        for heap in mine:
            number = len(heap.find(connection, operator, now))
            yield Waiting(
                href=heap.href,
                title=heap.title,
                count=min(number, COUNTED_MAX),
                more=number > COUNTED_MAX,
                is_urgent=heap.is_urgent and number > 0,
            )
