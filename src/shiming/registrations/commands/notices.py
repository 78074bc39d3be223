"""`shiming notices`: what holders were told, and who was not reached."""

from typing import Annotated, Protocol

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands.line_platform import (
    LISTED_MAX,
    AsJson,
    LinePlatform,
    print_json,
    print_table,
)
from shiming.registrations.model.notices import Notice, NoticeState
from shiming.registrations.use_cases import notices
from shiming.registrations.use_cases.notices import NoticeTools

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What holders are told, and who was reached."
)
NoticeId = Annotated[str, typer.Argument(help="Reference of the notice, NTC-...")]
Campaign = Annotated[str, typer.Argument(help="Name of the campaign, such as terms-2026-02.")]
_NOT_REACHED = (NoticeState.QUEUED, NoticeState.SENT, NoticeState.FAILED)


class NoticePlatform(LinePlatform, Protocol):
    """What sending needs besides."""

    @property
    def notices(self) -> NoticeTools: ...  # noqa: D102 - named by its type


@app.command("list")
def list_notices(
    context: typer.Context,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    state: Annotated[list[NoticeState] | None, typer.Option(help="Any of these states.")] = None,
    as_json: AsJson = False,
) -> None:
    """List notices; texts and numbers stay out.

    Example: shiming notices list --state failed
    """
    platform: LinePlatform = context.obj()
    states = tuple(state or NoticeState)
    with reading(platform.engine) as connection:
        found = notices.list_notices(connection, operator=operator, states=states, limit=LISTED_MAX)
    _print(found, as_json=as_json)


@app.command("unreached")
def unreached(
    context: typer.Context,
    campaign: Campaign,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count how far a campaign came, and list the first who were not reached.

    Example: shiming notices unreached terms-2026-02
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        reach = notices.reach_of_campaign(connection, operator, campaign)
        left = notices.list_notices(
            connection, operator=operator, campaign=campaign, states=_NOT_REACHED, limit=LISTED_MAX
        )
    states = {state.value: count for state, count in reach.states.items()}
    if as_json:
        lines = [notice.line_id for notice in left]
        print_json({"campaign": campaign, "states": states, "not_reached": reach.not_reached, "lines": lines})
        return
    print_table(tuple(states), [tuple(states.values())])
    _print(left, as_json=False)


@app.command("record")
def record(
    context: typer.Context,
    notice: NoticeId,
    state: Annotated[NoticeState, typer.Argument(help="delivered, failed or reached.")],
    as_json: AsJson = False,
) -> None:
    """Note by hand what the channel reports of a notice.

    Example: shiming notices record NTC-0082-0C20-A1G7-D delivered
    """
    platform: LinePlatform = context.obj()
    taken = transact(
        platform.engine,
        lambda connection: notices.record_delivery(
            platform.registrations.privacy, connection, notice, state, now=platform.clock.now()
        ),
    )
    _print((taken,), as_json=as_json)


@app.command("send")
def send(context: typer.Context, as_json: AsJson = False) -> None:
    """Send what is due now, as the worker does.

    Example: shiming notices send
    """
    platform: NoticePlatform = context.obj()
    taken = 0
    while batch := notices.send_due_notices(platform.notices, platform.engine, now=platform.clock.now()):
        taken += batch
    if as_json:
        print_json({"taken": taken})
    else:
        typer.echo(taken)


def _print(found: tuple[Notice, ...], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "id": notice.notice_id,
                "operator": notice.operator,
                "line": notice.line_id,
                "template": notice.template,
                "state": notice.state.value,
                "about": notice.about,
                "campaign": notice.campaign,
                "attempts": notice.attempts,
                "why": notice.failure,
            }
            for notice in found
        ]
        print_json({"notices": rows})
        return
    shown = [
        (notice.notice_id, notice.line_id, notice.template, notice.state.value, notice.failure)
        for notice in found
    ]
    print_table(("notice", "line", "template", "state", "why"), shown)
