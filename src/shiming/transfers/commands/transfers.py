"""`shiming transfers`: change of holder, a new SIM, a move, porting; cases and announcements of terms."""

from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.registrations.use_cases.holding import list_acts
from shiming.transfers.commands.cases import cases
from shiming.transfers.commands.terms_campaigns import campaigns
from shiming.transfers.commands.transfer_desk import (
    AsJson,
    AttestationOption,
    LineOption,
    SessionOption,
    TransferCommandPlatform,
    carried_out,
    rules_of,
    show,
)
from shiming.transfers.model.change_of_holder import ChangeHolder, HolderChanged
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.porting import ConfirmPortIn, PortIn, PortOut
from shiming.transfers.use_cases import port_out
from shiming.transfers.use_cases.change_of_holder import transfer_line
from shiming.transfers.use_cases.deciding import ask_standing, get_held
from shiming.transfers.use_cases.moves import move_line
from shiming.transfers.use_cases.port_in import ask_donor, confirm_port_in
from shiming.transfers.use_cases.sim_replacement import replace_sim_of_line
from shiming.vocabulary.msisdn import Msisdn

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Change of holder, new SIM, move, porting, new terms."
)
app.add_typer(cases, name="cases")
app.add_typer(campaigns, name="terms")


@app.command("change-holder")
def change_holder(
    context: typer.Context,
    line: LineOption,
    giver: Annotated[str, typer.Option(help="Verified session of the present holder.")],
    receiver: Annotated[str, typer.Option(help="Verified session of the new holder.")],
    form: Annotated[str | None, typer.Option(help="Reference of the signed form in the vault.")] = None,
    attestation: AttestationOption = None,
    as_json: AsJson = False,
) -> None:
    """Hand a line over from one proven person to another.

    Example: shiming transfers change-holder --line REG-0082-0C20-A1G7-D --giver SES-1 --receiver SES-2
    """
    platform: TransferCommandPlatform = context.obj()
    tools, now = platform.transfers, platform.clock.now()
    standing = ask_standing(tools, platform.engine, line, attestation=attestation)
    command = ChangeHolder(line, giver, receiver, form)

    def work(connection: Connection) -> HolderChanged | TransferRefused:
        policy = rules_of(platform)
        return transfer_line(tools, connection, command, standing=standing, policy=policy, now=now)

    done = carried_out(platform, work, entry="change_of_holder", line_id=line, as_json=as_json)
    values = {"line": done.line_id, "act": done.act, "receipt": done.receipt}
    show(values, as_json=as_json, zh="已过户。", en="The holder has changed.", language=platform.language)


