"""Machine clients, for administrators, and their access tokens."""

import base64
import binascii
import json
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy.engine import Connection

from shiming.accounts.account_api import OPERATOR, OperatorAsked, Reference, actor
from shiming.accounts.asking import platform_of
from shiming.accounts.model import Client
from shiming.accounts.permissions import MayManageClients
from shiming.accounts.use_cases import clients as use_cases
from shiming.accounts.use_cases.tokens import (
    TOKEN_PATH,
    TokenRefused,
    TokenRequest,
    issue_token,
    metadata,
)
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.vocabulary.reference_numbers import ReferenceNumber

SCOPES_MAX = 40  # more than there are
PREFIX = "/v1/clients"
Administrator = Annotated[Asking, asked(MayManageClients)]
Scope = Annotated[str, Field(pattern=r"^[a-z_.]{3,60}$")]

router = APIRouter()


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClientWanted(_Body):
    """A new client; with `public_keys` (a JWKS) it signs assertions instead of showing a secret."""

    name: str = Field(min_length=1, max_length=80)
    scopes: list[Scope] = Field(min_length=1, max_length=SCOPES_MAX)
    operator: str | None = Field(default=None, pattern=OPERATOR)
    public_keys: dict[str, JsonValue] | None = None


class ClientChange(_Body):
    """Other scopes."""

    scopes: list[Scope] = Field(min_length=1, max_length=SCOPES_MAX)


class ClientCreated(BaseModel):
    """A new client; ask for a secret next, unless it signs assertions."""

    reference: str
    version: int


class ClientShown(BaseModel):
    """A client."""

    reference: str
    name: str
    scopes: list[str]
    operator: str | None
    created_at: str
    disabled_at: str | None
    version: int


class ClientList(Listing):
    """A page of clients."""

    items: list[ClientShown]


class ClientSecret(BaseModel):
    """A secret, shown this once."""

    client_id: str
    client_secret: str


class Token(BaseModel):
    """An access token (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(BaseModel):
    """Why there is none (RFC 6749 section 5.2)."""

    error: str
    error_description: str


@router.get(PREFIX, tags=["clients"], responses=problem_responses(400))
def list_clients(
    request: Request,
    asking: Administrator,
    page: Annotated[PageAsked, paged("clients")],
    operator: OperatorAsked = None,
) -> ClientList:
    """List clients in the order of their references."""
    wanted = operator or asking.caller.operator
    asking.allow(MayManageClients(wanted or ""))
    after = str(ReferenceNumber.parse(str(page.after[0]))) if page.after else None
    with reading(platform_of(request).engine) as connection:
        found = use_cases.list_clients(connection, operator=wanted, after=after, limit=page.size + 1)
    shown = page.listing([_shown(client) for client in found], key=lambda item: (item.reference,))
    return ClientList(**shown)


@router.post(
    PREFIX,
    tags=["clients"],
    status_code=201,
    response_model=ClientCreated,
    responses=problem_responses(400, 409),
)
def create_client(
    request: Request,
    body: ClientWanted,
    asking: Administrator,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Create a client."""
    asking.allow(MayManageClients(body.operator or ""))
    platform, by = platform_of(request), actor(asking)
    public_keys = None if body.public_keys is None else json.dumps(body.public_keys)
    wanted = use_cases.NewClient(body.name, frozenset(body.scopes), body.operator, public_keys)

    def work(connection: Connection) -> Answer:
        client = use_cases.create_client(platform.accounts, connection, wanted, by=by)
        created = ClientCreated(reference=client.reference, version=client.version)
        location = f"{PREFIX}/{client.reference}"
        return Answer.of(201, created, location=location, etag=etag(client.version))

    now = platform.accounts.clock.now()
    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, body), work, now=now)


@router.get(f"{PREFIX}/{{reference}}", tags=["clients"], responses=problem_responses(404))
def show_client(
    request: Request, response: Response, reference: Reference, asking: Administrator
) -> ClientShown:
    """Return a client with its ETag."""
    with reading(platform_of(request).engine) as connection:
        client = _get(asking, connection, reference)
    response.headers["etag"] = etag(client.version)
    return _shown(client)


