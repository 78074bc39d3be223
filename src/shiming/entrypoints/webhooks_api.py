"""Webhooks over HTTP: who gets which events, their secrets, and sending again.

A receiver of one operator gets that operator's events only, and only that operator's people see it.
"""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection, Engine

from shiming.entrypoints.job_permissions import MayManageWebhooks
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import KekProvider
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.webhooks import replaying, secrets, subscriptions
from shiming.infrastructure.webhooks.destinations import URL_CHARACTERS_MAX, Destinations
from shiming.infrastructure.webhooks.subscriptions import BY_HAND, TYPES_MAX, Webhook

PREFIX = "/v1/webhooks"
OPERATOR = r"^[a-z0-9][a-z0-9-]{1,39}$"
TYPE = r"^(\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?)$"
Administrator = Annotated[Asking, asked(MayManageWebhooks)]
WebhookId = Annotated[str, Path(pattern=r"^whk_[0-9a-f]{32}$", description="Id of the webhook.")]

router = APIRouter()


class WebhooksPlatform(Protocol):
    """What these routes need of the wired program."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def keys(self) -> KekProvider: ...  # noqa: D102
    @property
    def destinations(self) -> Destinations: ...  # noqa: D102


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WebhookWanted(_Body):
    """A new receiver: an https URL, and types of events such as `line.registered`, `line.*` or `*`."""

    url: str = Field(min_length=1, max_length=URL_CHARACTERS_MAX)
    types: list[Annotated[str, Field(pattern=TYPE, max_length=80)]] = Field(
        min_length=1, max_length=TYPES_MAX
    )
    operator: str | None = Field(default=None, pattern=OPERATOR)


class WebhookShown(BaseModel):
    """A receiver and how its last deliveries went."""

    id: str
    url: str
    types: list[str]
    operator: str | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    delivered_at: datetime | None
    failed_at: datetime | None
    failure: str | None


class WebhookList(Listing):
    """A page of receivers in the order of their ids."""

    items: list[WebhookShown]


class WebhookSecret(BaseModel):
    """A secret, shown this once; until `former_valid_until` the former one signs beside it."""

    secret: str
    former_valid_until: datetime


class ReplayWanted(_Body):
    """What to send again: one event, or those of a range of time (`until` not included; without it: now)."""

    event: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,36}$")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class ReplayQueued(BaseModel):
    """The replay is queued; a worker sends."""

    webhook: str


@router.get(PREFIX, tags=["webhooks"], responses=problem_responses(400))
def list_webhooks(
    request: Request,
    asking: Administrator,
    page: Annotated[PageAsked, paged("webhooks")],
    operator: Annotated[str | None, Query(pattern=OPERATOR, description="Only of this operator.")] = None,
) -> WebhookList:
    """List receivers."""
    wanted = operator or asking.caller.operator or ""
    asking.allow(MayManageWebhooks(wanted))
    with reading(_platform(request).engine) as connection:
        found = subscriptions.list_webhooks(connection, operator=wanted)
    after = str(page.after[0]) if page.after else ""
    rest = sorted((_shown(each) for each in found if each.webhook_id > after), key=lambda each: each.id)
    return WebhookList(**page.listing(rest[: page.size + 1], key=lambda each: (each.id,)))


@router.post(
    PREFIX,
    tags=["webhooks"],
    status_code=201,
    response_model=WebhookShown,
    responses=problem_responses(409),
)
def add_webhook(
    request: Request,
    body: WebhookWanted,
    asking: Administrator,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Add a receiver. Its secret is taken by POST .../secret next: what is kept for a repeat holds none."""
    operator = body.operator or asking.caller.operator or ""
    asking.allow(MayManageWebhooks(operator))
    platform, now = _platform(request), _platform(request).clock.now()
    platform.destinations.check_form(body.url)

    def work(connection: Connection) -> Answer:
        added = subscriptions.add_webhook(
            connection, url=body.url, types=body.types, operator=operator, now=now
        )
        secrets.add_secret(connection, platform.keys, added.webhook_id, now=now)
        return Answer.of(201, _shown(added), location=f"{PREFIX}/{added.webhook_id}")

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, body), work, now=now)


