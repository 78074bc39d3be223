"""The HTTP face of the sandbox authority: OSIA `verify`, `GET /health`, `GET` and `POST /faults`.

`POST /faults` with `{"faults": ["slow", "lost_card"], "delay_s": 5}` replaces the faults that are on.
"""

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shiming.identity_proofing.connectors.osia import CAUSES, MATCHED, NOT_MATCHED
from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.sandbox_authority.faults import Fault, Faults
from shiming.identity_proofing.sandbox_authority.population import PersonRecord
from shiming.identity_proofing.sandbox_authority.verification import Comparer, verify_attributes

BODY_BYTES_MAX = 8_000_000  # one portrait in base64
DELAY_S_MAX = 300.0
_MESSAGES = {answer: cause for cause, answer in CAUSES.items()}


class _Credential(BaseModel):
    credentialNumber: str | None = None  # noqa: N815 - the standard's name
    expiryDate: str | None = None  # noqa: N815 - the standard's name


class _Biometric(BaseModel):
    biometricType: str  # noqa: N815 - the standard's name
    image: str = Field(default="", repr=False)


class _AttributeSet(BaseModel):
    model_config = ConfigDict(extra="forbid")
    biographicData: dict[str, Any] = Field(default_factory=dict)  # noqa: N815 - the standard's name
    credentialData: tuple[_Credential, ...] = ()  # noqa: N815 - the standard's name
    biometricData: tuple[_Biometric, ...] = Field(default=(), max_length=1)  # noqa: N815 - one portrait


class _FaultsWanted(BaseModel):
    faults: tuple[Fault, ...] = ()
    delay_s: float = Field(default=30.0, ge=0, le=DELAY_S_MAX)


@dataclass(frozen=True, slots=True)
class SandboxAuthority:
    """The service's records and its way to compare two faces (passed in: recognition or a test's own)."""

    population: Mapping[str, PersonRecord] = field(repr=False)
    compare: Comparer
    today: Callable[[], str]
    token: str | None = field(default=None, repr=False)
    faults: Faults = field(default_factory=Faults)

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/verify/{identifier:path}", self._verify, methods=["POST"]),
                Route("/faults", self._faults, methods=["GET", "POST"]),
                Route("/health", _health, methods=["GET"]),
            ]
        )

    async def _verify(self, request: Request) -> Response:
        if self.token and not _bearer_is(request, self.token):
            return PlainTextResponse("", 401)
        if (broken := await self._break()) is not None:
            return broken
        try:
            sent, portrait = _parsed(request, await request.body())
        except (ValidationError, binascii.Error, ValueError):
            return _error(400, "transactionId and an AttributeSet with at most one portrait are required")
        record = self.population.get(request.path_params["identifier"])
        if record is None:
            return PlainTextResponse("", 404)
        return _result(await run_in_threadpool(self._answer, record, sent, portrait))

    def _answer(self, record: PersonRecord, sent: _AttributeSet, portrait: bytes | None) -> AuthorityAnswer:
        for fault, answer in (
            (Fault.LOST_CARD, AuthorityAnswer.CARD_LOST),
            (Fault.EXPIRED_CARD, AuthorityAnswer.CARD_EXPIRED),
            (Fault.DENY, AuthorityAnswer.MISMATCH),
        ):
            if fault in self.faults.on:
                return answer
        expiry = next((c.expiryDate for c in sent.credentialData if c.expiryDate), None)
        return verify_attributes(
            record,
            name=sent.biographicData.get("fullName"),
            birth_date=sent.biographicData.get("dateOfBirth"),
            valid_to=expiry[:10] if expiry else None,
            portrait=portrait,
            compare=self.compare,
            on=self.today(),
        )

    async def _break(self) -> Response | None:
        if Fault.SLOW in self.faults.on:
            await asyncio.sleep(self.faults.delay_s)
        if Fault.DOWN in self.faults.on:
            return PlainTextResponse("", 503)
        if Fault.WRONG in self.faults.on:
            return JSONResponse({"result": "maybe"})
        return None

    async def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                wanted = _FaultsWanted.model_validate_json(await request.body())
            except ValidationError:
                return _error(400, f"faults are among {', '.join(Fault)}")
            self.faults.on, self.faults.delay_s = frozenset(wanted.faults), wanted.delay_s
        return JSONResponse({"faults": sorted(self.faults.on), "delay_s": self.faults.delay_s})


def _parsed(request: Request, body: bytes) -> tuple[_AttributeSet, bytes | None]:
    if not request.query_params.get("transactionId") or len(body) > BODY_BYTES_MAX:
        raise ValueError
    sent = _AttributeSet.model_validate_json(body)
    images = [base64.b64decode(each.image, validate=True) for each in sent.biometricData]
    return sent, images[0] if images else None


async def _health(_request: Request) -> Response:
    return JSONResponse({"sandbox": True, "warning": "a pretended authority: its answers prove nothing"})


def _bearer_is(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _result(answer: AuthorityAnswer) -> Response:
    matched = answer is AuthorityAnswer.MATCH
    return JSONResponse(
        {
            "verificationCode": MATCHED if matched else NOT_MATCHED,
            "verificationMessage": "MATCH" if matched else _MESSAGES.get(answer, "NO_MATCH"),
        }
    )


def _error(status: int, message: str) -> Response:
    return Response(
        json.dumps({"code": status, "message": message}), status_code=status, media_type="application/json"
    )
