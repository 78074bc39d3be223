"""A trusted referee at the counter: proven in a session of their own, then named for the applicant's.

GET  /counter/{session}/referee                     what is needed, by the rules; who vouches already
POST /counter/{session}/referee                     opens the session of the referee
GET  /counter/{session}/referee/{second}            what is still missing of them
GET  /counter/{session}/referee/{second}/document   and /person: their captures; /other-way
POST /counter/{session}/referee/{second}/decision
POST /counter/{session}/referee/{second}            name them; then another member of staff compares
"""

from typing import Annotated, Any, Literal

from fastapi import Path, Request, Response

from shiming.entrypoints.pages.counter.journey import Standing, Step
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, standing_of
from shiming.entrypoints.pages.equal_paths.other_way import WayForm, other_way_page, take_other_way
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
from shiming.identity_proofing.api_platform import desk_of
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.permissions import (
    MayConductSession,
    MayDecideSession,
    MayReadSession,
    MayReviewSession,
)
from shiming.identity_proofing.use_cases.reviewing import reviewer_of
from shiming.identity_proofing.use_cases.vouching import name_referee
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.jurisdictions.model import Route
from shiming.vocabulary.errors import BadInput

router = page_router()
_CONFLICT = 409
_HERE = "/counter/{session}/referee"
SessionPath = Annotated[str, Path(max_length=40)]
Conducting = Annotated[Asking, asked(MayReadSession, MayConductSession)]
Deciding = Annotated[Asking, asked(MayReadSession, MayDecideSession)]
Naming = Annotated[Asking, asked(MayReadSession, MayReviewSession)]


@router.get(_HERE)
def show(request: Request, session: SessionPath, asking: Conducting) -> Response:
    """Say what the rules ask of a referee, and whether one is named."""
    applicant = _applicant(request, session, asking)
    evidence, rules = applicant.status.evidence, applicant.policy.referee
    facts = facts_of(
        request,
        applicant,
        rules=rules,
        open=applicant.status.session.route is Route.REFEREE and not applicant.status.session.state.is_final,
        named=evidence.referee if evidence else None,
    )
    return page(request, "people/referee.html", facts)


@router.post(_HERE)
def begin_referee(request: Request, session: SessionPath, asking: Conducting) -> Response:
    """Open the session of the referee."""
    applicant = _applicant(request, session, asking)
    if applicant.status.session.route is not Route.REFEREE or applicant.policy.referee is None:
        raise refused("REFEREE_NOT_FORESEEN")
    second = open_second(request, applicant.operator, applicant.status.session.channel)
    return see_other(_address(applicant, second))


@router.get(_HERE + "/{second}")
def go_on(request: Request, session: SessionPath, second: SessionPath, asking: Conducting) -> Response:
    """Lead to the capture that is next; after a good proof ask whether they vouch."""
    applicant, referee = _both(request, session, second, asking)
    return _second(request, applicant, referee)


@router.get(_HERE + "/{second}/other-way")
def other_way(request: Request, session: SessionPath, second: SessionPath, asking: Conducting) -> Response:
    """Show what the referee can do instead."""
    applicant, referee = _both(request, session, second, asking)
    return other_way_page(request, other_way_of(_person(request, applicant, referee)))


@router.post(_HERE + "/{second}/other-way")
def choose_way(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    asking: Conducting,
    wanted: Annotated[Filled[WayForm], form(WayForm)],
) -> Response:
    """Take the way that was chosen for the referee."""
    applicant, referee = _both(request, session, second, asking)
    return take_other_way(request, other_way_of(_person(request, applicant, referee)), wanted)


@router.get(_HERE + "/{second}/{step}")
def capture(
    request: Request,
    session: SessionPath,
    second: SessionPath,
    step: Literal["document", "person"],
    asking: Conducting,
) -> Response:
    """Take the document or the clip of the referee."""
    applicant, referee = _both(request, session, second, asking)
    return camera(request, _person(request, applicant, referee), step)


@router.post(_HERE + "/{second}/decision")
def decide(request: Request, session: SessionPath, second: SessionPath, asking: Deciding) -> Response:
    """Have the proof of the referee decided."""
    applicant, referee = standing_of(request, session, asking), standing_of(request, second, asking)
    asking.allow(MayDecideSession(referee.status.operator))
    return decide_second(request, _person(request, applicant, referee))


@router.post(_HERE + "/{second}")
def name(request: Request, session: SessionPath, second: SessionPath, asking: Naming) -> Response:
    """Name the referee and lead to the people who look; refused in words, with what to do."""
    applicant, referee = standing_of(request, session, asking), standing_of(request, second, asking)
    asking.allow(MayReviewSession(applicant.status.operator))
    if asking.caller.kind != "staff":
        raise refused("STAFF_ONLY")
    desk, named_by = desk_of(request), reviewer_of(asking.caller.person_key)
    try:
        transact(
            counter_platform(request).engine,
            lambda connection: name_referee(
                desk, connection, applicant.session_id, referee.session_id, named_by=named_by
            ),
        )
    except BadInput as problem:
        if not problem.code.startswith("REFEREE_"):
            raise
        return _second(request, applicant, referee, problem)
    evidence = applicant.status.evidence
    if evidence is None or evidence.document is None:
        return see_other(f"{applicant.url}/document")
    return see_other(f"{applicant.url}/referee", said="referee_named")


def _applicant(request: Request, session: str, asking: Asking) -> Standing:
    standing = standing_of(request, session, asking)
    asking.allow(MayConductSession(standing.status.operator))
    return standing


def _both(request: Request, session: str, second: str, asking: Asking) -> tuple[Standing, Standing]:
    return _applicant(request, session, asking), _applicant(request, second, asking)


def _second(
    request: Request, applicant: Standing, referee: Standing, problem: BadInput | None = None
) -> Response:
    step = next_step(referee)
    if step in {Step.DOCUMENT, Step.PERSON} and problem is None and referee.decision is None:
        return see_other(_address(applicant, referee.session_id, step.value))
    facts: dict[str, Any] = facts_of(
        request,
        applicant,
        referee=referee,
        decision=referee.decision,
        here=_address(applicant, referee.session_id),
        decide_at=_address(applicant, referee.session_id, "decision"),
        again={name: _address(applicant, referee.session_id, name) for name in ("document", "person")},
        problem=problem,
    )
    return page(request, "people/referee_proof.html", facts, status=_CONFLICT if problem else 200)


def _person(request: Request, applicant: Standing, referee: Standing) -> SecondPerson:
    here = _address(applicant, referee.session_id)
    return SecondPerson(referee, here, "people/referee_bar.html", facts_of(request, applicant))


def _address(applicant: Standing, second: str, step: str | None = None) -> str:
    below = f"/{step}" if step else ""
    return f"{applicant.url}/referee/{second}{below}"
