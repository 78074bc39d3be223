"""Where a network differs from the registry, as the last comparisons found it; read only.

GET /desk/drift            the newest comparison; `of`: another of the last ones

A comparison is asked for by `shiming lines reconcile` or `POST /v1/reconciliations`; repairing is its option,
so that nobody orders anything at a network by reading a page.
"""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from shiming.entrypoints.pages.desk.desk_page import Shown, table_page
from shiming.entrypoints.pages.desk.tables import Choice, Column, Gathered, Table, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.errors.provisioning import reconciliation_unknown
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.permissions.provisioning import MayReadProvisioning
from shiming.registrations.use_cases import reconciling
from shiming.vocabulary.errors import Text

router = page_router()
Reading = Annotated[Asking, asked(MayReadProvisioning)]
SHOWN_MAX = 12  # a comparison a month for a year; older ones are found by their reference
_LINE = "REG-"
_REPAIRS = {
    DriftKind.MISSING: Text(zh="加 --repair 重新开通", en="--repair adds it to the network again"),
    DriftKind.STATUS: Text(zh="加 --repair 按登记状态下单", en="--repair orders what the registry says"),
    DriftKind.CHARACTERISTICS: Text(
        zh="加 --repair 按登记内容下单", en="--repair orders what the registry says"
    ),
    DriftKind.UNREGISTERED: Text(
        zh="先查明来源；加 --repair --stop-unknown 停机",
        en="find out whose it is; --repair --stop-unknown stops it",
    ),
}
_ORDERED = Text(zh="已下单修复", en="a repair is ordered")


def _hint(drift: Drift) -> Text:
    return _ORDERED if drift.order_id else _REPAIRS[drift.kind]


def _status(said: str | None) -> Text | str | None:
    """Return a status in words; a network may say something that the registry has no word for."""
    return word(LineStatus(said)) if said and said in frozenset(LineStatus) else said


TABLE: Table[Drift] = Table(
    "drift",
    Text(zh="差异", en="Differences"),
    (
        Column(
            "service",
            Text(zh="线路或业务", en="Line or service"),
            lambda drift: drift.service_id,
            href=lambda drift: (
                f"/desk/lines/{drift.service_id}" if drift.service_id.startswith(_LINE) else None
            ),
        ),
        Column(
            "kind",
            Text(zh="差异", en="How they differ"),
            lambda drift: word(drift.kind),
            look="state",
            tone=lambda drift: "waiting" if drift.order_id else "bad",
        ),
        Column("repair", Text(zh="如何修复", en="How to repair"), _hint),
        Column(
            "order",
            Text(zh="修复工单", en="Repair order"),
            lambda drift: drift.order_id,
            href=lambda drift: f"/desk/service-orders/{drift.order_id}" if drift.order_id else None,
        ),
        Column("registry", Text(zh="登记", en="Registry"), lambda drift: _status(drift.registry)),
        Column("network", Text(zh="网络", en="Network"), lambda drift: _status(drift.network)),
        Column(
            "differs", Text(zh="不同之处", en="What differs"), lambda drift: ", ".join(drift.differs) or None
        ),
    ),
    filters=(
        Choice(
            "kind", Text(zh="差异", en="How they differ"), options(DriftKind), lambda drift: drift.kind.value
        ),
    ),
    empty=Text(zh="网络与登记一致。", en="Network and registry agree."),
    order="service",
    kept=("of",),
)


@router.get("/desk/drift")
def show_drift(
    request: Request, asking: Reading, of: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """Show what a comparison found, and how it is repaired."""
    operator = asking.caller.operator
    asking.allow(MayReadProvisioning(operator or ""))
    engine = request.app.state.platform.engine
    with reading(engine) as connection:
        latest = reconciling.list_reconciliations(connection, operator=operator, limit=SHOWN_MAX)
        chosen = _chosen(
            latest, of, reconciling.find_reconciliation(connection, of) if of else None, operator
        )

    def fetch(after: tuple[str] | None, limit: int) -> tuple[Drift, ...]:
        if chosen is None:
            return ()
        with reading(engine) as connection:
            return reconciling.list_drifts(
                connection, chosen.reconciliation_id, after=after[0] if after else "", limit=limit
            )

    rows: Gathered[Drift] = gather(fetch, lambda drift: (drift.service_id,))
    facts = {"chosen": chosen, "latest": latest}
    return table_page(request, asking, "desk/drift.html", Shown(TABLE, rows), facts)


def _chosen(
    latest: tuple[Reconciliation, ...], wanted: str | None, found: Reconciliation | None, operator: str | None
) -> Reconciliation | None:
    """Return the comparison that is shown: the one asked for, or the newest; another operator's is none."""
    if wanted is None:
        return latest[0] if latest else None
    if found is None or operator not in {None, found.operator}:
        raise reconciliation_unknown()
    return found
