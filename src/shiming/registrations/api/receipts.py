"""Receipts for the customer's own hands, over HTTP: on paper and for a wallet, and what verifies them.

GET  /v1/registrations/{line}/receipt.pdf
POST /v1/registrations/{line}/portable-receipt    SD-JWT VC, bound to the key of the holder's wallet
GET  /v1/receipt-keys                             public keys, base64 and JWK
GET  /.well-known/jwt-vc-issuer                   the same keys, where wallets and verifiers look
POST /v1/paper-receipts/verification              for who has no program of ours
POST /v1/portable-receipts/verification
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.contract_platform import ContractPlatform, refused
from shiming.registrations.api.registrations import LineId
from shiming.registrations.model.lines import Line
from shiming.registrations.model.paper_receipts import PaperGenuine, PaperNotGenuine
from shiming.registrations.model.portable_receipts import (
    PortableGenuine,
    PortableNotGenuine,
    PortableRefused,
    WhatIsAsked,
)
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.paper_receipts import (
    PaperWords,
    issue_paper_receipt,
    verify_paper_receipt,
)
from shiming.registrations.use_cases.portable_receipts import (
    issue_portable_receipt,
    jwk_of,
    read_holder_key,
    verify_portable_receipt,
)
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


class HolderKeyShown(BaseModel):
    """The public key of the holder's wallet."""

    model_config = ConfigDict(extra="forbid")
    holder_key: Annotated[
        dict[str, JsonValue], Field(description="A public JWK: EC P-256 or OKP Ed25519.", max_length=20)
    ]


class PortableReceipt(BaseModel):
    """A receipt for a wallet; it is not kept here."""

    sd_jwt: str
    expires_at: datetime


class PaperShown(BaseModel):
    """The text of a QR code."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(max_length=5000)]


class PortableShown(BaseModel):
    """What a wallet presented, and what it was asked with."""

    model_config = ConfigDict(extra="forbid")
    presentation: Annotated[str, Field(max_length=65_536)]
    nonce: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    audience: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class Verified(BaseModel):
    """Whether a receipt is genuine, and then what it says."""

    genuine: bool
    code: str | None = None
    holder_bound: bool | None = None
    content: dict[str, JsonValue] | None = None


class VcIssuer(BaseModel):
    """Metadata of an issuer of SD-JWT VC."""

    issuer: str
    jwks: dict[str, list[dict[str, str]]]


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
        raise line_unknown()
    name = f'inline; filename="receipt-{found.line_id}.pdf"'
    return Response(issued.pdf, media_type=PDF, headers={"content-disposition": name})


@router.post(
    "/v1/registrations/{line}/portable-receipt",
    status_code=201,
    responses=problem_responses(404, 409),
)
def issue_portable(
    request: Request, line: LineId, wanted: HolderKeyShown, asking: Reading
) -> PortableReceipt:
    """Make a receipt for the holder's wallet; the holder discloses of it what they like."""
    platform = receipt_platform(request)
    found = readable_line(platform, line, asking)
    holder, now = read_holder_key(wanted.holder_key), platform.clock.now()
    outcome = transact(
        platform.engine,
        lambda connection: issue_portable_receipt(
            platform.registrations,
            connection,
            found.line_id,
            holder,
            issuer=platform.settings.public_url,
            policy=platform.policy(platform.default_pack, platform.today()),
            now=now,
        ),
    )
    if outcome is None:
        raise line_unknown()
    if isinstance(outcome, PortableRefused):
        text = Text(zh="不能出具可携回执。", en="No portable receipt can be made.")
        raise refused("PORTABLE_RECEIPT_REFUSED", text, outcome.refusals)
    return PortableReceipt(sd_jwt=outcome.sd_jwt, expires_at=outcome.expires_at)


@router.post("/v1/paper-receipts/verification", dependencies=[open_to_all(_WHY)])
def verify_paper(request: Request, shown: PaperShown) -> Verified:
    """Check the code of a receipt on paper by this installation's key; nothing is recorded."""
    signer = receipt_platform(request).registrations.signer
    return _verified(verify_paper_receipt(shown.text, [signer.public_key]))


@router.post("/v1/portable-receipts/verification", dependencies=[open_to_all(_WHY)])
def verify_portable(request: Request, shown: PortableShown) -> Verified:
    """Check what a wallet presented by this installation's key; nothing is recorded."""
    platform = receipt_platform(request)
    signer = platform.registrations.signer
    wanted = WhatIsAsked(
        (jwk_of(signer.public_key, signer.key_id),),
        platform.settings.public_url,
        nonce=shown.nonce,
        audience=shown.audience,
    )
    return _verified(verify_portable_receipt(shown.presentation, wanted, now=platform.clock.now()))


@router.get("/.well-known/jwt-vc-issuer", dependencies=[open_to_all(_WHY)])
def read_vc_issuer(request: Request) -> VcIssuer:
    """Return the issuer's metadata (SD-JWT VC, JWT VC Issuer Metadata)."""
    platform = receipt_platform(request)
    signer = platform.registrations.signer
    jwks = {"keys": [jwk_of(signer.public_key, signer.key_id)]}
    return VcIssuer(issuer=platform.settings.public_url, jwks=jwks)


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
        raise line_unknown()
    return found


def _verified(
    found: PaperGenuine | PaperNotGenuine | PortableGenuine | PortableNotGenuine,
) -> Verified:
    match found:
        case PaperGenuine():
            return Verified(genuine=True, content=_json(found.content))
        case PortableGenuine():
            return Verified(genuine=True, holder_bound=found.holder_bound, content=_json(found.claims))
        case _:
            return Verified(genuine=False, code=found.code)


def _json(content: Mapping[str, Any]) -> dict[str, JsonValue]:
    return dict(content)


def line_unknown() -> BadInput:
    """Return the error for a line that is not there, or not the caller's."""
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有这条登记。", en="There is no such line."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )
