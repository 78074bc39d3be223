"""The receipt in the customer's hand, and the next customer.

GET  /counter/{session}/receipt
GET  /counter/{session}/receipt.svg   the code of the paper receipt, to be kept by a photo of the screen
POST /counter/{session}/receipt-message   a link to the receipt goes to the new line
POST /counter/{session}/done          forgets this customer
"""

from typing import Annotated, Any

from fastapi import Request, Response

from shiming.entrypoints.pages.counter.journey import Standing, Step, bar_of
from shiming.entrypoints.pages.counter.offers import product_words
from shiming.entrypoints.pages.counter.outcome import refusals_shown
from shiming.entrypoints.pages.counter.qr import qr_answer
from shiming.entrypoints.pages.counter.short_lived import forget, name_of
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, rules_of, standing_of
from shiming.entrypoints.pages.counter.steps import Reading, SessionPath
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.jurisdictions.model import ProductClass
from shiming.registrations.model.receipt_links import ReceiptLinkRefused, ReceiptMessage
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt
from shiming.registrations.use_cases.receipt_links import find_message, send_receipt

router = page_router()


@router.get("/counter/{session}/receipt")
def receipt(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Show what was opened, and the receipt in each of its forms."""
    standing = standing_of(request, session, asking)
    if standing.line is None:
        return see_other(standing.url)
    with reading(counter_platform(request).engine) as connection:
        message = find_message(connection, standing.line, rules_of(counter_platform(request)))
    facts = facts_of(
        request,
        standing,
        bar=bar_of(Step.RECEIPT, Step.RECEIPT),
        line=standing.line,
        product=product_words(ProductClass(standing.line.product_class)),
        masked_name=name_of(request),
        **_message_facts(message, standing),
    )
    return page(request, "counter/receipt.html", facts)


@router.get("/counter/{session}/receipt.svg")
def receipt_picture(
    request: Request, session: SessionPath, asking: Annotated[Asking, asked(MayReadSession, MayReadReceipt)]
) -> Response:
    """Draw the code of the paper receipt."""
    standing = standing_of(request, session, asking)
    asking.allow(MayReadReceipt(standing.operator))
    line, platform = standing.line, counter_platform(request)
    if line is None:
        return qr_answer(None)
    words = PaperWords(rules_of(platform), platform.operator_name)
    issued = transact(
        platform.engine,
        lambda connection: issue_paper_receipt(
            platform.registrations, connection, line.line_id, words, now=platform.clock.now()
        ),
    )
    return qr_answer(issued.qr_text if issued else None)


@router.post("/counter/{session}/receipt-message")
def send_message(
    request: Request,
    session: SessionPath,
    asking: Annotated[Asking, asked(MayReadSession, MayReadReceipt, MayRecordAcceptance)],
) -> Response:
    """Have the receipt sent to the new line; the page shows how far it came, or why it cannot be."""
    standing = standing_of(request, session, asking)
    asking.allow(MayReadReceipt(standing.operator))
    asking.allow(MayRecordAcceptance(standing.operator))
    line, platform = standing.line, counter_platform(request)
    if line is None:
        return see_other(standing.url)
    transact(
        platform.engine,
        lambda connection: send_receipt(
            platform.registrations,
            connection,
            line.line_id,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
    )
    return see_other(f"{standing.url}/receipt")


@router.post("/counter/{session}/done")
def next_customer(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Leave nothing of this customer in the browser, and begin with the next."""
    standing = standing_of(request, session, asking)
    answer = see_other("/counter")
    forget(answer, request, standing)
    return answer


def _message_facts(found: ReceiptMessage | ReceiptLinkRefused | None, standing: Standing) -> dict[str, Any]:
    if isinstance(found, ReceiptLinkRefused):
        return {"message": None, "no_message": refusals_shown(found.refusals, standing.policy)}
    return {"message": found, "no_message": ()}
