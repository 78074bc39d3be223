"""Machine clients: programs that call the API with scopes of their own."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from shiming.accounts.connectors.access_tokens import public_key_set
from shiming.accounts.errors import refused
from shiming.accounts.model import Client
from shiming.accounts.permissions import MayManageClients
from shiming.accounts.ports import Fact
from shiming.accounts.rules.roles import decide_scopes
from shiming.accounts.store import clients as store
from shiming.accounts.store.accounts import words
from shiming.accounts.use_cases.accounts import Actor, parse_operator
from shiming.accounts.use_cases.tools import AccountTools, hash_of
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber

CLIENT_PREFIX = "MCH"
NAME_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class NewClient:
    """What is needed for a client; with `public_keys` (a JWKS) it signs assertions and needs no secret."""

    name: str
    scopes: frozenset[str]
    operator: str | None = None
    public_keys: str | None = None


@asks(MayManageClients)
def create_client(tools: AccountTools, connection: Connection, wanted: NewClient, *, by: Actor) -> Client:
    """Create a client without a secret; BadInput for what cannot be one."""
    name, operator = wanted.name.strip(), parse_operator(wanted.operator)
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise refused("CLIENT_NAME_FORMAT")
    _refuse_scopes(wanted.scopes, operator)
    keys = None if wanted.public_keys is None else public_key_set(wanted.public_keys)
    if wanted.public_keys is not None and keys is None:
        raise refused("CLIENT_KEYS_INVALID")
    client = Client(
        reference=str(ReferenceNumber.create(CLIENT_PREFIX, tools.random_bytes(RANDOM_BYTES))),
        name=name,
        scopes=wanted.scopes,
        operator=operator,
        created_at=tools.clock.now(),
    )
    store.insert_client(connection, client, public_keys=keys)
    _record(tools, connection, "client.created", client, by, scopes=_scope_fact(client.scopes))
    return client


@asks(MayManageClients)
def new_client_secret(tools: AccountTools, connection: Connection, client: Client, *, by: Actor) -> str:
    """Return a fresh secret, shown once; the one before is worthless."""
    secret = tools.new_secret()
    store.set_secret(connection, client.reference, hash_of(secret))
    _record(tools, connection, "client.secret_set", client, by)
    return secret


@asks(MayManageClients)
def change_scopes(
    tools: AccountTools, connection: Connection, client: Client, scopes: Collection[str], *, by: Actor
) -> Client:
    """Give a client other scopes; tokens that it holds are worthless."""
    _refuse_scopes(scopes, client.operator)
    changed = _change(tools, connection, replace(client, scopes=frozenset(scopes)))
    _record(tools, connection, "client.scopes_changed", client, by, scopes=_scope_fact(changed.scopes))
    return changed


@asks(MayManageClients)
def disable_client(tools: AccountTools, connection: Connection, client: Client, *, by: Actor) -> Client:
    """Let a client get and use tokens no more; a repeat changes nothing."""
    if client.disabled_at is not None:
        return client
    disabled = _change(tools, connection, replace(client, disabled_at=tools.clock.now()))
    _record(tools, connection, "client.disabled", client, by)
    return disabled


@asks(MayManageClients)
def get_client(connection: Connection, reference: str) -> Client:
    """Return a client; BadInput when there is none."""
    found = store.find_client(connection, reference)
    if found is None:
        raise refused("CLIENT_UNKNOWN")
    return found


@asks(MayManageClients)
def list_clients(
    connection: Connection, *, operator: str | None, after: str | None = None, limit: int
) -> list[Client]:
    """Return clients by reference; operator None: of all operators and of the platform."""
    return store.list_clients(connection, operator=operator, after=after, limit=limit)


def _change(tools: AccountTools, connection: Connection, after: Client) -> Client:
    now = tools.clock.now()
    changed = store.update_client(
        connection,
        after.reference,
        version=after.version,
        scopes=after.scopes,
        disabled_at=after.disabled_at,
        tokens_valid_from=now,
    )
    if not changed:
        raise refused("VERSION_CHANGED")
    return replace(after, version=after.version + 1, tokens_valid_from=now)


def _refuse_scopes(scopes: Collection[str], operator: str | None) -> None:
    flaws = decide_scopes(scopes, operator=operator)
    if flaws:
        raise refused(flaws[0].value, all=[flaw.value for flaw in flaws])


def _scope_fact(scopes: Collection[str]) -> str:
    """Return the scopes as one fact: all codes in clear would be longer than a fact may be."""
    return f"{len(scopes)}.sha256.{hash_of(words(scopes))[:32]}"


def _record(
    tools: AccountTools, connection: Connection, kind: str, client: Client, by: Actor, **facts: Fact
) -> None:
    tools.record(
        connection,
        kind=kind,
        facts={"client": client.reference, "by": by.reference, **facts},
        now=tools.clock.now(),
        operator=client.operator or "",
    )
