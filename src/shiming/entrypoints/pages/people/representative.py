"""Somebody acts for the holder of an order at the counter: a proxy of an adult, a guardian of a minor.

GET  /counter/{session}/representative                     what is needed, by the rules; who acts
POST /counter/{session}/representative                     opens the session of the one who acts
GET  /counter/{session}/representative/{way}/{second}            what is still missing of them
GET  /counter/{session}/representative/{way}/{second}/document   and /person: their captures; /other-way
POST /counter/{session}/representative/{way}/{second}/decision
POST /counter/{session}/representative/{way}/{second}            name them; refusals in words

The order keeps who is awaited: any counter goes on with the one whose proof was begun at another.
"""

from typing import Annotated, Any, Literal

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.counter.journey import Standing, Step
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, standing_of
from shiming.entrypoints.pages.equal_paths.other_way import (
    WayForm,
    other_way_page,
    take_other_way,
)
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.people.second_person import (
    SecondPerson,
    camera,
    decide_second,
    next_step,
    open_second,
    other_way_of,
)
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayConductSession, MayDecideSession, MayReadSession
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.jurisdictions.model import Policy, ProxyAllowed
from shiming.registrations.model.orders import (
    AwaitedRepresentative,
    Relation,
    Representative,
    RepresentativeRole,
)
from shiming.registrations.model.representation import RepresentationRefused
from shiming.registrations.permissions.representation import MayRepresent
from shiming.registrations.rules.representation import needs_guardian
from shiming.registrations.use_cases import representation
from shiming.vocabulary.refusals import Refusal

router = page_router()
_CONFLICT, _INVALID = 409, 422
SessionPath = Annotated[str, Path(max_length=40)]
#: The role, and of a guardian the relation: `proxy`, `guardian-parent`, ...
Way = Annotated[str, Path(pattern="^(proxy|guardian-(parent|grandparent|sibling|appointed))$")]
Acting = Annotated[Asking, asked(MayReadSession, MayConductSession, MayRepresent)]
Deciding = Annotated[Asking, asked(MayReadSession, MayDecideSession)]


