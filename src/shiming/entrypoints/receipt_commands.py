"""`shiming receipts`: the commands of every feature that gives receipts; codes on paper are read here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.identity_proofing.receipt_commands import app as decision_receipts
from shiming.registrations.commands.receipts import app as registration_receipts
from shiming.vocabulary.errors import BadInput, Text

NOT_VERIFIED = 1
_PDF = b"%PDF"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Receipts of decisions and of registrations: give out, verify, explain, replay.\n\n"
    "Example: shiming receipts verify-qr receipt.pdf",
)
app.registered_commands += decision_receipts.registered_commands
app.registered_commands += registration_receipts.registered_commands


@app.command("verify-qr")
def verify_qr(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="Text of the code, a photo or scan of the paper, or the PDF file.")
    ],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A public key (base64) that you trust; this installation's if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Check the code of a receipt on paper, offline. Exit code 1: it proves nothing.

    Compare what is shown with what is printed: the code proves its own content, not the ink around it.

    Example: shiming receipts verify-qr photo.jpg --key "$(cat operator.pub)"
    """
    from shiming.registrations.commands.contract_output import print_outcome
    from shiming.registrations.model.paper_receipts import PaperGenuine
    from shiming.registrations.use_cases.paper_receipts import verify_paper_receipt

    platform = context.obj()
    keys = key or [platform.registrations.signer.public_key]
    found = verify_paper_receipt(_code(source), keys)
    if isinstance(found, PaperGenuine):
        shown: dict[str, Any] = {"verified": True, "key_id": found.key_id, "content": dict(found.content)}
        lines = [f"{name}: {value}" for name, value in found.content.items() if value is not None]
        print_outcome(shown, as_json=as_json, said="\n".join([f"Genuine / 真实 ({found.key_id})", *lines]))
        return
    shown = {"verified": False, "reason": found.code, "text": found.text.to_json()}
    said = f"{found.code}: {found.text.in_language(platform.language)}"
    print_outcome(shown, as_json=as_json, said=said)
    raise typer.Exit(NOT_VERIFIED)


def _code(source: str) -> str:
    """Return the text of the code in what was given."""
    from shiming.registrations.connectors.qr_receipt import PREFIX

    if source.startswith(PREFIX):
        return source
    texts = [text for text in _texts_in(Path(source)) if text.startswith(PREFIX)]
    if not texts:
        raise BadInput(
            "QR_NOT_FOUND",
            Text(zh="没有找到实名登记回执的二维码。", en="There is no code of a registration receipt in it."),
            Text(zh="请拍清二维码，四周留白。", en="Take the photo of the whole code, sharp and straight."),
        )
    return texts[0]


def _texts_in(file: Path) -> Sequence[str]:
    from shiming.recognition.documents.barcodes import read_barcodes
    from shiming.recognition.images import read_image
    from shiming.registrations.commands.contract_output import read_bytes
    from shiming.registrations.use_cases.paper_receipts import code_in_pdf

    if file.suffix.lower() == ".pdf":
        content = read_bytes(file)
        text = code_in_pdf(content) if content.startswith(_PDF) else None
        return [] if text is None else [text]
    return [code.text for code in read_barcodes(read_image(file))]
