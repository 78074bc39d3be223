"""Where the applicant of an order stands who came by their link."""

from fastapi import Request

from shiming.entrypoints.applicant_links_api import APPLICANTS, WHY_OPEN
from shiming.entrypoints.pages.home.dead_links import Giver, dead_link
from shiming.entrypoints.pages.home.journey import Journey, Step, home_platform, proof_of, rules_of
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import open_to_all
from shiming.jurisdictions.model import Channel
from shiming.registrations.model.applicant_links import ApplicantLinkRefused
from shiming.registrations.rules.applicant_links import decide_beginning_again
from shiming.registrations.use_cases import applicant_links

GATE = [open_to_all(WHY_OPEN)]
CONFLICT, INVALID = 409, 422


def journey_of(request: Request, token: str) -> Journey:
    """Return how far somebody came by a link; raise why one does not work, in the words of its bearer."""
    platform = home_platform(request)
    with reading(platform.engine) as connection:
        found = applicant_links.find_at_home(
            connection, token, policy=rules_of(platform), now=platform.clock.now()
        )
    if isinstance(found, ApplicantLinkRefused):
        raise dead_link(found.refusals, Giver.SHOP)
    return Journey(
        base=f"/a/{token}",
        api=f"{APPLICANTS.prefix}/{token}",
        standing=proof_of(request, found.link.session_id, found.order, found.line),
        expires_at=found.link.expires_at,
        begun=found.link.begun_at is not None,
        order=found.order,
        line=found.line,
        at_home=found.order.channel is Channel.ONLINE,
        again=not decide_beginning_again(found.link, found.order, rules_of(platform)),
    )


def address_of(journey: Journey) -> str:
    """Return the page of what comes next."""
    return journey.base if journey.step is Step.START else f"{journey.base}/{journey.step}"
