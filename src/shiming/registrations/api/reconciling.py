"""Comparisons of networks with the registry over HTTP: asked for here, done by a worker.

POST /v1/reconciliations                              202
GET  /v1/reconciliations/{reconciliation}             counts; finished_at is null while it runs
GET  /v1/reconciliations/{reconciliation}/drifts      each difference, by service
"""

from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.provisioning_schemas import OPERATOR
from shiming.registrations.errors.provisioning import reconciliation_unknown
from shiming.registrations.model.drift import DriftKind, Reconciliation
from shiming.registrations.permissions.provisioning import MayManageProvisioning, MayReadProvisioning
from shiming.registrations.use_cases import reconciling
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools

PREFIX = "/v1/reconciliations"
router = APIRouter(prefix=PREFIX, tags=["provisioning"])


class ReconcilingPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    provisioning: ProvisioningTools


class ReconciliationWanted(BaseModel):
    """Which network; `repair` orders anew, `stop_unknown` also stops what nobody registered."""

    model_config = ConfigDict(extra="forbid")
    operator: Annotated[str, Field(pattern=OPERATOR, examples=["cn-mobile"])]
    repair: bool = False
    stop_unknown: bool = False


class ReconciliationShown(BaseModel):
    """A comparison and its counts."""

    id: str
    operator: str
    started_at: datetime
    finished_at: datetime | None
    failure: str | None
    repair: bool
    stop_unknown: bool
    counts: dict[str, int]


class DriftShown(BaseModel):
    """One difference: names of what differs, never the values."""

    service: str
    kind: DriftKind
    registry: str | None
    network: str | None
    differs: list[str]
    order: str | None


class Drifts(Listing):
    """A page of differences by service."""

    items: list[DriftShown]


Reading = Annotated[Asking, asked(MayReadProvisioning)]
ReconciliationId = Annotated[str, Path(max_length=40, description="Reference of the comparison.")]


@router.post("", status_code=202, response_model=ReconciliationShown, responses=problem_responses(404, 409))
def begin(
    request: Request,
    body: ReconciliationWanted,
    asking: Annotated[Asking, asked(MayManageProvisioning)],
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Ask a worker to compare an operator's network with the registry."""
    asking.allow(MayManageProvisioning(body.operator))
    platform = _platform(request)
    now = platform.clock.now()

    def work(connection: Connection) -> Answer:
        begun = reconciling.begin_reconciliation(
            platform.provisioning,
            connection,
            operator=body.operator,
            repair=body.repair,
            stop_unknown=body.stop_unknown,
            now=now,
            queued=True,
        )
        location = f"{PREFIX}/{begun.reconciliation_id}"
        return Answer.of(202, ReconciliationShown(**begun.to_json()), location=location)

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, body), work, now=now)


@router.get("/{reconciliation}", response_model=ReconciliationShown, responses=problem_responses(404))
def show(request: Request, reconciliation: ReconciliationId, asking: Reading) -> dict[str, Any]:
    """Return a comparison."""
    return _find(request, reconciliation, asking).to_json()


@router.get("/{reconciliation}/drifts", response_model=Drifts, responses=problem_responses(404))
def list_drifts(
    request: Request,
    reconciliation: ReconciliationId,
    asking: Reading,
    page: Annotated[PageAsked, paged("drifts")],
) -> dict[str, Any]:
    """List the differences that a comparison found."""
    found = _find(request, reconciliation, asking)
    after = str(page.after[0]) if page.after else ""
    with reading(_platform(request).engine) as connection:
        drifts = reconciling.list_drifts(
            connection, found.reconciliation_id, after=after, limit=page.size + 1
        )
    return page.listing([drift.to_json() for drift in drifts], key=lambda row: (row["service"],))


def _find(request: Request, reconciliation_id: str, asking: Asking) -> Reconciliation:
    asking.allow(MayReadProvisioning(asking.caller.operator or ""))
    with reading(_platform(request).engine) as connection:
        found = reconciling.find_reconciliation(connection, reconciliation_id)
    if found is None or not asking.may(MayReadProvisioning(found.operator)):
        raise reconciliation_unknown()
    return found


def _platform(request: Request) -> ReconcilingPlatform:
    platform: ReconcilingPlatform = request.app.state.platform
    return platform
