"""How far the links of actual users came, for whoever serves the organisation.

GET /v1/enterprise-contracts/{contract}/links   by line; `arrived=false`: who was not reached
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.enterprise_lines import ContractId, Reading, find
from shiming.registrations.api.enterprise_lines import router as contracts
from shiming.registrations.api.enterprise_schemas import LinkSentShown, LinksSent
from shiming.registrations.api.organisation_platform import enterprise_platform
from shiming.registrations.permissions.enterprise_lines import MayReadEnterpriseLines
from shiming.registrations.use_cases.actual_user_links import list_sent_links

router = APIRouter(prefix=contracts.prefix, tags=["enterprise lines"])
_LIST = "enterprise links"


@router.get("/{contract}/links", response_model=LinksSent, responses=problem_responses(404))
def list_links(
    request: Request,
    contract: ContractId,
    asking: Reading,
    page: Annotated[PageAsked, paged(_LIST)],
    arrived: Annotated[bool | None, Query(description="false: only those that reached nobody yet.")] = None,
) -> dict[str, Any]:
    """List links that are to be used and how far they came; POST makes a new one, which voids the former."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayReadEnterpriseLines)
    after = str(page.after[0]) if page.after else ""
    with reading(platform.engine) as connection:
        sent = list_sent_links(connection, found, arrived=arrived, after=after, limit=page.size + 1)
    return page.listing([LinkSentShown.of(each) for each in sent], key=lambda row: (row.number,))
