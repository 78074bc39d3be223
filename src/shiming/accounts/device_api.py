"""Capture devices, for administrators: enrolled by public key, revocable.

GET  /v1/capture-devices                      with last use
POST /v1/capture-devices                      enrol one
GET  /v1/capture-devices/{reference}
POST /v1/capture-devices/{reference}/revoke   it signs no more
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.accounts.account_api import OPERATOR, OperatorAsked, Reference, actor
from shiming.accounts.asking import platform_of
from shiming.accounts.model import CaptureDevice, DeviceKind
from shiming.accounts.permissions import MayManageDevices
from shiming.accounts.use_cases import capture_devices as use_cases
from shiming.accounts.use_cases.capture_devices import NewDevice
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.device_proofs import KEY_CHARACTERS_MAX
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.vocabulary.reference_numbers import ReferenceNumber

PREFIX = "/v1/capture-devices"
Administrator = Annotated[Asking, asked(MayManageDevices)]

router = APIRouter(prefix=PREFIX, tags=["capture devices"])


class DeviceWanted(BaseModel):
    """A device to enrol; `public_key` is a P-256 or Ed25519 JWK as text."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=use_cases.NAME_CHARACTERS_MAX)
    kind: DeviceKind
    outlet: str = Field(min_length=1, max_length=use_cases.NAME_CHARACTERS_MAX)
    public_key: str = Field(min_length=1, max_length=KEY_CHARACTERS_MAX)
    operator: str | None = Field(default=None, pattern=OPERATOR)


class DeviceShown(BaseModel):
    """A device."""

    reference: str
    name: str
    kind: DeviceKind
    outlet: str
    operator: str | None
    enrolled_at: str
    last_used_at: str | None
    revoked_at: str | None


class DeviceList(Listing):
    """A page of devices."""

    items: list[DeviceShown]


@router.get("", responses=problem_responses(400))
def list_devices(
    request: Request,
    asking: Administrator,
    page: Annotated[PageAsked, paged("capture_devices")],
    operator: OperatorAsked = None,
) -> DeviceList:
    """List capture devices in the order of their references."""
    wanted = operator or asking.caller.operator
    asking.allow(MayManageDevices(wanted or ""))
    after = str(ReferenceNumber.parse(str(page.after[0]))) if page.after else None
    with reading(platform_of(request).engine) as connection:
        found = use_cases.list_devices(connection, operator=wanted, after=after, limit=page.size + 1)
    shown = page.listing([device_shown(device) for device in found], key=lambda item: (item.reference,))
    return DeviceList(**shown)


@router.post("", status_code=201, response_model=DeviceShown, responses=problem_responses(400, 409))
def enrol_device(
    request: Request,
    body: DeviceWanted,
    asking: Administrator,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Enrol a capture device of one's own operator, or of the platform."""
    operator = body.operator or asking.caller.operator
    asking.allow(MayManageDevices(operator or ""))
    platform = platform_of(request)
    wanted = NewDevice(body.name, body.kind, body.outlet, body.public_key, operator)

    def work(connection: Connection) -> Answer:
        device = use_cases.enrol_device(platform.accounts, connection, wanted, by=actor(asking))
        return Answer.of(201, device_shown(device), location=f"{PREFIX}/{device.reference}")

    now = platform.accounts.clock.now()
    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, body), work, now=now)


@router.get("/{reference}", responses=problem_responses(404))
def show_device(request: Request, reference: Reference, asking: Administrator) -> DeviceShown:
    """Return a capture device."""
    with reading(platform_of(request).engine) as connection:
        return device_shown(_get(asking, connection, reference))


@router.post("/{reference}/revoke", responses=problem_responses(404))
def revoke_device(request: Request, reference: Reference, asking: Administrator) -> DeviceShown:
    """Let a capture device sign no more, at once; a repeat changes nothing."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        device = _get(asking, connection, reference)
        return device_shown(use_cases.revoke_device(platform.accounts, connection, device, by=actor(asking)))


def device_shown(device: CaptureDevice) -> DeviceShown:
    """Return what an administrator sees of a device."""
    return DeviceShown(
        reference=device.reference,
        name=device.name,
        kind=device.kind,
        outlet=device.outlet,
        operator=device.operator,
        enrolled_at=device.enrolled_at.isoformat(),
        last_used_at=device.last_used_at.isoformat() if device.last_used_at else None,
        revoked_at=device.revoked_at.isoformat() if device.revoked_at else None,
    )


def _get(asking: Asking, connection: Connection, reference: str) -> CaptureDevice:
    asking.allow(MayManageDevices(asking.caller.operator or ""))
    device = use_cases.get_device(connection, reference)
    asking.allow(MayManageDevices(device.operator or ""))
    return device
