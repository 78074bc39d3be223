"""The receipt on the holder's own phone, by the link in a message; nobody signs in.

GET  /r/{token}               what it is, how its code is verified, where to turn
POST /r/{token}/read          somebody has it before their eyes: the script of the page says so
GET  /r/{token}/receipt.pdf   read as well, for browsers without script

Fetching the page says nothing about a person: messengers do it for a preview, mail filters for a check.
"""

from fastapi import Request, Response

from shiming.entrypoints.pages.home.dead_links import Giver, LinkToken, dead_link
from shiming.entrypoints.pages.home.journey import home_platform, rules_of
from shiming.entrypoints.pages.home.link_pages import shown, unkept
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import open_to_all
from shiming.registrations.model.receipt_links import ReceiptLinkRefused
from shiming.registrations.use_cases.link_tokens import RECEIPT_PATH
from shiming.registrations.use_cases.paper_receipts import PaperWords
from shiming.registrations.use_cases.receipt_links import find_receipt, note_read, open_receipt

router = page_router()
_NO_CONTENT = 204
GATE = [
    open_to_all("the link went to the line itself, whose holder has no account; its token is the permission")
]


@router.get(RECEIPT_PATH + "/{token}", dependencies=GATE)
def receipt(request: Request, token: LinkToken) -> Response:
    """Say what the link is about; the number is masked, for the address may be seen by others."""
    platform = home_platform(request)
    with reading(platform.engine) as connection:
        found = find_receipt(connection, token, policy=rules_of(platform), now=platform.clock.now())
    if isinstance(found, ReceiptLinkRefused):
        raise dead_link(found.refusals, Giver.OPERATOR)
    facts = {
        "line": found.line,
        "number_masked": found.line.number.masked(),
        "operator_name": platform.operator_name(found.line.operator),
        "expires_at": found.expires_at,
        "address": f"{RECEIPT_PATH}/{token}",
    }
    return shown(request, "home/receipt.html", facts)


@router.post(RECEIPT_PATH + "/{token}/read", dependencies=GATE)
def read(request: Request, token: LinkToken) -> Response:
    """Note that the message has reached its reader, once."""
    platform = home_platform(request)
    found = transact(
        platform.engine,
        lambda connection: note_read(
            platform.registrations, connection, token, policy=rules_of(platform), now=platform.clock.now()
        ),
    )
    if isinstance(found, ReceiptLinkRefused):
        raise dead_link(found.refusals, Giver.OPERATOR)
    return unkept(Response(status_code=_NO_CONTENT))


@router.get(RECEIPT_PATH + "/{token}/receipt.pdf", dependencies=GATE)
def paper(request: Request, token: LinkToken) -> Response:
    """Return the receipt for its holder."""
    platform = home_platform(request)
    words = PaperWords(rules_of(platform), platform.operator_name)
    issued = transact(
        platform.engine,
        lambda connection: open_receipt(
            platform.registrations, connection, token, words, now=platform.clock.now()
        ),
    )
    if isinstance(issued, ReceiptLinkRefused):
        raise dead_link(issued.refusals, Giver.OPERATOR)
    name = {"content-disposition": f'attachment; filename="receipt-{issued.line_id}.pdf"'}
    return unkept(Response(issued.pdf, media_type="application/pdf", headers=name))
