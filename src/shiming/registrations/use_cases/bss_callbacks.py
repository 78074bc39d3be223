"""A BSS calls back: who it is says the signature, what it says is taken up once.

Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body` with the secret shared with this operator's BSS;
what is older or newer than `TOLERANCE` is refused. A repeat changes nothing, so no id need be remembered.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import Connection
from standardwebhooks.webhooks import Webhook

from shiming.registrations.errors.provisioning import callback_refused, order_unknown
from shiming.registrations.model.provisioning import ServiceOrder
from shiming.registrations.rules.service_orders import REPORTED
from shiming.registrations.store import provisioning as store
from shiming.registrations.use_cases.order_progress import settle
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.permissions import inside

TOLERANCE = timedelta(minutes=5)  # of Standard Webhooks
SIGNATURES_MAX = 5  # two during a change of secret
_DIGITS_MAX = 12
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,59}")
EVENT_TYPE = "ServiceOrderStateChangeEvent"


class _Named(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str = Field(min_length=1, max_length=120)
    externalId: str | None = Field(default=None, max_length=64)  # noqa: N815 - the standard's name
    state: str = Field(max_length=40)
    errorMessage: list[dict[str, Any]] = Field(default_factory=list)  # noqa: N815 - the standard's name


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore")
    serviceOrder: _Named  # noqa: N815 - the standard's name


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")
    eventType: str  # noqa: N815 - the standard's name
    event: _Payload


@inside("the route of callbacks has no caller who is signed in; this is its check")
def is_authentic(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, *, now: datetime) -> bool:
    """Say whether one of the secrets signed these bytes just now."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _DIGITS_MAX):
        return False
    at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(now - at) > TOLERANCE:
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    expected = [Webhook(secret).sign(message_id, at, text) for secret in secrets]
    return any(hmac.compare_digest(a.encode(), b.encode()) for a in expected for b in given)


@inside("the route has checked the signature")
def take_callback(
    tools: ProvisioningTools, connection: Connection, operator: str, body: bytes, *, now: datetime
) -> ServiceOrder:
    """Take up what a callback says; raise SERVICE_ORDER_UNKNOWN, CALLBACK_INVALID."""
    try:
        told = _Event.model_validate_json(body)
    except ValidationError as problem:
        raise callback_refused() from problem
    named = told.event.serviceOrder
    reported = REPORTED.get(named.state)
    if told.eventType != EVENT_TYPE or reported is None:
        raise callback_refused()
    order = (
        store.find_order(connection, named.externalId)
        if named.externalId
        else store.find_by_bss_order(connection, operator, named.id)
    )
    if order is None or order.operator != operator:
        raise order_unknown()
    code = next((str(each.get("code", "")) for each in named.errorMessage), None)
    changed = settle(
        tools,
        connection,
        order.order_id,
        reported,
        now=now,
        bss_order=named.id,
        reason=_code(code) or (named.state.upper() if named.state in {"rejected", "cancelled"} else None),
    )
    return changed or order


def _code(text: str | None) -> str | None:
    """Return a code as it may stand in the ledger, else nothing: free text could name somebody."""
    return text if text is not None and _CODE.fullmatch(text) else None
