"""Where a member of staff can go from the desk: only what they may see, each with its key after `g`."""

from collections.abc import Callable
from dataclasses import dataclass

from shiming.accounts.permissions import (
    MayManageAccounts,
    MayManageClients,
    MayManageDevices,
    MayReadOwnAccount,
)
from shiming.entrypoints.job_permissions import MayManageJobs, MayManageWebhooks
from shiming.identity_proofing.permissions import MayReadFigures, MayReviewSession
from shiming.infrastructure.http.asking import Asking
from shiming.privacy.permissions import MayReadAccessLog, MayReadLedger
from shiming.registrations.permissions.numbers import MayManageNumbers, MayReadNumbers
from shiming.registrations.permissions.orders import MayDecideReview
from shiming.registrations.permissions.organisations import MayReadOrganisation
from shiming.registrations.permissions.provisioning import MayReadProvisioning
from shiming.registrations.permissions.registration import MayReadRegistration
from shiming.registrations.permissions.repudiation import MayTakeRepudiation
from shiming.registrations.permissions.sims import MayManageSims, MayReadSims
from shiming.transfers.permissions.transfers import MayReadTransfer
from shiming.vocabulary.errors import Text
from shiming.vocabulary.permissions import Permission

#: Makes the question about an operator; "" for who belongs to none.
AboutOperator = Callable[[str], Permission]
ANYBODY = "-"  # stands for a person in a question that is put before anybody is named


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the desk; one of its questions has to be answered with yes."""

    path: str
    title: Text
    key: str
    questions: tuple[AboutOperator, ...]
    group: str


GROUPS = {
    "work": Text(zh="待办与客户", en="Work and customers"),
    "stock": Text(zh="资源", en="Stock"),
    "system": Text(zh="系统", en="System"),
    "record": Text(zh="规则与审计", en="Rules and record"),
}

AREAS: tuple[Area, ...] = (
    Area("/desk", Text(zh="待办", en="What waits"), "h", (lambda _: MayReadOwnAccount(),), "work"),
    Area("/desk/reviews", Text(zh="目视比对", en="Compare by eye"), "b", (MayReviewSession,), "work"),
    Area(
        "/desk/registration-reviews",
        Text(zh="加强核查", en="Enhanced reviews"),
        "r",
        (MayDecideReview,),
        "work",
    ),
    Area("/desk/lines", Text(zh="号码查询", en="Lines"), "l", (MayReadRegistration,), "work"),
    Area(
        "/desk/service-orders", Text(zh="开通工单", en="Service orders"), "o", (MayReadProvisioning,), "work"
    ),
    Area("/desk/drift", Text(zh="网络核对", en="Network and registry"), "k", (MayReadProvisioning,), "work"),
    Area("/desk/companies", Text(zh="单位客户", en="Companies"), "c", (MayReadOrganisation,), "work"),
    Area("/desk/repudiations", Text(zh="非本人办理异议", en="Disputes"), "d", (MayTakeRepudiation,), "work"),
    Area("/desk/transfers", Text(zh="转售转租案件", en="Transfer cases"), "t", (MayReadTransfer,), "work"),
    Area("/desk/numbers", Text(zh="号码池", en="Numbers"), "n", (MayManageNumbers, MayReadNumbers), "stock"),
    Area("/desk/sims", Text(zh="卡库存", en="SIM cards"), "s", (MayManageSims, MayReadSims), "stock"),
    Area("/desk/jobs", Text(zh="任务", en="Jobs"), "j", (lambda _: MayManageJobs(),), "system"),
    Area("/desk/webhooks", Text(zh="事件订阅", en="Webhooks"), "w", (MayManageWebhooks,), "system"),
    Area("/desk/accounts", Text(zh="员工账号", en="Accounts"), "a", (MayManageAccounts,), "system"),
    Area("/desk/clients", Text(zh="程序账号", en="Machine clients"), "m", (MayManageClients,), "system"),
    Area("/desk/devices", Text(zh="采集设备", en="Capture devices"), "x", (MayManageDevices,), "system"),
    Area("/desk/packs", Text(zh="规则包", en="Rules"), "p", (lambda _: MayReadOwnAccount(),), "record"),
    Area(
        "/desk/routes", Text(zh="各种方式的通过率", en="Every way as good"), "f", (MayReadFigures,), "record"
    ),
    Area("/desk/ledger", Text(zh="账本审计", en="Ledger"), "e", (MayReadLedger,), "record"),
    Area(
        "/desk/access-log",
        Text(zh="查阅记录", en="Who looked"),
        "v",
        (lambda operator: MayReadAccessLog(ANYBODY, operator),),
        "record",
    ),
)


def is_open(area: Area, asking: Asking) -> bool:
    """Say whether the caller may see an area."""
    operator = asking.caller.operator or ""
    return any(asking.gatekeeper.allow(asking.caller, about(operator)) for about in area.questions)


def open_areas(asking: Asking) -> tuple[Area, ...]:
    """Return the areas that the caller may see."""
    return tuple(area for area in AREAS if is_open(area, asking))
