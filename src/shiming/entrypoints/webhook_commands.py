"""`shiming webhooks`: who gets events by HTTP, their secrets, and sending again."""

import json
from typing import Annotated, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import KekProvider
from shiming.infrastructure.webhooks import replaying, secrets, subscriptions
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.vocabulary.errors import Text
from shiming.vocabulary.instants import parse_instant

webhooks = typer.Typer(no_args_is_help=True, add_completion=False, help="Receivers of events by HTTP.")
app = webhooks

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
WebhookId = Annotated[str, typer.Argument(help="Id of the webhook, whk_...")]


class WebhooksPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def keys(self) -> KekProvider: ...  # noqa: D102
    @property
    def destinations(self) -> Destinations: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@webhooks.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="https URL that takes POSTs.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Type of events, such as line.* (repeat); without: all.")
    ] = None,
    operator: Annotated[str, typer.Option(help="Only events of this operator.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a receiver and print its secret, once.

    Example: shiming webhooks add https://crm.example.com/shiming --event line.* --operator cn-mobile
    """
    platform: WebhooksPlatform = context.obj()
    platform.destinations.check_form(url)
    now = platform.clock.now()
    with unit_of_work(platform.engine) as connection:
        added = subscriptions.add_webhook(connection, url=url, types=event or (), operator=operator, now=now)
        secret = secrets.add_secret(connection, platform.keys, added.webhook_id, now=now)
    _print_secret(added.webhook_id, secret, as_json=as_json, language=platform.language)


@webhooks.command("list")
def list_webhooks(context: typer.Context, as_json: AsJson = False) -> None:
    """List the receivers and how their last deliveries went.

    Example: shiming webhooks list
    """
    platform: WebhooksPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = [each.to_json() for each in subscriptions.list_webhooks(connection)]
    if as_json:
        typer.echo(json.dumps({"webhooks": found}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("webhook", "url", "events", "operator", "delivered", "last failure", "disabled")
    for each in found:
        failure = f"{each['failure']} {each['failed_at']}" if each["failure"] else "-"
        last = (each["delivered_at"] or "-", failure, each["disabled_why"] or "-")
        table.add_row(each["id"], each["url"], " ".join(each["types"]), each["operator"] or "-", *last)
    Console().print(table)


@webhooks.command()
def remove(context: typer.Context, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Remove a receiver; deliveries that wait for it come to nothing.

    Example: shiming webhooks remove whk_...
    """
    platform: WebhooksPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        subscriptions.remove_webhook(connection, webhook)
    text = Text(zh=f"{webhook} 已删除。", en=f"{webhook} is removed.")
    typer.echo(json.dumps({"removed": webhook}) if as_json else text.in_language(platform.language))


@webhooks.command()
def enable(context: typer.Context, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Enable a receiver that answered 410; replay what it missed.

    Example: shiming webhooks enable whk_...
    """
    platform: WebhooksPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        subscriptions.get_webhook(connection, webhook)
        subscriptions.set_enabled(connection, webhook, why_not=None, now=platform.clock.now())
    text = Text(zh=f"{webhook} 已启用。", en=f"{webhook} is enabled.")
    typer.echo(json.dumps({"enabled": webhook}) if as_json else text.in_language(platform.language))


@webhooks.command("rotate-secret")
def rotate_secret(context: typer.Context, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Print a new secret, once; the former one signs beside it for a day.

    Example: shiming webhooks rotate-secret whk_...
    """
    platform: WebhooksPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        subscriptions.get_webhook(connection, webhook)
        secret = secrets.add_secret(connection, platform.keys, webhook, now=platform.clock.now())
    _print_secret(webhook, secret, as_json=as_json, language=platform.language)


@webhooks.command()
def replay(
    context: typer.Context,
    webhook: WebhookId,
    event: Annotated[str | None, typer.Option(help="Id of one event.")] = None,
    since: Annotated[str | None, typer.Option(help="Start of a range, 2026-11-22T09:30:00+08:00.")] = None,
    until: Annotated[str | None, typer.Option(help="End of the range; without: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send events again, with their old ids: one, or those of a range of time.

    Example: shiming webhooks replay whk_... --since 2026-11-20T00:00:00+08:00
    """
    platform: WebhooksPlatform = context.obj()
    start, end = (None if text is None else parse_instant(text) for text in (since, until))
    with unit_of_work(platform.engine) as connection:
        receiver = subscriptions.get_webhook(connection, webhook)
        now = platform.clock.now()
        replaying.replay(connection, receiver, event_id=event, since=start, until=end, now=now)
    text = Text(zh="重发已排队，由工作进程执行。", en="Queued; a worker sends them again.")
    typer.echo(json.dumps({"replay": webhook}) if as_json else text.in_language(platform.language))


def _print_secret(webhook_id: str, secret: str, *, as_json: bool, language: str) -> None:
    if as_json:
        typer.echo(json.dumps({"webhook": webhook_id, "secret": secret}))
        return
    typer.echo(f"{webhook_id}\n{secret}")
    text = Text(zh="密钥只显示这一次，请立即保存。", en="The secret is shown this once; keep it now.")
    typer.echo(text.in_language(language), err=True)
