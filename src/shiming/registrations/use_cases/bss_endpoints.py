"""Name, list and remove operators' BSS; their secrets are kept encrypted and shown once."""

import base64
import re
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.infrastructure.outbox import Event, emit
from shiming.infrastructure.sealed_secrets import find_secret, forget_secrets, put_secret
from shiming.privacy.use_cases.ledger import record
from shiming.registrations.errors.provisioning import bss_token_invalid, bss_unknown
from shiming.registrations.events.provisioning import BSS_ADDED, BSS_REMOVED
from shiming.registrations.model.provisioning import OperatorBss
from shiming.registrations.permissions.provisioning import MayManageProvisioning, MayReadProvisioning
from shiming.registrations.ports.bss import BssEndpoint
from shiming.registrations.store import bss_endpoints as store
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.permissions import asks, inside

SECRET_BYTES = 32  # Standard Webhooks: 24 to 64
OVERLAP = timedelta(hours=24)  # the BSS's people have a working day to install the new secret
TOKEN_CHARACTERS_MAX = 2000
SWEEP = "provisioning.sweep"
_TOKEN = re.compile(rf"[\x21-\x7E]{{1,{TOKEN_CHARACTERS_MAX}}}")


@asks(MayManageProvisioning)
def add_bss(
    tools: ProvisioningTools, connection: Connection, *, operator: str, url: str, token: str, now: datetime
) -> OperatorBss:
    """Say where an operator's BSS is; the URL was checked. What waited for one is sent by the worker."""
    if not _TOKEN.fullmatch(token):
        raise bss_token_invalid()
    row = store.put_bss(connection, operator, url.rstrip("/"), now=now)
    put_secret(connection, tools.keys, store.token_name(operator), token, now=now)
    _note(tools, connection, BSS_ADDED, operator, now)
    enqueue(connection, NewJob(SWEEP, unique_key=f"{SWEEP}:{operator}"), now=now)
    return row


@asks(MayManageProvisioning)
def new_callback_secret(
    tools: ProvisioningTools, connection: Connection, *, operator: str, now: datetime
) -> str:
    """Make the secret that signs callbacks and return it once; the former one holds for `OVERLAP`."""
    if store.find_bss(connection, operator) is None:
        raise bss_unknown()
    present = find_secret(connection, tools.keys, store.callback_name(operator))
    if present is not None:
        put_secret(connection, tools.keys, store.former_callback_name(operator), present, now=now)
    chance = tools.registrations.privacy.random_bytes(SECRET_BYTES)
    secret = f"whsec_{base64.b64encode(chance).decode()}"
    put_secret(connection, tools.keys, store.callback_name(operator), secret, now=now)
    return secret


@asks(MayManageProvisioning)
def remove_bss(tools: ProvisioningTools, connection: Connection, *, operator: str, now: datetime) -> None:
    """Forget an operator's BSS and its secrets; its orders wait from now on."""
    if not store.remove_bss(connection, operator):
        raise bss_unknown()
    names = (store.token_name, store.callback_name, store.former_callback_name)
    forget_secrets(connection, *(name(operator) for name in names))
    _note(tools, connection, BSS_REMOVED, operator, now)


@asks(MayReadProvisioning)
def list_bss(connection: Connection, *, operator: str | None) -> tuple[OperatorBss, ...]:
    """Return the BSS of an operator, or of all."""
    return store.list_bss(connection, operator=operator)


@inside("provisioning finds out where an order goes")
def find_endpoint(connection: Connection, keys: KeyProvider, operator: str) -> BssEndpoint | None:
    """Return where an operator's BSS is, with its token in clear."""
    row = store.find_bss(connection, operator)
    token = None if row is None else find_secret(connection, keys, store.token_name(operator))
    if row is None or token is None:
        return None
    return BssEndpoint(operator, row.url, token)


@inside("callbacks are known by their signature")
def callback_secrets(
    connection: Connection, keys: KeyProvider, operator: str, *, now: datetime
) -> tuple[str, ...]:
    """Return the secrets that an operator's callbacks may be signed with now, the present one first."""
    if store.find_bss(connection, operator) is None:
        return ()
    present = find_secret(connection, keys, store.callback_name(operator))
    former = find_secret(connection, keys, store.former_callback_name(operator), made_after=now - OVERLAP)
    return tuple(secret for secret in (present, former) if secret)


@inside("shown with the secret")
def callback_url(public_url: str, operator: str) -> str:
    """Return where the BSS of an operator sends its callbacks."""
    return f"{public_url}/v1/bss/{operator}/callbacks"


def _note(tools: ProvisioningTools, connection: Connection, kind: str, operator: str, now: datetime) -> None:
    record(connection, tools.keys, kind=kind, facts={"operator": operator}, now=now, operator=operator)
    emit(connection, Event(kind, operator, operator, now))
