"""`shiming ledger add-cosignatures`: put what witnesses signed back into the ledger."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shiming.privacy.ledger_command_line import (
    REFUSED,
    AsJson,
    platform_of,
    print_findings,
    print_json,
    read_file,
)
from shiming.vocabulary.errors import Text

if TYPE_CHECKING:
    from shiming.privacy.rules.witnessing import CosignaturesKept


def add_cosignatures(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A checkpoint as a witness gave it back; - is stdin.")],
    as_json: AsJson = False,
) -> None:
    """Add the signatures of witnesses to the checkpoint that they signed; every later copy carries them.

    A witness is known by its key in SHIMING_LEDGER_WITNESSES; who is not known is passed over, and named.
    The same file again changes nothing. Exit code 1 when our own checkpoint is not what was written.

    Example: shiming ledger checkpoint > c.txt; (the witness) shiming ledger witness c.txt --key-file KEY;
    shiming ledger add-cosignatures c.txt
    """
    from shiming.infrastructure.database import transact
    from shiming.privacy.model import LedgerBroken
    from shiming.privacy.use_cases.cosignatures import keep_cosignatures

    platform, note = platform_of(context), read_file(file)
    done = transact(
        platform.engine,
        lambda connection: keep_cosignatures(
            connection,
            platform.keys,
            note,
            log_keys=platform.ledger_keys,
            witnesses=platform.witness_keys,
            by="",
            now=platform.clock.now(),
        ),
    )
    if isinstance(done, LedgerBroken):
        print_findings(done.findings, done.found, platform.language)
        raise typer.Exit(REFUSED)
    if as_json:
        print_json(done.to_json())
    else:
        typer.echo("\n".join(line.in_language(platform.language) for line in _said(done)))


def _said(done: "CosignaturesKept") -> list[Text]:
    """Say what became of each signature, one line for each that there is something to say of."""
    told = (
        (done.added, "已加入", "added"),
        (done.there_already, "原已存在", "there already"),
        (done.unknown, "略过，公钥未知", "passed over, key not known"),
        (done.wrong, "略过，签名无效", "passed over, wrong signature"),
    )
    head = Text(zh=f"检查点 {done.size}：", en=f"Checkpoint of size {done.size}:")
    return [
        head,
        *(Text(zh=f"  {zh}：{name}", en=f"  {en}: {name}") for names, zh, en in told for name in names),
    ]