@router.get(f"{PREFIX}/{{webhook_id}}", tags=["webhooks"], responses=problem_responses(404))
def show_webhook(request: Request, asking: Administrator, webhook_id: WebhookId) -> WebhookShown:
    """Return one receiver."""
    with reading(_platform(request).engine) as connection:
        return _shown(_get(asking, connection, webhook_id))


@router.delete(
    f"{PREFIX}/{{webhook_id}}", tags=["webhooks"], status_code=204, responses=problem_responses(404)
)
def remove_webhook(request: Request, asking: Administrator, webhook_id: WebhookId) -> None:
    """Remove a receiver; deliveries that wait for it come to nothing."""

    def remove(connection: Connection) -> None:
        _get(asking, connection, webhook_id)
        subscriptions.remove_webhook(connection, webhook_id)

    transact(_platform(request).engine, remove)


@router.post(f"{PREFIX}/{{webhook_id}}/secret", tags=["webhooks"], responses=problem_responses(404))
def rotate_secret(
    request: Request, response: Response, asking: Administrator, webhook_id: WebhookId
) -> WebhookSecret:
    """Return a new secret; the former one signs beside it for a day."""
    platform, now = _platform(request), _platform(request).clock.now()

    def rotate(connection: Connection) -> str:
        _get(asking, connection, webhook_id)
        return secrets.add_secret(connection, platform.keys, webhook_id, now=now)

    secret = transact(platform.engine, rotate)
    response.headers["cache-control"] = "no-store"
    return WebhookSecret(secret=secret, former_valid_until=now + secrets.OVERLAP)


@router.post(f"{PREFIX}/{{webhook_id}}/enable", tags=["webhooks"], responses=problem_responses(404))
def enable_webhook(request: Request, asking: Administrator, webhook_id: WebhookId) -> WebhookShown:
    """Enable a receiver, for example one that answered 410; what it missed is replayed on request only."""
    return _switched(request, asking, webhook_id, why_not=None)


@router.post(f"{PREFIX}/{{webhook_id}}/disable", tags=["webhooks"], responses=problem_responses(404))
def disable_webhook(request: Request, asking: Administrator, webhook_id: WebhookId) -> WebhookShown:
    """Send nothing more to a receiver until it is enabled."""
    return _switched(request, asking, webhook_id, why_not=BY_HAND)


@router.post(
    f"{PREFIX}/{{webhook_id}}/replay",
    tags=["webhooks"],
    status_code=202,
    response_model=ReplayQueued,
    responses=problem_responses(404),
)
def replay(
    *,
    request: Request,
    body: ReplayWanted,
    asking: Administrator,
    webhook_id: WebhookId,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Send events again with their old ids; a receiver knows repeats by `webhook-id`."""
    platform, now = _platform(request), _platform(request).clock.now()

    def work(connection: Connection) -> Answer:
        webhook = _get(asking, connection, webhook_id)
        replaying.replay(
            connection, webhook, event_id=body.event, since=body.since, until=body.until, now=now
        )
        return Answer.of(202, ReplayQueued(webhook=webhook_id))

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, body), work, now=now)


def _switched(request: Request, asking: Asking, webhook_id: str, *, why_not: str | None) -> WebhookShown:
    platform = _platform(request)
    now = platform.clock.now()

    def switch(connection: Connection) -> WebhookShown:
        _get(asking, connection, webhook_id)
        subscriptions.set_enabled(connection, webhook_id, why_not=why_not, now=now)
        return _shown(subscriptions.get_webhook(connection, webhook_id))

    return transact(platform.engine, switch)


def _get(asking: Asking, connection: Connection, webhook_id: str) -> Webhook:
    """Return a webhook that the caller may manage; one of another operator is as unknown as none."""
    mine = asking.caller.operator or ""
    asking.allow(MayManageWebhooks(mine))
    return subscriptions.get_webhook(connection, webhook_id, operator=mine)


def _platform(request: Request) -> WebhooksPlatform:
    platform: WebhooksPlatform = request.app.state.platform
    return platform


def _shown(webhook: Webhook) -> WebhookShown:
    return WebhookShown(
        id=webhook.webhook_id,
        url=webhook.url,
        types=list(webhook.types),
        operator=webhook.operator or None,
        created_at=webhook.created_at,
        disabled_at=webhook.disabled_at,
        disabled_why=webhook.disabled_why,
        delivered_at=webhook.delivered_at,
        failed_at=webhook.failed_at,
        failure=webhook.failure,
    )
