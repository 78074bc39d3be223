"""`shiming receipts verify|explain|replay`."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.identity_proofing.command_line import (
    NOT_VERIFIED,
    AsJson,
    OnDay,
    platform_of,
    print_json,
    read_day,
    read_object,
    user_language,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Verify, explain or replay a decision receipt.\n\nExample: shiming receipts verify receipt.json",
)

ReceiptFile = Annotated[
    Path, typer.Argument(help="The receipt, or the whole output of `shiming prove --json`.")
]


@app.command()
def verify(
    receipt: ReceiptFile,
    *,
    key: Annotated[
        str | None,
        typer.Option("--key", help="The public key (base64) that you trust; any key if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that a receipt is whole and signed. Exit code 1: it proves nothing.

    Example: shiming receipts verify receipt.json --key "$(cat operator.pub)"
    """
    from shiming.identity_proofing.receipts.verifying import ReceiptGenuine, verify_receipt

    checked = verify_receipt(read_receipt(receipt), key)
    genuine = isinstance(checked, ReceiptGenuine)
    if isinstance(checked, ReceiptGenuine):
        result: dict[str, Any] = {"verified": True, "key_id": checked.key_id, "trusted": checked.trusted}
    else:
        result = {"verified": False, "reason": checked.code, "text": checked.text.to_json()}
    if as_json:
        print_json(result)
    elif isinstance(checked, ReceiptGenuine):
        typer.echo(f"Genuine, signed by {checked.key_id}" + ("" if key else " (no key given to trust)"))
    else:
        typer.echo(f"{checked.code}: {checked.text.in_language(user_language())}", err=True)
    raise typer.Exit(0 if genuine else NOT_VERIFIED)


@app.command()
def explain(
    receipt: ReceiptFile,
    *,
    language: Annotated[str | None, typer.Option("--language", help="zh or en.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the story of a decision in plain words.

    Example: shiming receipts explain receipt.json --language zh
    """
    from shiming.identity_proofing.receipts.explaining import explain_receipt

    lines = explain_receipt(read_receipt(receipt), language or user_language())
    if as_json:
        print_json({"lines": list(lines)})
    else:
        typer.echo("\n".join(lines))


@app.command()
def replay(
    context: typer.Context,
    receipt: ReceiptFile,
    *,
    pack: Annotated[
        str | None, typer.Option("--pack", help="Other rules than the receipt's: a pack or a folder.")
    ] = None,
    on: OnDay = None,
    as_json: AsJson = False,
) -> None:
    """Run the rules again over the recorded measurements. Exit code 1: another outcome or other reasons.

    Example: shiming receipts replay receipt.json
    """
    from shiming.identity_proofing.receipts.replaying import replay_receipt

    document = read_receipt(receipt)
    pack_named = document.get("pack")
    recorded: Mapping[str, Any] = pack_named if isinstance(pack_named, Mapping) else {}
    day = read_day(on or str(recorded.get("on") or "")) or platform_of(context).today()
    policy = platform_of(context).policy(pack or str(recorded.get("id")), day)
    replayed = replay_receipt(document, policy)
    result = {
        "same": replayed.same,
        "same_pack": replayed.same_pack,
        "recorded_outcome": replayed.recorded_outcome,
        "outcome": replayed.outcome,
        "differences": list(replayed.differences),
    }
    if as_json:
        print_json(result)
    else:
        same = "the same" if replayed.same else "different: " + "; ".join(replayed.differences)
        rules = "the rules of the receipt" if replayed.same_pack else "other rules"
        typer.echo(f"{replayed.outcome} under {rules}: {same}")
    raise typer.Exit(0 if replayed.same else NOT_VERIFIED)


def read_receipt(file: Path) -> dict[str, Any]:
    """Read a receipt; the whole output of `prove` holds one."""
    document = read_object(file)
    inner = document.get("receipt")
    return inner if isinstance(inner, dict) and "kind" not in document else document