@app.command("replace-sim")
def replace_sim(
    context: typer.Context, line: LineOption, session: SessionOption, as_json: AsJson = False
) -> None:
    """Put the card of the session's order into the line, after its holder was proven anew.

    Example: shiming transfers replace-sim --line REG-0082-0C20-A1G7-D --session SES-1
    """
    platform: TransferCommandPlatform = context.obj()
    done = carried_out(
        platform,
        lambda connection: replace_sim_of_line(
            platform.transfers,
            connection,
            line,
            session,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="sim_replacement",
        line_id=line,
        as_json=as_json,
    )
    values = {
        "line": done.line_id,
        "act": done.act,
        "swapped_at": done.swapped_at.isoformat(),
        "sms_barred_until": done.sms_barred_until and done.sms_barred_until.isoformat(),
        "receipt": done.receipt,
    }
    show(values, as_json=as_json, zh="已换卡。", en="The SIM is replaced.", language=platform.language)


@app.command()
def move(context: typer.Context, line: LineOption, session: SessionOption, as_json: AsJson = False) -> None:
    """Move a fixed or internet line to the address of the session's order.

    Example: shiming transfers move --line REG-0082-0C20-A1G7-D --session SES-1
    """
    platform: TransferCommandPlatform = context.obj()
    done = carried_out(
        platform,
        lambda connection: move_line(
            platform.transfers,
            connection,
            line,
            session,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="move",
        line_id=line,
        as_json=as_json,
    )
    values = {"line": done.line_id, "act": done.act, "receipt": done.receipt}
    show(values, as_json=as_json, zh="已移机。", en="The line has moved.", language=platform.language)


@app.command()
def acts(context: typer.Context, line: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    """List the history of a line: which proof did what, when.

    Example: shiming transfers acts REG-0082-0C20-A1G7-D --json
    """
    platform: TransferCommandPlatform = context.obj()
    with reading(platform.engine) as connection:
        history = list_acts(connection, get_held(connection, line).line)
    rows = [
        {"act": act.number, "kind": act.kind, "session": act.session_id, "at": act.at.isoformat()}
        for act in history
    ]
    values: dict[str, Any] = {"line": line, "acts": rows}
    show(values, as_json=as_json, zh="号码历史：", en="History:", language=platform.language)
    if not as_json:
        for row in rows:
            typer.echo(f"  {row['act']} {row['at']} {row['kind']} {row['session']}")


@app.command("port-out")
def authorise_port_out(
    context: typer.Context,
    line: LineOption,
    session: SessionOption,
    attestation: AttestationOption = None,
    as_json: AsJson = False,
) -> None:
    """Give the holder a code to take the number to another operator; it is shown once.

    Example: shiming transfers port-out --line REG-0082-0C20-A1G7-D --session SES-1
    """
    platform: TransferCommandPlatform = context.obj()
    tools, now = platform.transfers, platform.clock.now()
    standing = ask_standing(tools, platform.engine, line, attestation=attestation)
    given = carried_out(
        platform,
        lambda connection: port_out.authorise_port_out(
            tools, connection, line, session, standing=standing, policy=rules_of(platform), now=now
        ),
        entry="port_out",
        line_id=line,
        as_json=as_json,
    )
    values = {**_out(given.port), "code": given.code}
    show(values, as_json=as_json, zh="已授权携出。", en="The port is authorised.", language=platform.language)


@app.command("complete-port-out")
def complete_port_out(
    context: typer.Context,
    port: Annotated[str, typer.Argument(help="Reference of the port, PRT-...")],
    code: Annotated[str, typer.Option(prompt=True, hide_input=True, help="The code of the holder.")],
    recipient: Annotated[str, typer.Option(help="Code of the operator that takes the number.")],
    as_json: AsJson = False,
) -> None:
    """Let the number go: the line ends as ported out. Wrong codes are counted.

    Example: shiming transfers complete-port-out PRT-0082-0C20-A1G7-D --recipient south-mobile
    """
    platform: TransferCommandPlatform = context.obj()
    with reading(platform.engine) as connection:
        line_id = port_out.get_port_out(connection, port).line_id
    ended = carried_out(
        platform,
        lambda connection: port_out.complete_port_out(
            platform.transfers,
            connection,
            port,
            code,
            recipient=recipient,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="port_out",
        line_id=line_id,
        as_json=as_json,
        keep=True,
    )
    show(_out(ended), as_json=as_json, zh="已携出。", en="The number has left.", language=platform.language)


@app.command("cancel-port-out")
def cancel_port_out(
    context: typer.Context, port: Annotated[str, typer.Argument()], as_json: AsJson = False
) -> None:
    """Call a port off; its code is void.

    Example: shiming transfers cancel-port-out PRT-0082-0C20-A1G7-D
    """
    platform: TransferCommandPlatform = context.obj()
    with reading(platform.engine) as connection:
        line_id = port_out.get_port_out(connection, port).line_id
    ended = carried_out(
        platform,
        lambda connection: port_out.cancel_port_out(
            platform.transfers, connection, port, policy=rules_of(platform), now=platform.clock.now()
        ),
        entry="port_out",
        line_id=line_id,
        as_json=as_json,
    )
    show(_out(ended), as_json=as_json, zh="已取消。", en="The port is off.", language=platform.language)


@app.command("port-in")
def port_in(
    context: typer.Context,
    operator: Annotated[str, typer.Option(help="Code of the operator that takes the number.")],
    session: SessionOption,
    donor: Annotated[str, typer.Option(help="Code of the operator that gives the number up.")],
    number: Annotated[str, typer.Option(help="The number, such as +8613800138000.")],
    authorisation: Annotated[str, typer.Option(prompt=True, hide_input=True, help="The holder's code.")],
    as_json: AsJson = False,
) -> None:
    """Ask the donor, and keep its agreement on the order of the session; then register the line.

    Example: shiming transfers port-in --operator south-mobile --session SES-1 --donor north-mobile
    --number +8613800138000
    """
    platform: TransferCommandPlatform = context.obj()
    regions = platform.transfers.number_regions
    wanted = Msisdn.parse(number, regions[0] if len(regions) == 1 else None)
    command = ConfirmPortIn(session, donor, wanted, authorisation)
    answer = ask_donor(platform.transfers, command, recipient=operator)

    def work(connection: Connection) -> PortIn | TransferRefused:
        return confirm_port_in(
            platform.transfers,
            connection,
            command,
            operator=operator,
            answer=answer,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    port = carried_out(platform, work, entry="port_in", line_id="", as_json=as_json)
    values = {"port": port.port_id, "session": port.session_id, "expires_at": port.expires_at.isoformat()}
    show(values, as_json=as_json, zh="携出方已确认。", en="The donor agrees.", language=platform.language)


def _out(port: PortOut) -> dict[str, Any]:
    return {
        "port": port.port_id,
        "line": port.line_id,
        "state": port.state.value,
        "expires_at": port.expires_at.isoformat(),
    }
