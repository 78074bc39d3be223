"""The receipt in the customer's hand, and the next customer.

GET  /counter/{session}/receipt
GET  /counter/{session}/receipt.svg   the code of the paper receipt, to be kept by a photo of the screen
POST /counter/{session}/done          forgets this customer
"""

from typing import Annotated

from fastapi import Request, Response

from shiming.entrypoints.pages.counter.journey import Step, bar_of
from shiming.entrypoints.pages.counter.offers import product_words
from shiming.entrypoints.pages.counter.qr import qr_answer
from shiming.entrypoints.pages.counter.short_lived import forget, name_of
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, rules_of, standing_of
from shiming.entrypoints.pages.counter.steps import Reading, SessionPath
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.jurisdictions.model import ProductClass
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt

router = page_router()


@router.get("/counter/{session}/receipt")
def receipt(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Show what was opened, and the receipt in each of its forms."""
    standing = standing_of(request, session, asking)
    if standing.line is None:
        return see_other(standing.url)
    facts = facts_of(
        request,
        standing,
        bar=bar_of(Step.RECEIPT, Step.RECEIPT),
        line=standing.line,
        product=product_words(ProductClass(standing.line.product_class)),
        masked_name=name_of(request),
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


@router.post("/counter/{session}/done")
def next_customer(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Leave nothing of this customer in the browser, and begin with the next."""
    standing = standing_of(request, session, asking)
    answer = see_other("/counter")
    forget(answer, request, standing)
    return answer
