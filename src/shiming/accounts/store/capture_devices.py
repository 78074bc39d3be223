"""Capture devices: rows <-> model. A revoked device stays: evidence names it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.accounts.model import CaptureDevice, DeviceKind
from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema

_devices = sa.Table(
    "capture_devices",
    schema,
    sa.Column("reference", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("outlet", sa.String(80), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False, index=True),  # "" for the platform
    sa.Column("public_key", sa.String(400), nullable=False),  # JWK
    sa.Column("thumbprint", sa.String(64), nullable=False, unique=True),  # RFC 7638
    sa.Column("enrolled_at", UtcInstant, nullable=False),
    sa.Column("enrolled_by", sa.String(40), nullable=False),
    sa.Column("last_used_at", UtcInstant),
    sa.Column("revoked_at", UtcInstant),
)
_d = _devices.c


def insert_device(connection: Connection, device: CaptureDevice, *, thumbprint: str) -> bool:
    """Write a new device; False when its key is known already."""
    written = connection.execute(
        insert_into(connection, _devices)
        .values(
            reference=device.reference,
            name=device.name,
            kind=device.kind.value,
            outlet=device.outlet,
            operator=device.operator or "",
            public_key=device.public_key,
            thumbprint=thumbprint,
            enrolled_at=device.enrolled_at,
            enrolled_by=device.enrolled_by,
        )
        .on_conflict_do_nothing(index_elements=["thumbprint"])
        .returning(_d.reference)
    )
    return written.first() is not None


def find_device(connection: Connection, reference: str) -> CaptureDevice | None:
    """Return a device."""
    row = connection.execute(sa.select(_devices).where(_d.reference == reference)).first()
    return _device(row) if row else None


def find_by_key(connection: Connection, thumbprint: str) -> CaptureDevice | None:
    """Return the device whose key this is."""
    row = connection.execute(sa.select(_devices).where(_d.thumbprint == thumbprint)).first()
    return _device(row) if row else None


def list_devices(
    connection: Connection, *, operator: str | None, after: str | None, limit: int
) -> list[CaptureDevice]:
    """Return devices in the order of their references; operator None: of all, "" of the platform."""
    query = sa.select(_devices).order_by(_d.reference).limit(limit)
    if operator is not None:
        query = query.where(_d.operator == operator)
    if after is not None:
        query = query.where(_d.reference > after)
    return [_device(row) for row in connection.execute(query)]


def revoke(connection: Connection, reference: str, at: datetime) -> bool:
    """Mark a device as revoked; False when it was before."""
    still = (_d.reference == reference) & _d.revoked_at.is_(None)
    return connection.execute(_devices.update().where(still).values(revoked_at=at)).rowcount == 1


def note_use(connection: Connection, reference: str, at: datetime) -> None:
    """Write down when a device was used last."""
    connection.execute(_devices.update().where(_d.reference == reference).values(last_used_at=at))


def _device(row: Row[Any]) -> CaptureDevice:
    return CaptureDevice(
        reference=row.reference,
        name=row.name,
        kind=DeviceKind(row.kind),
        outlet=row.outlet,
        operator=row.operator or None,
        public_key=row.public_key,
        enrolled_at=row.enrolled_at,
        enrolled_by=row.enrolled_by,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
