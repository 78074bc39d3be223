"""Receipts for the customer's own hands, over HTTP: on paper, and the keys that verify them.

GET  /v1/registrations/{line}/receipt.pdf
GET  /v1/receipt-keys                          public keys, base64 and JWK
"""

from typing import Annotated, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.contract_platform import ContractPlatform
from shiming.registrations.api.registrations import LineId
from shiming.registrations.model.lines import Line
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt
from shiming.registrations.use_cases.portable_receipts import jwk_of
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(tags=["receipts"])

_WHY = "whoever is shown a receipt verifies it without an account"
PDF = "application/pdf"
Reading = Annotated[Asking, asked(MayReadReceipt)]


class ReceiptPlatform(ContractPlatform, Protocol):
    """What these routes need of the wired platform."""

    def operator_name(self, operator: str) -> str:
        """Return the name of an operator as customers know it."""
        ...


class ReceiptKey(BaseModel):
    """A key that signs receipts."""

    key_id: str
    algorithm: str = "Ed25519"
    public_key: str
    jwk: dict[str, str]


class ReceiptKeys(BaseModel):
    """The keys that sign receipts."""

    keys: list[ReceiptKey]


@router.get(
    "/v1/registrations/{line}/receipt.pdf",
    response_class=Response,
    responses={200: {"content": {PDF: {}}, "description": "One page A4."}, **problem_responses(404)},
)
def read_paper(request: Request, line: LineId, asking: Reading) -> Response:
    """Return the receipt for print, in both languages; its QR code is verified offline."""
    platform = receipt_platform(request)
    found = readable_line(platform, line, asking)
    words = PaperWords(platform.policy(platform.default_pack, platform.today()), platform.operator_name)
    now = platform.clock.now()
    issued = transact(
        platform.engine,
        lambda connection: issue_paper_receipt(
            platform.registrations, connection, found.line_id, words, now=now
        ),
    )
    if issued is None:
        raise _unknown()
    name = f'inline; filename="receipt-{found.line_id}.pdf"'
    return Response(issued.pdf, media_type=PDF, headers={"content-disposition": name})


@router.get("/v1/receipt-keys", dependencies=[open_to_all(_WHY)])
def read_keys(request: Request) -> ReceiptKeys:
    """Return the public keys that receipts are verified by."""
    signer = receipt_platform(request).registrations.signer
    jwk = jwk_of(signer.public_key, signer.key_id)
    return ReceiptKeys(keys=[ReceiptKey(key_id=signer.key_id, public_key=signer.public_key, jwk=jwk)])


def receipt_platform(request: Request) -> ReceiptPlatform:
    """Return the wired program."""
    platform: ReceiptPlatform = request.app.state.platform
    return platform


def readable_line(platform: ReceiptPlatform, line_id: str, asking: Asking) -> Line:
    """Return a line whose receipt the caller may have; another operator's is not found."""
    asking.allow(MayReadReceipt(asking.caller.operator or ""))
    with reading(platform.engine) as connection:
        found = find_line(connection, line_id)
    if found is None or not asking.may(MayReadReceipt(found.operator)):
        raise _unknown()
    return found


def _unknown() -> BadInput:
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有这条登记。", en="There is no such line."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )
