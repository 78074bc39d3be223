"""`shiming ledger prove|consistency|check-proof|witness`: what others can check without the database."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shiming.privacy.ledger_command_line import (
    REFUSED,
    AsJson,
    LedgerPlatform,
    platform_of,
    print_findings,
    print_json,
    read_file,
    write_file,
)
from shiming.vocabulary.errors import Text

if TYPE_CHECKING:
    from shiming.infrastructure.signed_notes import NoteKey
    from shiming.privacy.rules.checkpoint import Checkpoint
    from shiming.privacy.rules.proofs import ConsistencyProof, InclusionProof

LogKey = Annotated[
    str | None,
    typer.Option("--key", metavar="KEY", help="The ledger's key, from `checkpoint --key`; else this one's."),
]
TreeSize = Annotated[str, typer.Argument(help="The size of a tree, or a file with a checkpoint.")]


def prove(
    context: typer.Context,
    leaf: Annotated[str, typer.Argument(help="LANE-NUMBER or LANE-NUMBER:HASH, as receipts carry it.")],
) -> None:
    """Print the proof that a leaf is in the newest checkpoint, as JSON that anybody can check.

    Exit code 1 when the leaf is not sealed yet or was tampered with. Example: shiming ledger prove 1-17
    """
    from shiming.infrastructure.database import reading
    from shiming.privacy.model import LedgerBroken
    from shiming.privacy.rules.proofs import InclusionProof, LeafNotSealed
    from shiming.privacy.use_cases.proving import inclusion_proof

    platform = platform_of(context)
    with reading(platform.engine) as connection:
        found = inclusion_proof(connection, leaf)
    if isinstance(found, InclusionProof):
        print_json(found.to_json())
        return
    if isinstance(found, LedgerBroken):
        print_findings(found.findings, found.found, platform.language)
    elif isinstance(found, LeafNotSealed):
        waiting = Text(zh="该记录尚未封存。", en="The leaf is not sealed yet; run: shiming ledger seal")
        typer.echo(waiting.in_language(platform.language), err=True)
    else:
        unknown = Text(zh="没有这条记录。", en="There is no such leaf.")
        typer.echo(unknown.in_language(platform.language), err=True)
    raise typer.Exit(REFUSED)


def consistency(context: typer.Context, a: TreeSize, b: TreeSize) -> None:
    """Print the proof that tree A is the beginning of tree B, as JSON that anybody can check.

    Exit code 1 when a checkpoint contradicts the ledger. Example: shiming ledger consistency old.txt new.txt
    """
    from shiming.infrastructure.database import reading
    from shiming.privacy.model import LedgerBroken, LedgerFault, LedgerFinding
    from shiming.privacy.use_cases.proving import consistency_proof

    platform = platform_of(context)
    (old, old_known), (new, new_known) = _size_of(platform, a), _size_of(platform, b)
    with reading(platform.engine) as connection:
        found = consistency_proof(connection, old, new)
    if isinstance(found, LedgerBroken):
        print_findings(found.findings, found.found, platform.language)
        raise typer.Exit(REFUSED)
    pairs = ((old_known, found.old_root), (new_known, found.new_root))
    wrong = [known for known, root in pairs if known is not None and known.root != root]
    if wrong or not found.holds:
        at = f"checkpoint {wrong[0].size if wrong else new}"
        contradicted = LedgerFinding(at, LedgerFault.KNOWN_CHECKPOINT_CONTRADICTED)
        print_findings((contradicted,), 1, platform.language)
        raise typer.Exit(REFUSED)
    print_json(found.to_json())


def check_proof(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A proof as `prove` or `consistency` printed it; - is stdin.")],
    key: LogKey = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof without the database; exit code 1 when it does not hold.

    Example: shiming ledger check-proof proof.json --key shiming/8eb7...+1f2e...+AaB...
    """
    from shiming.privacy.use_cases.proving import proof_holds

    log_keys = _log_keys(context, key)
    proof = _read_proof(file)
    holds = proof_holds(proof, log_keys)
    if as_json:
        print_json({"holds": holds, **{name: proof.to_json()[name] for name in ("proof", "checkpoint")}})
    else:
        yes, no = (
            Text(zh="证明成立。", en="The proof holds."),
            Text(zh="证明不成立。", en="The proof does not hold."),
        )
        typer.echo((yes if holds else no).in_language(_language(context)))
    raise typer.Exit(0 if holds else REFUSED)


