"""The steps of a proof by an actual user's link; Verified registers the line, or says why it cannot be.

POST /v1/actual-user-links/{token}/challenges
PUT  /v1/actual-user-links/{token}/document    and /clip, /digits: multipart, as for proofing sessions
POST /v1/actual-user-links/{token}/decision    decides; when it is Verified the line gets its user
GET  /v1/actual-user-links/{token}/proof       how the session stands
"""

from dataclasses import dataclass

from fastapi import Request

from shiming.entrypoints.link_steps import link_steps
from shiming.identity_proofing.errors import refused as proofing_refused
from shiming.infrastructure.database import reading, transact
from shiming.registrations.api.actual_user_links import WHY_OPEN
from shiming.registrations.api.enterprise_lines import refused
from shiming.registrations.api.organisation_platform import desk_of, enterprise_platform
from shiming.registrations.model.enterprise_lines import EnterpriseRefused
from shiming.registrations.use_cases import actual_user_links


@dataclass(frozen=True, slots=True)
class ActualUserLinks:
    """Links of actual users: each for one line of an organisation."""

    prefix: str = "/v1/actual-user-links"
    why_open: str = WHY_OPEN

    def session_of(self, request: Request, token: str) -> str:
        """Return the session that the user's yes has opened."""
        platform = enterprise_platform(request)
        with reading(platform.engine) as connection:
            link = actual_user_links.session_of_link(desk_of(platform), connection, token)
        if isinstance(link, EnterpriseRefused):
            raise refused(link)
        if link.session_id is None:
            raise proofing_refused("STEP_OUT_OF_ORDER")  # the session is opened by the user's yes
        return link.session_id

    def verified(self, request: Request, token: str) -> None:
        """Record the user of the line, which registers it if it waited for its first one."""
        platform = enterprise_platform(request)
        settled = transact(
            platform.engine,
            lambda connection: actual_user_links.settle_link(
                desk_of(platform), connection, token, registration=platform.registration_policy
            ),
        )
        if isinstance(settled, EnterpriseRefused):
            raise refused(settled)


ACTUAL_USERS = ActualUserLinks()
router = link_steps(ACTUAL_USERS, "actual users")
