"""Capture devices: enrolled by their public key, revocable, and what one of them says of a request."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from shiming.accounts.errors import refused
from shiming.accounts.model import CaptureDevice, DeviceKind, Requested
from shiming.accounts.permissions import MayManageDevices
from shiming.accounts.rules.device_proofs import decide_proof
from shiming.accounts.store import capture_devices as store
from shiming.accounts.store import sign_in as one_time
from shiming.accounts.use_cases.accounts import Actor, parse_operator
from shiming.accounts.use_cases.tools import SEEN_EVERY, AccountTools, hash_of
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.device_proofs import (
    DeviceProof,
    claimed_key,
    public_key,
    read_proof,
    thumbprint,
)
from shiming.infrastructure.outbox import Event, emit
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber

DEVICE_PREFIX = "DEV"
NAME_CHARACTERS_MAX = 80
READERS_SHOWN_MAX = 200  # of one operator in one list; a shop has a few
_NONCE = "device.nonce"
#: Nonces outlive the proofs that are fresh: a repeat whose body takes minutes to arrive is still a repeat.
_NONCE_KEPT_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What is needed to enrol a device; `public_key` is a JWK as text."""

    name: str
    kind: DeviceKind
    outlet: str
    public_key: str
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceRefused:
    """A proof that does not hold, with the code that says why."""

    code: str


@asks(MayManageDevices)
def enrol_device(
    tools: AccountTools, connection: Connection, wanted: NewDevice, *, by: Actor
) -> CaptureDevice:
    """Enrol a device; BadInput for what cannot be one, or for a key that is known already."""
    key = public_key(wanted.public_key)
    if key is None:
        raise refused("DEVICE_KEY_INVALID")
    device = CaptureDevice(
        reference=str(ReferenceNumber.create(DEVICE_PREFIX, tools.random_bytes(RANDOM_BYTES))),
        name=_label(wanted.name),
        kind=wanted.kind,
        outlet=_label(wanted.outlet),
        operator=parse_operator(wanted.operator),
        public_key=key,
        enrolled_at=tools.clock.now(),
        enrolled_by=by.reference,
    )
    mark = thumbprint(key)
    if not store.insert_device(connection, device, thumbprint=mark):
        raise refused("DEVICE_KEY_TAKEN")
    _tell(tools, connection, "device.enrolled", device, by=by, now=device.enrolled_at)
    return device


@asks(MayManageDevices)
def revoke_device(
    tools: AccountTools, connection: Connection, device: CaptureDevice, *, by: Actor
) -> CaptureDevice:
    """Let a device sign no more; a repeat changes nothing."""
    now = tools.clock.now()
    if store.revoke(connection, device.reference, now):
        _tell(tools, connection, "device.revoked", device, by=by, now=now)
    return get_device(connection, device.reference)


@asks(MayManageDevices)
def get_device(connection: Connection, reference: str) -> CaptureDevice:
    """Return a device; BadInput when there is none."""
    found = store.find_device(connection, reference)
    if found is None:
        raise refused("DEVICE_UNKNOWN")
    return found


@asks(MayManageDevices)
def list_devices(
    connection: Connection, *, operator: str | None, after: str | None = None, limit: int
) -> list[CaptureDevice]:
    """Return devices by reference; operator None: of all operators and of the platform."""
    return store.list_devices(connection, operator=operator, after=after, limit=limit)


@inside("a page of a session shows which readers it may ask, and has asked its own question")
def readers_of(connection: Connection, operator: str) -> list[CaptureDevice]:
    """Return the readers that may hand in for an operator: its own, and those of the platform."""
    found = [
        device
        for owner in dict.fromkeys((operator, ""))
        for device in store.list_devices(connection, operator=owner, after=None, limit=READERS_SHOWN_MAX)
    ]
    return [each for each in found if each.kind is DeviceKind.READER and each.revoked_at is None]


@inside("the device proves itself in the request; what it may do is asked by the route")
def vouch(
    tools: AccountTools, engine: Engine, header: str, requested: Requested, *, arrived_in_s: float = 0.0
) -> CaptureDevice | DeviceRefused:
    """Return the enrolled device that signed this request, whose body took `arrived_in_s` to arrive.

    (1) the device is enrolled and not revoked  (2) its key signed the proof  (3) the proof is of this
    request and fresh  (4) its nonce was not seen before
    """
    now = tools.clock.now()
    began = now - timedelta(seconds=arrived_in_s)  # a slow line makes no proof stale
    with reading(engine) as connection:
        device = store.find_by_key(connection, claimed_key(header) or "")
    if device is None:
        return DeviceRefused("DEVICE_NOT_ENROLLED")
    if device.revoked_at is not None:
        return DeviceRefused("DEVICE_REVOKED")
    proof = read_proof(header, device.public_key)
    if proof is None:
        return DeviceRefused("DEVICE_PROOF_INVALID")
    signed = Requested(proof.method, proof.path, proof.body_hash, proof.said_hash)
    flaw = decide_proof(signed, proof.issued_at, requested, now=began)
    if flaw is not None:
        return DeviceRefused(flaw)
    first = transact(engine, lambda connection: _first_use(connection, device, proof, now))
    return device if first else DeviceRefused("DEVICE_PROOF_REPLAYED")


def _first_use(connection: Connection, device: CaptureDevice, proof: DeviceProof, now: datetime) -> bool:
    """Keep the nonce longer than its proof could be fresh, and note the use."""
    until = datetime.fromtimestamp(proof.issued_at, UTC) + _NONCE_KEPT_FOR
    fresh = one_time.insert_secret(
        connection,
        secret_hash=hash_of(f"{device.reference} {proof.nonce}"),
        purpose=_NONCE,
        account=device.reference,
        expires_at=until,
    )
    if fresh and (device.last_used_at is None or now - device.last_used_at >= SEEN_EVERY):
        store.note_use(connection, device.reference, now)
    return fresh


def _label(text: str) -> str:
    label = " ".join(text.split())
    if not 0 < len(label) <= NAME_CHARACTERS_MAX or not label.isprintable():
        raise refused("DEVICE_NAME_FORMAT")
    return label


def _tell(
    tools: AccountTools,
    connection: Connection,
    kind: str,
    device: CaptureDevice,
    *,
    by: Actor,
    now: datetime,
) -> None:
    key = thumbprint(device.public_key)
    facts = {"device": device.reference, "kind": device.kind.value, "key": hash_of(key)[:32]}
    operator = device.operator or ""
    tools.record(connection, kind=kind, facts={**facts, "by": by.reference}, now=now, operator=operator)
    emit(connection, Event(kind, device.reference, operator, now, dict(facts)))