def witness(  # noqa: PLR0917 - Typer reads options from parameters
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A checkpoint; the signature is added to this file.")],
    key_file: Annotated[
        Path, typer.Option(help="The witness's own key, made with mode 0600 when missing; keep it elsewhere.")
    ],
    name: Annotated[str, typer.Option(help="Who the witness is; else it is named by its key.")] = "",
    key: LogKey = None,
    proof: Annotated[
        Path | None, typer.Option(help="A consistency proof; else this installation's database gives one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign a checkpoint with a second key, if it continues the one that this witness signed last.

    What was signed last is remembered beside the key. Exit code 1 when the checkpoint does not continue it.
    Example: shiming ledger witness checkpoint.txt --key-file /mnt/witness/key.ed25519
    """
    from shiming.infrastructure.clock import SystemClock
    from shiming.infrastructure.signed_notes import witness_signer
    from shiming.infrastructure.signing import Ed25519Signer
    from shiming.privacy.rules.witnessing import CheckpointWitnessed
    from shiming.privacy.use_cases.witnessing import cosign_checkpoint

    (log_key, *_) = _log_keys(context, key)
    note, memory = read_file(file), key_file.with_name(f"{key_file.name}.{log_key.key_id.hex()}.last")
    last = read_file(memory) if memory.exists() else None
    signer = witness_signer(Ed25519Signer.from_file_or_new(key_file), name)
    shown = _proof_for(context, note, last, log_key, proof)
    done = cosign_checkpoint(note, signer, log_key=log_key, last=last, proof=shown, now=SystemClock().now())
    if isinstance(done, CheckpointWitnessed):
        write_file(memory, done.note)  # first: what it signed must never be forgotten
        write_file(file, done.note)
    if as_json:
        signed = isinstance(done, CheckpointWitnessed)
        why = None if isinstance(done, CheckpointWitnessed) else done.why.value
        print_json({"witnessed": signed, "why": why, "witness_key": signer.cosigning_key.text})
    elif isinstance(done, CheckpointWitnessed):
        zh, en = (
            f"已见证，大小 {done.size}。",
            f"Witnessed at size {done.size} by {signer.cosigning_key.text}",
        )
        typer.echo(Text(zh=zh, en=en).in_language(_language(context)))
    else:
        typer.echo(f"{done.why.value}: {done.why.text.in_language(_language(context))}")
    raise typer.Exit(0 if isinstance(done, CheckpointWitnessed) else REFUSED)


def _proof_for(
    context: typer.Context, note: str, last: str | None, log_key: "NoteKey", file: Path | None
) -> "ConsistencyProof | None":
    """Return the proof from the last checkpoint to this one, from a file or from the database."""
    from shiming.infrastructure.database import reading
    from shiming.privacy.rules.proofs import ConsistencyProof
    from shiming.privacy.use_cases.proving import consistency_proof
    from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint

    if file is not None:
        found = _read_proof(file)
        return found if isinstance(found, ConsistencyProof) else None
    old, new = (signed_checkpoint(text, (log_key,)) for text in (last, note))
    if old is None or new is None or old.size >= new.size:
        return None
    with reading(platform_of(context).engine) as connection:
        proof = consistency_proof(connection, old.size, new.size)
    return proof if isinstance(proof, ConsistencyProof) else None


def _read_proof(file: Path) -> "InclusionProof | ConsistencyProof":
    from shiming.infrastructure.canonical_json import parse_object
    from shiming.privacy.rules.proofs import read_proof

    return read_proof(parse_object(read_file(file)))


def _log_keys(context: typer.Context, key: str | None) -> "tuple[NoteKey, ...]":
    """Return the key that was named; without one, those of this installation."""
    from shiming.infrastructure.signed_notes import NoteKey

    return platform_of(context).ledger_keys if key is None else (NoteKey.parse(key),)


def _size_of(platform: LedgerPlatform, text: str) -> "tuple[int, Checkpoint | None]":
    """Return the size that an argument names, and the checkpoint when it names a file."""
    from shiming.privacy.use_cases.signed_checkpoints import known_checkpoint

    if text.isascii() and text.isdigit():
        return int(text[:19]), None
    known = known_checkpoint(read_file(Path(text)), platform.ledger_keys)
    return known.size, known


def _language(context: typer.Context) -> str:
    return platform_of(context).language
