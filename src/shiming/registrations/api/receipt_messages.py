"""The receipt by message, over HTTP; the page that the link opens is `entrypoints.pages.home.receipt`.

POST /v1/registrations/{line}/receipt-message    a link to the receipt goes to the line itself
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.contract_platform import refused
from shiming.registrations.api.receipts import line_unknown, readable_line, receipt_platform
from shiming.registrations.api.registrations import LineId
from shiming.registrations.model.receipt_links import ReceiptLinkRefused
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases.receipt_links import send_receipt
from shiming.vocabulary.errors import Text

router = APIRouter(tags=["receipts"])
_NOT_SENT = Text(zh="回执不能发送。", en="The receipt cannot be sent.")


class ReceiptMessageShown(BaseModel):
    """A message on its way to the line; neither link nor number stands in the answer."""

    line: str
    notice: str
    state: str
    expires_at: datetime


@router.post(
    "/v1/registrations/{line}/receipt-message",
    status_code=201,
    responses=problem_responses(404, 409),
)
def send(
    request: Request, line: LineId, asking: Annotated[Asking, asked(MayReadReceipt, MayRecordAcceptance)]
) -> ReceiptMessageShown:
    """Send a link to the receipt to the line itself; the link before opens nothing any more."""
    platform = receipt_platform(request)
    found = readable_line(platform, line, asking)
    asking.allow(MayRecordAcceptance(found.operator))
    policy = platform.policy(platform.default_pack, platform.today())
    sent = transact(
        platform.engine,
        lambda connection: send_receipt(
            platform.registrations, connection, found.line_id, policy=policy, now=platform.clock.now()
        ),
    )
    if sent is None:
        raise line_unknown()
    if isinstance(sent, ReceiptLinkRefused):
        raise refused("RECEIPT_MESSAGE_REFUSED", _NOT_SENT, sent.refusals)
    return ReceiptMessageShown(
        line=sent.line_id, notice=sent.notice_id, state=sent.state.value, expires_at=sent.expires_at
    )
