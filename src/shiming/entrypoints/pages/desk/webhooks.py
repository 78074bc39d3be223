"""Webhooks: who gets which events, how it goes; disable, enable, send again."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.job_permissions import MayManageWebhooks
from shiming.entrypoints.pages.desk.desk_page import Refused, Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.tables import Choice, Column, Gathered, Table
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.entrypoints.webhooks_api import WebhookId
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.webhooks import replaying, subscriptions
from shiming.infrastructure.webhooks.subscriptions import BY_HAND, Webhook
from shiming.vocabulary.errors import Text

router = page_router()
Administrator = Annotated[Asking, asked(MayManageWebhooks)]

_STATES = {
    "good": Text(zh="正常", en="works"),
    "failing": Text(zh="最近失败", en="failed last"),
    "disabled": Text(zh="已停用", en="disabled"),
    "new": Text(zh="尚未投递", en="nothing sent yet"),
}
_TONES = {"good": "good", "failing": "bad", "disabled": "bad", "new": ""}


def _state(webhook: Webhook) -> str:
    if webhook.disabled_at:
        return "disabled"
    if webhook.failed_at and (webhook.delivered_at is None or webhook.failed_at > webhook.delivered_at):
        return "failing"
    return "good" if webhook.delivered_at else "new"


TABLE: Table[Webhook] = Table(
    "webhooks",
    Text(zh="事件订阅", en="Webhooks"),
    (
        Column(
            "url",
            Text(zh="接收地址", en="Receiver"),
            lambda webhook: webhook.url,
            href=lambda webhook: f"/desk/webhooks/{webhook.webhook_id}",
        ),
        Column("types", Text(zh="事件类型", en="Events"), lambda webhook: ", ".join(webhook.types)),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda webhook: _STATES[_state(webhook)],
            look="state",
            tone=lambda webhook: _TONES[_state(webhook)],
        ),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda webhook: webhook.operator or None),
        Column("delivered", Text(zh="最近成功", en="Delivered"), lambda webhook: webhook.delivered_at),
        Column("failed", Text(zh="最近失败", en="Failed"), lambda webhook: webhook.failed_at),
    ),
    filters=(Choice("state", Text(zh="状态", en="State"), _STATES, _state),),
    empty=Text(zh="没有订阅。", en="There is no webhook."),
    order="url",
)


class ReplayForm(BaseModel):
    """What to send again: one event, or everything since a day (of UTC)."""

    model_config = ConfigDict(extra="ignore")
    event: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9-]{1,36}$")] = None
    since: datetime | None = None


@router.get("/desk/webhooks")
def list_webhooks(request: Request, asking: Administrator) -> Response:
    """List receivers."""
    operator = asking.caller.operator or ""
    asking.allow(MayManageWebhooks(operator))
    with reading(request.app.state.platform.engine) as connection:
        rows = Gathered(subscriptions.list_webhooks(connection, operator=operator))
    return table_page(request, asking, "desk/webhooks.html", Shown(TABLE, rows))


@router.get("/desk/webhooks/{webhook_id}")
def show_webhook(request: Request, asking: Administrator, webhook_id: WebhookId) -> Response:
    """Show a receiver."""
    with reading(request.app.state.platform.engine) as connection:
        found = _get(asking, connection, webhook_id)
    return _shown(request, asking, found)


@router.post("/desk/webhooks/{webhook_id}/enable")
def enable(request: Request, asking: Administrator, webhook_id: WebhookId) -> Response:
    """Send events again from now on."""
    return _switched(request, asking, webhook_id, why_not=None)


@router.post("/desk/webhooks/{webhook_id}/disable")
def disable(request: Request, asking: Administrator, webhook_id: WebhookId) -> Response:
    """Send nothing more until it is enabled."""
    return _switched(request, asking, webhook_id, why_not=BY_HAND)


@router.post("/desk/webhooks/{webhook_id}/replay")
def replay(
    request: Request,
    asking: Administrator,
    webhook_id: WebhookId,
    wanted: Annotated[Filled[ReplayForm], form(ReplayForm)],
) -> Response:
    """Send events again with their old ids."""
    platform = request.app.state.platform
    with reading(platform.engine) as connection:
        found = _get(asking, connection, webhook_id)
    chosen = wanted.value
    if chosen is None:
        return _shown(request, asking, found, wanted=wanted)
    since = chosen.since and chosen.since.replace(tzinfo=chosen.since.tzinfo or UTC)
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: replaying.replay(
                connection,
                found,
                event_id=chosen.event,
                since=since,
                until=None,
                now=platform.clock.now(),
            ),
        )
    )
    if refused:
        return _shown(request, asking, found, refused=refused)
    return see_other(f"/desk/webhooks/{webhook_id}", said="replayed")


def _switched(request: Request, asking: Asking, webhook_id: str, *, why_not: str | None) -> Response:
    platform = request.app.state.platform
    now = platform.clock.now()

    def switch(connection: Connection) -> None:
        _get(asking, connection, webhook_id)
        subscriptions.set_enabled(connection, webhook_id, why_not=why_not, now=now)

    transact(platform.engine, switch)
    return see_other(f"/desk/webhooks/{webhook_id}", said="disabled" if why_not else "enabled")


def _get(asking: Asking, connection: Connection, webhook_id: str) -> Webhook:
    mine = asking.caller.operator or ""
    asking.allow(MayManageWebhooks(mine))
    return subscriptions.get_webhook(connection, webhook_id, operator=mine)


def _shown(
    request: Request,
    asking: Asking,
    found: Webhook,
    *,
    refused: Refused | None = None,
    wanted: Filled[ReplayForm] | None = None,
) -> Response:
    state = _state(found)
    facts = {
        "webhook": found,
        "state": _STATES[state],
        "tone": _TONES[state],
        "refused": refused,
        **(wanted.again() if wanted else {}),
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/webhook.html", facts, status=status)
