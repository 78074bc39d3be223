"""`shiming transfers terms`: announce new terms, record acceptance, see who was not reached."""

from typing import Annotated, Any

import typer

from shiming.infrastructure.database import reading, transact
from shiming.transfers.commands.transfer_desk import (
    AsJson,
    LineOption,
    TransferCommandPlatform,
    carried_out,
    rules_of,
    show,
)
from shiming.transfers.model.terms_upgrade import CampaignStep, TermsCampaign
from shiming.transfers.use_cases import terms_upgrades as verbs
from shiming.vocabulary.instants import parse_instant

campaigns = typer.Typer(no_args_is_help=True, add_completion=False, help="Announcements of new terms.")
CampaignArgument = Annotated[str, typer.Argument(help="Reference of the campaign, TCM-...")]


@campaigns.command()
def draft(
    context: typer.Context,
    operator: Annotated[str, typer.Option(help="Code of the operator.")],
    version: Annotated[str, typer.Option(help="Published version of the terms.")],
    notify_by: Annotated[str, typer.Option(help="By when everybody is told, RFC 3339.")],
    takes_effect: Annotated[str, typer.Option(help="When the terms take effect, RFC 3339.")],
    as_json: AsJson = False,
) -> None:
    """Draft the announcement of a published version.

    Example: shiming transfers terms draft --operator north-mobile --version 2026-02
    --notify-by 2026-03-01T00:00:00+08:00 --takes-effect 2026-04-01T00:00:00+08:00
    """
    platform: TransferCommandPlatform = context.obj()
    campaign = carried_out(
        platform,
        lambda connection: verbs.draft_campaign(
            platform.transfers,
            connection,
            operator=operator,
            terms_version=version,
            notify_by=parse_instant(notify_by),
            takes_effect_at=parse_instant(takes_effect),
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="terms_campaign",
        line_id="",
        as_json=as_json,
    )
    show(_shown(campaign), as_json=as_json, zh="已起草。", en="Drafted.", language=platform.language)


@campaigns.command()
def step(
    context: typer.Context,
    campaign: CampaignArgument,
    what: Annotated[CampaignStep, typer.Argument(help="start, finish or cancel.")],
    as_json: AsJson = False,
) -> None:
    """Start, finish or cancel a campaign; the worker sends the notices.

    Example: shiming transfers terms step TCM-0082-0C20-A1G7-D start
    """
    platform: TransferCommandPlatform = context.obj()
    after = carried_out(
        platform,
        lambda connection: verbs.step_campaign(
            platform.transfers,
            connection,
            campaign,
            what,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="terms_campaign",
        line_id="",
        as_json=as_json,
    )
    show(_shown(after), as_json=as_json, zh="已更新。", en="Done.", language=platform.language)


@campaigns.command()
def accept(
    context: typer.Context,
    campaign: CampaignArgument,
    line: LineOption,
    session: Annotated[str | None, typer.Option(help="The proof by which the holder accepted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record that the holder of a line accepted the new terms.

    Example: shiming transfers terms accept TCM-0082-0C20-A1G7-D --line REG-0082-0C20-A1G7-D
    """
    platform: TransferCommandPlatform = context.obj()
    now = platform.clock.now()
    holder = transact(
        platform.engine,
        lambda connection: verbs.accept_new_terms(
            platform.transfers, connection, campaign, line, session_id=session, now=now
        ),
    )
    values = {"line": line, "accepted_at": (holder.accepted_at or now).isoformat()}
    show(values, as_json=as_json, zh="已记录同意。", en="Recorded.", language=platform.language)


@campaigns.command()
def reach(context: typer.Context, campaign: CampaignArgument, as_json: AsJson = False) -> None:
    """Say how far a campaign has come, in holders.

    Example: shiming transfers terms reach TCM-0082-0C20-A1G7-D --json
    """
    platform: TransferCommandPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = verbs.reach_of(connection, campaign)
    counts = {"holders": found.holders, "accepted": found.accepted, "not_reached": found.not_reached}
    values = {**_shown(found.campaign), **counts, **found.notices}
    show(values, as_json=as_json, zh="进展：", en="Reach:", language=platform.language)


@campaigns.command("not-reached")
def not_reached(context: typer.Context, campaign: CampaignArgument) -> None:
    """Print who was not reached as CSV: lines, notices, states; nobody's name or number.

    Example: shiming transfers terms not-reached TCM-0082-0C20-A1G7-D > missed.csv
    """
    platform: TransferCommandPlatform = context.obj()
    typer.echo("line,notice,state,failure")
    for each in verbs.walk_not_reached(platform.engine, campaign):
        typer.echo(f"{each.line_id},{each.notice_id},{each.state},{each.failure or ''}")


def _shown(campaign: TermsCampaign) -> dict[str, Any]:
    return {
        "campaign": campaign.campaign_id,
        "version": campaign.terms_version,
        "state": campaign.state.value,
        "notify_by": campaign.notify_by.isoformat(),
        "takes_effect_at": campaign.takes_effect_at.isoformat(),
        "all_queued": campaign.all_queued,
    }
