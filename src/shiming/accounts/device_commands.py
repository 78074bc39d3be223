"""`shiming devices`: which card readers and counter browsers sign what they send."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.accounts.command_line import LOCAL, AccountsPlatform, AsJson, Operator
from shiming.accounts.errors import refused
from shiming.accounts.model import CaptureDevice, DeviceKind
from shiming.accounts.use_cases import capture_devices as use_cases
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.device_proofs import KEY_CHARACTERS_MAX

LISTED_MAX = 500  # readers and browsers of one operator's larger town; the API pages through more

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Capture devices: card readers and counter browsers that sign what they send.\n\n"
    "Example: shiming devices list",
)

Reference = Annotated[str, typer.Argument(help="Reference of the device.")]


@app.command("enrol")
def enrol(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="A name to know the device by, such as counter-3.")],
    outlet: Annotated[str, typer.Option(help="The outlet where it stands.")],
    public_key: Annotated[
        Path, typer.Option(help="File with its public key (JWK), as `shiming reader --enrol` prints it.")
    ],
    kind: Annotated[DeviceKind, typer.Option(help="reader or browser.")] = DeviceKind.READER,
    operator: Operator = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a device and print its reference.

    Example: shiming devices enrol counter-3 --outlet "People's Square" --public-key reader.pub
    """
    platform: AccountsPlatform = context.obj()
    wanted = use_cases.NewDevice(name, kind, outlet, _read(public_key), operator)
    with unit_of_work(platform.engine) as connection:
        device = use_cases.enrol_device(platform.accounts, connection, wanted, by=LOCAL)
    _print([device], as_json=as_json)


@app.command("list")
def list_devices(context: typer.Context, operator: Operator = None, as_json: AsJson = False) -> None:
    """List devices with their last use.

    Example: shiming devices list --operator cn-mobile
    """
    platform: AccountsPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = use_cases.list_devices(connection, operator=operator, limit=LISTED_MAX)
    _print(found, as_json=as_json)


@app.command("revoke")
def revoke(context: typer.Context, reference: Reference, as_json: AsJson = False) -> None:
    """Let a device sign no more, at once.

    Example: shiming devices revoke DEV-0082-0C20-A1G7-D
    """
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        device = use_cases.get_device(connection, reference)
        revoked = use_cases.revoke_device(platform.accounts, connection, device, by=LOCAL)
    _print([revoked], as_json=as_json)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(KEY_CHARACTERS_MAX + 1).decode().strip()
    except (OSError, ValueError) as problem:
        raise refused("DEVICE_KEY_INVALID") from problem


def _json(device: CaptureDevice) -> dict[str, Any]:
    return {
        "reference": device.reference,
        "name": device.name,
        "kind": device.kind.value,
        "outlet": device.outlet,
        "operator": device.operator,
        "last_used_at": device.last_used_at and device.last_used_at.isoformat(),
        "revoked_at": device.revoked_at and device.revoked_at.isoformat(),
    }


def _print(devices: list[CaptureDevice], *, as_json: bool) -> None:
    rows = [_json(device) for device in devices]
    if as_json:
        typer.echo(json.dumps({"devices": rows}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo("  ".join(str(value or "-") for value in row.values()))
