"""Disputes of lines that a proxy registered: look, and decide."""

from typing import Annotated

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.pages.desk.desk_page import (
    Refused,
    Shown,
    desk_page,
    platform_of,
    rules_of,
    table_page,
    tried,
)
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.api.repudiations import RepudiationId
from shiming.registrations.model.repudiation import Repudiation, RepudiationState
from shiming.registrations.permissions.repudiation import MayDecideRepudiation, MayTakeRepudiation
from shiming.registrations.use_cases import repudiation
from shiming.vocabulary.errors import Text

router = page_router()
Taking = Annotated[Asking, asked(MayTakeRepudiation)]
Deciding = Annotated[Asking, asked(MayTakeRepudiation, MayDecideRepudiation)]
_TONES = {RepudiationState.OPEN: "waiting", RepudiationState.UPHELD: "bad", RepudiationState.REJECTED: "good"}

TABLE: Table[Repudiation] = Table(
    "repudiations",
    Text(zh="非本人办理异议", en="Disputes"),
    (
        Column(
            "id",
            Text(zh="编号", en="Reference"),
            lambda found: found.repudiation_id,
            href=lambda found: f"/desk/repudiations/{found.repudiation_id}",
        ),
        Column("line", Text(zh="线路", en="Line"), lambda found: found.line_id, look="code"),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda found: word(found.state),
            look="state",
            tone=lambda found: _TONES[found.state],
        ),
        Column("means", Text(zh="本人证明方式", en="Shown by"), lambda found: word(found.means)),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda found: found.operator),
        Column("stated", Text(zh="提出时间", en="Stated"), lambda found: found.stated_at),
        Column("decided", Text(zh="裁定时间", en="Decided"), lambda found: found.decided_at),
    ),
    filters=(
        Choice(
            "state", Text(zh="状态", en="State"), options(RepudiationState), lambda found: found.state.value
        ),
    ),
    empty=Text(zh="没有异议。", en="There is no dispute."),
    order="stated",
)


class DecisionForm(BaseModel):
    """Whether the line was not the holder's, and that this is meant."""

    model_config = ConfigDict(extra="ignore")
    upheld: bool
    sure: bool


@router.get("/desk/repudiations")
def list_disputes(request: Request, asking: Taking) -> Response:
    """List disputes."""
    operator = asking.caller.operator
    asking.allow(MayTakeRepudiation(operator or ""))
    engine = platform_of(request).engine

    def fetch(after: str | None, limit: int) -> tuple[Repudiation, ...]:
        with reading(engine) as connection:
            return repudiation.list_repudiations(
                connection, operator=operator, open_only=False, after=after or "", limit=limit
            )

    rows = gather(fetch, lambda found: found.repudiation_id)
    return table_page(request, asking, "desk/repudiations.html", Shown(TABLE, rows))


@router.get("/desk/repudiations/{repudiation_id}")
def show_dispute(request: Request, repudiation_id: RepudiationId, asking: Taking) -> Response:
    """Show a dispute."""
    return _shown(request, asking, _find(request, asking, repudiation_id, MayTakeRepudiation))


@router.post("/desk/repudiations/{repudiation_id}/decision")
def decide(
    request: Request,
    repudiation_id: RepudiationId,
    asking: Deciding,
    wanted: Annotated[Filled[DecisionForm], form(DecisionForm)],
) -> Response:
    """Decide: upheld, the line ends and its place is free; rejected, the stop is lifted."""
    found = _find(request, asking, repudiation_id, MayDecideRepudiation)
    chosen = wanted.value
    if chosen is None:
        return _shown(request, asking, found, wanted=wanted)
    platform = platform_of(request)
    policy, now = rules_of(platform), platform.clock.now()
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: repudiation.decide_dispute(
                platform.registrations,
                connection,
                found.repudiation_id,
                upheld=chosen.upheld,
                by=asking.caller.reference,
                policy=policy,
                registration_policy=platform.registration_policy,
                now=now,
            ),
        )
    )
    if refused:
        return _shown(request, asking, found, refused=refused)
    return see_other(f"/desk/repudiations/{found.repudiation_id}", said="decided")


def _find(
    request: Request,
    asking: Asking,
    repudiation_id: str,
    question: type[MayTakeRepudiation | MayDecideRepudiation],
) -> Repudiation:
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = repudiation.find_repudiation(connection, repudiation_id)
    if found is None or not asking.may(question(found.operator)):
        raise repudiation.repudiation_unknown()
    return found


def _shown(
    request: Request,
    asking: Asking,
    found: Repudiation,
    *,
    refused: Refused | None = None,
    wanted: Filled[DecisionForm] | None = None,
) -> Response:
    facts = {
        "dispute": found,
        "state": word(found.state),
        "tone": _TONES[found.state],
        "means": word(found.means),
        "may_decide": found.state is RepudiationState.OPEN
        and asking.gatekeeper.allow(asking.caller, MayDecideRepudiation(found.operator)),
        "refused": refused,
        **(wanted.again() if wanted else {}),
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/repudiation.html", facts, status=status)