@router.patch(
    f"{PREFIX}/{{reference}}", tags=["clients"], responses=problem_responses(400, 404, 409, 412, 428)
)
def change_client(
    *,
    request: Request,
    response: Response,
    reference: Reference,
    body: ClientChange,
    asking: Administrator,
    version: Annotated[str, if_match()],
) -> ClientShown:
    """Give a client other scopes; the tokens that it holds are worthless."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        client = _get(asking, connection, reference)
        require_version(version, etag(client.version))
        changed = use_cases.change_scopes(
            platform.accounts, connection, client, frozenset(body.scopes), by=actor(asking)
        )
    response.headers["etag"] = etag(changed.version)
    return _shown(changed)


@router.post(f"{PREFIX}/{{reference}}/disable", tags=["clients"], responses=problem_responses(400, 404, 412))
def disable_client(request: Request, reference: Reference, asking: Administrator) -> ClientShown:
    """Let a client get and use tokens no more, within half a minute on every server."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        client = _get(asking, connection, reference)
        return _shown(use_cases.disable_client(platform.accounts, connection, client, by=actor(asking)))


@router.post(
    f"{PREFIX}/{{reference}}/secret",
    tags=["clients"],
    status_code=201,
    responses=problem_responses(400, 404),
)
def new_client_secret(
    request: Request, response: Response, reference: Reference, asking: Administrator
) -> ClientSecret:
    """Return a fresh secret, shown this once; the one before is worthless."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        client = _get(asking, connection, reference)
        secret = use_cases.new_client_secret(platform.accounts, connection, client, by=actor(asking))
    response.headers["cache-control"] = "no-store"
    return ClientSecret(client_id=client.reference, client_secret=secret)


@router.post(
    TOKEN_PATH,
    tags=["tokens"],
    response_model=Token,
    dependencies=[open_to_all("the client proves itself in the request")],
    responses={400: {"model": TokenError}, 401: {"model": TokenError}},
)
def token(
    *,
    request: Request,
    grant_type: Annotated[str, Form()] = "",
    scope: Annotated[str | None, Form()] = None,
    client_id: Annotated[str | None, Form()] = None,
    client_secret: Annotated[str | None, Form()] = None,
    client_assertion_type: Annotated[str | None, Form()] = None,
    client_assertion: Annotated[str | None, Form()] = None,
) -> Response:
    """Issue an access token to a machine client: OAuth 2.0 client credentials (RFC 6749 section 4.4)."""
    platform, basic = platform_of(request), _basic(request.headers.get("authorization", ""))
    wanted = TokenRequest(
        grant_type=grant_type,
        scope=scope,
        client_id=basic[0] if basic else client_id,
        client_secret=basic[1] if basic else client_secret,
        assertion_type=client_assertion_type,
        assertion=client_assertion,
        ways=sum(way is not None for way in (basic, client_secret, client_assertion)),
    )
    found = issue_token(platform.accounts, platform.engine, platform.token_keys, wanted)
    headers = {"cache-control": "no-store"}
    if isinstance(found, TokenRefused):
        is_unknown = found.error == "invalid_client"
        if is_unknown:
            headers["www-authenticate"] = 'Basic realm="shiming", charset="UTF-8"'
        error = TokenError(error=found.error, error_description=found.description)
        return JSONResponse(error.model_dump(), 401 if is_unknown else 400, headers)
    issued = Token(
        access_token=found.access_token,
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_in=found.expires_in_s,
        scope=" ".join(sorted(found.scopes)),
    )
    return JSONResponse(issued.model_dump(), headers=headers)


@router.get(
    "/.well-known/oauth-authorization-server",
    tags=["tokens"],
    dependencies=[open_to_all("clients find out how to get a token before they have one")],
)
def authorization_server(request: Request) -> dict[str, Any]:
    """Return the metadata of the token endpoint (RFC 8414)."""
    return dict(metadata(platform_of(request).accounts))


@router.get(
    "/.well-known/jwks.json",
    tags=["tokens"],
    dependencies=[open_to_all("anybody may check a token")],
)
def key_set(request: Request) -> dict[str, Any]:
    """Return the public keys of access tokens (RFC 7517)."""
    return dict(platform_of(request).token_keys.key_set())


def _basic(header: str) -> tuple[str, str] | None:
    """Return name and secret of HTTP basic authentication, decoded as RFC 6749 section 2.3.1 says."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ("", "")
    return unquote_plus(name), unquote_plus(secret)


def _get(asking: Asking, connection: Connection, reference: str) -> Client:
    asking.allow(MayManageClients(asking.caller.operator or ""))
    client = use_cases.get_client(connection, reference)
    asking.allow(MayManageClients(client.operator or ""))
    return client


def _shown(client: Client) -> ClientShown:
    return ClientShown(
        reference=client.reference,
        name=client.name,
        scopes=sorted(client.scopes),
        operator=client.operator,
        created_at=client.created_at.isoformat(),
        disabled_at=client.disabled_at.isoformat() if client.disabled_at else None,
        version=client.version,
    )
