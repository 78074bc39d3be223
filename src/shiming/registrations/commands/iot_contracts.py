"""Assess companies, conclude and end contracts for industry cards."""

from pathlib import Path
from typing import Annotated

import typer

from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import Binding, Channel
from shiming.privacy.model import EvidenceKind
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.commands.iot_output import ContractId, Evidence, contract_fields, do, print_fields
from shiming.registrations.commands.line_platform import (
    LISTED_MAX,
    AsJson,
    LinePlatform,
    print_json,
    print_refused,
    print_table,
)
from shiming.registrations.model.iot import (
    Area,
    AssessmentResult,
    FenceTerms,
)
from shiming.registrations.use_cases import (
    iot_contracts,
)
from shiming.registrations.use_cases.iot_contracts import IotRefused, NewIotContract
from shiming.registrations.use_cases.organisations import paper_of


def paper(
    context: typer.Context,
    organisation: Annotated[str, typer.Argument(help="Reference of the organisation, ORG-...")],
    image: Annotated[Path, typer.Argument(help="Picture of the paper.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Keep a picture of a paper - an assessment, a report, an objection - and say what to refer to.

    Example: shiming iot paper ORG-0082-0C20-A1G7-D assessment.jpg
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = iot_contracts.get_organisation(connection, organisation)
    with image.open("rb") as source:
        staged = stage_evidence(
            platform.registrations.privacy,
            platform.engine,
            paper_of(found, EvidenceKind.CONTRACT),
            source=source,
            retention=platform.registration_policy.retention,
            now=platform.clock.now(),
        )
    evidence = do(platform, lambda desk, at: iot_contracts.keep_paper(desk, at, staged))
    print_fields({"evidence": evidence}, as_json=as_json)


def assess(
    context: typer.Context,
    organisation: Annotated[str, typer.Argument(help="Reference of the organisation, ORG-...")],
    result: Annotated[AssessmentResult, typer.Option(help="How it ended.")],
    assessor: Annotated[str, typer.Option(help="Account of who assessed.")],
    evidence: Evidence,
    as_json: AsJson = False,
) -> None:
    """Record the security assessment of a company.

    Example: shiming iot assess ORG-0082-0C20-A1G7-D --result passed --assessor ACC-1 --evidence EVD-1
    """
    platform: LinePlatform = context.obj()
    made = do(
        platform,
        lambda desk, at: iot_contracts.record_assessment(
            desk, at, organisation, result=result, assessor=assessor, evidence=evidence
        ),
    )
    shown = {"assessment": made.assessment_id, "organisation": organisation, "result": made.result.value}
    print_fields(shown, as_json=as_json)


def conclude(
    context: typer.Context,
    organisation: Annotated[str, typer.Argument(help="Reference of the organisation, ORG-...")],
    scene: Annotated[str, typer.Option(help="A scene of the pack, such as metering.")],
    cards: Annotated[int, typer.Option(help="How many cards at most.")],
    apn: Annotated[list[str] | None, typer.Option(help="Access point; several are allowed.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Host or address; several are allowed.")] = None,
    data_mb: Annotated[int | None, typer.Option(help="MB a month; the scene's if not given.")] = None,
    voice: Annotated[bool, typer.Option("--voice", help="Ask for voice.")] = False,
    sms: Annotated[bool, typer.Option("--sms", help="Ask for SMS.")] = False,
    binding: Annotated[Binding, typer.Option(help="What each card is bound to.")] = Binding.IMEI,
    area: Annotated[
        tuple[float, float, int] | None, typer.Option(help="Latitude, longitude, radius in metres.")
    ] = None,
    channel: Annotated[Channel, typer.Option(help="Where it is concluded.")] = Channel.SHOP,
    resale_clause: Annotated[
        bool, typer.Option("--resale-clause", help="The clause against resale stands in it.")
    ] = False,
    sells_devices: Annotated[
        bool, typer.Option("--sells-devices", help="A maker whose customers are the end users.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Conclude a contract for industry cards; refused with every reason.

    Example: shiming iot conclude ORG-0082-0C20-A1G7-D --scene metering --cards 1000
    --apn meter.example --target head-end.example.com --resale-clause
    """
    platform: LinePlatform = context.obj()
    terms = FenceTerms.parse(
        voice=voice,
        sms=sms,
        data_mb_per_month=data_mb,
        apns=tuple(apn or ()),
        targets=tuple(target or ()),
        binding=binding,
        area=Area.parse(*area) if area else None,
    )
    new = NewIotContract(
        organisation,
        scene,
        cards,
        terms,
        channel,
        resale_clause=resale_clause,
        sells_devices=sells_devices,
    )
    outcome = do(platform, lambda desk, at: iot_contracts.conclude_contract(desk, at, new))
    if isinstance(outcome, IotRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    print_fields(contract_fields(outcome), as_json=as_json)


def contracts(
    context: typer.Context,
    operator: Annotated[str | None, typer.Option(help="Of this operator only.")] = None,
    as_json: AsJson = False,
) -> None:
    """List contracts for industry cards.

    Example: shiming iot contracts --operator north-mobile
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = iot_contracts.list_contracts(connection, operator, after=None, limit=LISTED_MAX)
    rows = [contract_fields(each) for each in found]
    if as_json:
        print_json({"contracts": rows})
        return
    names = ("contract", "organisation", "scene", "traffic", "cards_max", "status")
    print_table(names, (tuple(row[name] for name in names) for row in rows))


def end(context: typer.Context, contract: ContractId, as_json: AsJson = False) -> None:
    """End a contract: nothing more is sold under it, its lines go on.

    Example: shiming iot end THG-0082-0C20-A1G7-D
    """
    ended = do(
        context.obj(),
        lambda desk, at: iot_contracts.end_contract(
            desk, at, iot_contracts.get_contract(at, contract, for_update=True)
        ),
    )
    print_fields(contract_fields(ended), as_json=as_json)