class WhoActs(BaseModel):
    """In which role somebody acts; a guardian says what they are to the minor."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["proxy", "guardian"]
    relation: Relation | None = None


class Named(BaseModel):
    """The paper that entitles them, as it is kept."""

    model_config = ConfigDict(extra="ignore")
    authority_document: str | None = Field(default=None, max_length=64)


@router.get("/counter/{session}/representative")
def show(request: Request, session: SessionPath, asking: Acting) -> Response:
    """Say what the rules ask for, and who comes first."""
    standing = _holder(request, session, asking)
    awaited = standing.order.awaited if standing.order else None
    going_on = None
    if awaited is not None and awaited.session_id is not None:
        acting = standing_of(request, awaited.session_id, asking)
        if next_step(acting) is not Step.OVER:
            going_on = _address(standing, acting.session_id, _way_of(awaited))
    return _start(request, standing, going_on=going_on)


@router.post("/counter/{session}/representative")
def begin_second(
    request: Request, session: SessionPath, asking: Acting, wanted: Annotated[Filled[WhoActs], form(WhoActs)]
) -> Response:
    """Open the session of the one who acts."""
    holder = _holder(request, session, asking)
    asking.allow(MayConductSession(holder.operator))
    said = wanted.value
    if said is None or (said.role == "guardian" and said.relation is None):
        return _start(request, holder, wanted)
    session_now = holder.status.session
    second = open_second(request, holder.operator, session_now.channel, session_now.route)
    awaited = AwaitedRepresentative(RepresentativeRole(said.role), said.relation, second)
    platform = counter_platform(request)
    transact(
        platform.engine,
        lambda connection: representation.await_representative(
            platform.registrations, connection, holder.session_id, awaited, now=platform.clock.now()
        ),
    )
    return see_other(_address(holder, second, _way_of(awaited)))


@router.get("/counter/{session}/representative/{way}/{second}")
def go_on(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    asking: Acting,
    way: Way,
) -> Response:
    """Lead to the capture that is next; after a good proof ask for the paper and name the one who acts."""
    holder, acting = _holder(request, session, asking), standing_of(request, second, asking)
    return _second(request, holder, acting, way)


@router.get("/counter/{session}/representative/{way}/{second}/other-way")
def other_way(
    request: Request, session: SessionPath, second: SessionPath, asking: Acting, way: Way
) -> Response:
    """Show what the one who acts can do instead."""
    holder, acting = _holder(request, session, asking), standing_of(request, second, asking)
    return other_way_page(request, other_way_of(_person(request, holder, acting, way)))


@router.post("/counter/{session}/representative/{way}/{second}/other-way")
def choose_way(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    asking: Acting,
    way: Way,
    wanted: Annotated[Filled[WayForm], form(WayForm)],
) -> Response:
    """Take the way that was chosen for the one who acts."""
    holder, acting = _holder(request, session, asking), standing_of(request, second, asking)
    asking.allow(MayConductSession(acting.status.operator))
    return take_other_way(request, other_way_of(_person(request, holder, acting, way)), wanted)


@router.get("/counter/{session}/representative/{way}/{second}/{step}")
def capture(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    step: Literal["document", "person"],
    asking: Acting,
    way: Way,
) -> Response:
    """Take the document or the clip of the one who acts."""
    holder, acting = _holder(request, session, asking), standing_of(request, second, asking)
    asking.allow(MayConductSession(acting.status.operator))
    return camera(request, _person(request, holder, acting, way), step)


@router.post("/counter/{session}/representative/{way}/{second}/decision")
def decide(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    asking: Deciding,
    way: Way,
) -> Response:
    """Have the proof of the one who acts decided."""
    holder, acting = standing_of(request, session, asking), standing_of(request, second, asking)
    asking.allow(MayDecideSession(acting.status.operator))
    return decide_second(request, _person(request, holder, acting, way))


@router.post("/counter/{session}/representative/{way}/{second}")
def name(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    asking: Acting,
    wanted: Annotated[Filled[Named], form(Named)],
    way: Way,
) -> Response:
    """Name the one who acts; refused in words, with what to do."""
    holder, acting = _holder(request, session, asking), standing_of(request, second, asking)
    platform = counter_platform(request)
    paper = wanted.value.authority_document if wanted.value else None
    role, relation = _role_of(way)
    named = Representative(role, acting.session_id, authority_evidence=paper, relation=relation)
    outcome = transact(
        platform.engine,
        lambda connection: representation.name_representative(
            platform.registrations,
            connection,
            holder.session_id,
            named,
            policy=platform.policy(platform.default_pack, platform.today()),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, RepresentationRefused):
        return _second(request, holder, acting, way, refusals=outcome.refusals, paper=paper)
    return see_other(holder.url, said="representative_named")


def _holder(request: Request, session: str, asking: Asking) -> Standing:
    standing = standing_of(request, session, asking)
    asking.allow(MayRepresent(standing.operator))
    return standing


def _start(
    request: Request,
    holder: Standing,
    wanted: Filled[WhoActs] | None = None,
    *,
    going_on: str | None = None,
) -> Response:
    policy = holder.policy
    guarded = needs_guardian(holder.status.session.subject, policy)
    allowed = policy.proxies.allowed.value
    nobody = allowed is ProxyAllowed.NOBODY or (allowed is ProxyAllowed.MINORS_ONLY and not guarded)
    behalf = holder.order.representative if holder.order else None
    facts = facts_of(
        request,
        holder,
        guarded=guarded,
        nobody=nobody,
        named=behalf.role.value if behalf else None,
        proxies=policy.proxies,
        paper=guarded or policy.proxies.authority_document_required.value,
        missing_relation=wanted is not None,
        going_on=going_on,
        **(wanted.again() if wanted else {}),
    )
    return page(request, "people/representative.html", facts, status=_INVALID if wanted else 200)


def _second(
    request: Request,
    holder: Standing,
    acting: Standing,
    way: str,
    *,
    refusals: tuple[Refusal, ...] = (),
    paper: str | None = None,
) -> Response:
    step = next_step(acting)
    here = _address(holder, acting.session_id, way)
    if step in {Step.DOCUMENT, Step.PERSON} and not refusals and acting.decision is None:
        return see_other(_address(holder, acting.session_id, way, step.value))
    facts: dict[str, Any] = facts_of(
        request,
        holder,
        acting=acting,
        decision=acting.decision,
        role=_role_of(way)[0].value,
        here=here,
        decide_at=_address(holder, acting.session_id, way, "decision"),
        again={name: _address(holder, acting.session_id, way, name) for name in ("document", "person")},
        paper_needed=_paper_needed(holder.policy, way),
        paper=paper,
        refusals=refusals,
    )
    return page(request, "people/acting.html", facts, status=_CONFLICT if refusals else 200)


def _person(request: Request, holder: Standing, acting: Standing, way: str) -> SecondPerson:
    facts = {**facts_of(request, holder), "role": _role_of(way)[0].value}
    return SecondPerson(acting, _address(holder, acting.session_id, way), "people/acting_bar.html", facts)


def _paper_needed(policy: Policy, way: str) -> bool:
    return way != RepresentativeRole.PROXY or policy.proxies.authority_document_required.value


def _address(holder: Standing, second: str, way: str, step: str | None = None) -> str:
    below = f"/{step}" if step else ""
    return f"{holder.url}/representative/{way}/{second}{below}"


def _way_of(awaited: AwaitedRepresentative) -> str:
    return f"{awaited.role}-{awaited.relation}" if awaited.relation else awaited.role.value


def _role_of(way: str) -> tuple[RepresentativeRole, Relation | None]:
    role, _, relation = way.partition("-")
    return RepresentativeRole(role), Relation(relation) if relation else None
