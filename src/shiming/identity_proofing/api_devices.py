"""Which enrolled device signed a request: a must for readers, and for browsers as soon as they sign.

    device = signer_of(request, hashed, operator_of)

A device has no account: the signature of its key over the request (`device_proofs`) says who it is.
"""

from typing import Any

from fastapi import Request

from shiming.accounts.errors import refused
from shiming.accounts.model import CaptureDevice, Requested
from shiming.accounts.use_cases.capture_devices import DeviceRefused, vouch
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.infrastructure.device_proofs import HEADER
from shiming.infrastructure.device_proofs import body_hash as hash_of_body

#: Kind, type, time and place of an upload stand in a header of its creation, whose body is empty.
METADATA = "upload-metadata"


def vouched(request: Request, body_hash: str, *, arrived_in_s: float = 0.0) -> CaptureDevice:
    """Return the device that signed this request; raise BadInput (DEVICE_PROOF_..., DEVICE_...)."""
    proof = request.headers.get(HEADER)
    if not proof:
        raise refused("DEVICE_PROOF_MISSING")
    platform: Any = request.app.state.platform
    requested = Requested(request.method, request.url.path, body_hash, _said(request))
    found = vouch(platform.accounts, platform.engine, proof, requested, arrived_in_s=arrived_in_s)
    if isinstance(found, DeviceRefused):
        raise refused(found.code)
    return found


def _said(request: Request) -> str:
    """Return the hash of what is said of an upload beside its bytes; empty where nothing is."""
    said = request.headers.get(METADATA)
    return "" if said is None else hash_of_body(said.encode("latin-1"))


def require_operator(device: CaptureDevice, operator: str) -> None:
    """Raise BadInput (DEVICE_OTHER_OPERATOR) unless the device may send for an operator."""
    if device.operator not in {None, operator}:
        raise refused("DEVICE_OTHER_OPERATOR")


def signer_of(
    request: Request, session_id: str, body_hash: str, *, arrived_in_s: float = 0.0
) -> CaptureDevice | None:
    """Return the device that signed what is sent to a session; None where nothing is signed.

    Raises BadInput (DEVICE_...) for a signature that does not hold: it is never taken for none.
    """
    if HEADER not in request.headers:
        return None
    device = vouched(request, body_hash, arrived_in_s=arrived_in_s)
    require_operator(device, status_of(desk_of(request), platform_of(request), session_id).operator)
    return device
