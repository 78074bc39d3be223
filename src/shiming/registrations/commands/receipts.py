"""`shiming receipts paper|send|portable|verify-portable|key`: receipts for the customer's own hands."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.infrastructure.canonical_json import parse_object
from shiming.infrastructure.database import transact
from shiming.registrations.commands.contract_output import (
    REFUSED,
    AsJson,
    platform_of,
    print_outcome,
    read_bytes,
    refuse,
)
from shiming.registrations.model.portable_receipts import PortableNotGenuine, PortableRefused, WhatIsAsked
from shiming.registrations.model.receipt_links import ReceiptLinkRefused
from shiming.registrations.receipts import KIND, receipt_is_genuine
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt
from shiming.registrations.use_cases.portable_receipts import (
    issue_portable_receipt,
    jwk_of,
    read_holder_key,
    verify_portable_receipt,
)
from shiming.registrations.use_cases.receipt_links import send_receipt
from shiming.vocabulary.errors import BadInput, Text

app = typer.Typer(no_args_is_help=True, add_completion=False)
Line = Annotated[str, typer.Argument(help="Reference of the line, REG-...")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="A public key (base64) that you trust; this installation's if left out."),
]


@app.command()
def paper(
    context: typer.Context,
    line: Line,
    out: Annotated[Path, typer.Option(help="File to write the PDF to.")],
    as_json: AsJson = False,
) -> None:
    """Write the receipt of a line as PDF, with a code that anybody verifies offline.

    Example: shiming receipts paper REG-0082-0C20-A1G7-D --out receipt.pdf
    """
    platform = platform_of(context)
    words = PaperWords(platform.policy(platform.default_pack, platform.today()), platform.operator_name)
    issued = transact(
        platform.engine,
        lambda connection: issue_paper_receipt(
            platform.registrations, connection, line, words, now=platform.clock.now()
        ),
    )
    if issued is None:
        raise _unknown()
    out.write_bytes(issued.pdf)
    print_outcome({"line": line, "file": str(out), "bytes": len(issued.pdf)}, as_json=as_json, said=str(out))


@app.command()
def send(context: typer.Context, line: Line, as_json: AsJson = False) -> None:
    """Send a link to its receipt to a line itself; the link is not printed. Exit code 1: it cannot be sent.

    Example: shiming receipts send REG-0082-0C20-A1G7-D
    """
    platform = platform_of(context)
    sent = transact(
        platform.engine,
        lambda connection: send_receipt(
            platform.registrations,
            connection,
            line,
            policy=platform.policy(platform.default_pack, platform.today()),
            now=platform.clock.now(),
        ),
    )
    if sent is None:
        raise _unknown()
    if isinstance(sent, ReceiptLinkRefused):
        refuse(sent.refusals, as_json=as_json, language=platform.language)
    shown = {"line": line, "notice": sent.notice_id, "expires_at": sent.expires_at.isoformat()}
    print_outcome(shown, as_json=as_json, said=sent.notice_id)


@app.command("verify-registration")
def verify_registration(
    context: typer.Context,
    receipt: Annotated[Path, typer.Argument(help="The receipt of a registration, as JSON.")],
    *,
    key: Keys = None,
    as_json: AsJson = False,
) -> None:
    """Check that the receipt of a registration is whole and signed. Exit code 1: it proves nothing.

    Example: shiming receipts verify-registration receipt.json --key "$(cat operator.pub)"
    """
    platform, document = platform_of(context), parse_object(read_bytes(receipt))
    keys = _trusted(key, platform.registrations.signer.public_key)
    genuine = document.get("kind") == KIND and any(receipt_is_genuine(document, each) for each in keys)
    print_outcome({"verified": genuine}, as_json=as_json, said="genuine" if genuine else "not genuine")
    raise typer.Exit(0 if genuine else REFUSED)


@app.command()
def portable(
    context: typer.Context,
    line: Line,
    holder_key: Annotated[Path, typer.Option(help="Public JWK of the holder's wallet, as JSON.")],
    as_json: AsJson = False,
) -> None:
    """Print a receipt for the holder's wallet (SD-JWT VC), bound to the wallet's key.

    Example: shiming receipts portable REG-0082-0C20-A1G7-D --holder-key wallet.jwk
    """
    platform = platform_of(context)
    holder = read_holder_key(parse_object(read_bytes(holder_key)))
    outcome = transact(
        platform.engine,
        lambda connection: issue_portable_receipt(
            platform.registrations,
            connection,
            line,
            holder,
            issuer=platform.settings.public_url,
            policy=platform.policy(platform.default_pack, platform.today()),
            now=platform.clock.now(),
        ),
    )
    if outcome is None:
        raise _unknown()
    if isinstance(outcome, PortableRefused):
        refuse(outcome.refusals, as_json=as_json, language=platform.language)
    shown = {"line": line, "sd_jwt": outcome.sd_jwt, "expires_at": outcome.expires_at.isoformat()}
    print_outcome(shown, as_json=as_json, said=outcome.sd_jwt)


@app.command("verify-portable")
def verify_portable(
    context: typer.Context,
    presentation: Annotated[str, typer.Argument(help="What the wallet presented, or a file with it.")],
    *,
    key: Keys = None,
    issuer: Annotated[str | None, typer.Option(help="Who must have issued it; anyone if left out.")] = None,
    nonce: Annotated[str | None, typer.Option(help="The question that the wallet was asked.")] = None,
    audience: Annotated[str | None, typer.Option(help="Who asked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check what a wallet presents. Exit code 1: it proves nothing. With nonce and audience also the holder.

    Example: shiming receipts verify-portable shown.txt --key "$(cat operator.pub)" --nonce 42 --audience me
    """
    platform = platform_of(context)
    text = presentation if "~" in presentation else read_bytes(Path(presentation)).decode(errors="replace")
    keys = tuple(jwk_of(each) for each in _trusted(key, platform.registrations.signer.public_key))
    wanted = WhatIsAsked(keys, issuer, nonce=nonce, audience=audience)
    found = verify_portable_receipt(text, wanted, now=platform.clock.now())
    if isinstance(found, PortableNotGenuine):
        shown: dict[str, Any] = {"verified": False, "reason": found.code, "text": found.text.to_json()}
        said = f"{found.code}: {found.text.in_language(platform.language)}"
        print_outcome(shown, as_json=as_json, said=said)
        raise typer.Exit(REFUSED)
    shown = {"verified": True, "holder_bound": found.holder_bound, "claims": dict(found.claims)}
    said = json.dumps(shown["claims"], ensure_ascii=False, indent=2)
    print_outcome(shown, as_json=as_json, said=said)


@app.command()
def key(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the public key by which this installation's receipts are verified; publish it.

    Example: shiming receipts key > operator.pub
    """
    signer = platform_of(context).registrations.signer
    shown = {
        "key_id": signer.key_id,
        "public_key": signer.public_key,
        "jwk": jwk_of(signer.public_key, signer.key_id),
    }
    print_outcome(shown, as_json=as_json, said=signer.public_key)


def _trusted(keys: list[str] | None, own: str) -> list[str]:
    """Return the trusted keys; BadInput for what is no key, before it is used."""
    for each in keys or ():
        try:
            jwk_of(each)
        except ValueError as problem:
            raise BadInput(
                "PUBLIC_KEY_INVALID",
                Text(zh="这不是 base64 编码的公钥。", en="This is no public key in base64."),
                Text(zh="请使用 shiming receipts key 的输出。", en="Use what `shiming receipts key` prints."),
            ) from problem
    return keys or [own]


def _unknown() -> BadInput:
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有这条登记。", en="There is no such line."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )
