"""The ledger over HTTP: its newest checkpoint, and proofs that anybody can check without us.

GET /v1/ledger/checkpoint               the signed note, as public transparency-log tools read it
GET /v1/ledger/proofs/{leaf}            that a leaf is in the tree of the newest checkpoint
GET /v1/ledger/consistency?from=&to=    that an older tree is the beginning of a newer one
POST /v1/ledger/cosignatures            what witnesses signed is added to the checkpoint that they signed
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.problems import Refusal, problem_responses
from shiming.infrastructure.signed_notes import NOTE_BYTES_MAX
from shiming.privacy.api_platform import Body, described, own, platform_of, unknown
from shiming.privacy.model import LedgerBroken
from shiming.privacy.permissions import MayReadLedger, MayWitnessLedger
from shiming.privacy.rules.proofs import InclusionProof, LeafNotSealed, LeafUnknown
from shiming.privacy.use_cases.cosignatures import keep_cosignatures
from shiming.privacy.use_cases.proving import consistency_proof, inclusion_proof, latest_checkpoint
from shiming.vocabulary.errors import Text

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])
Reading = Annotated[Asking, asked(MayReadLedger)]
_LEAF = r"^[0-9]{1,9}-[0-9]{1,18}(:[0-9a-f]{64})?$"
_SIZE_MAX = (1 << 53) - 1  # what JSON says exactly
_NOTE = {"type": "string", "examples": ["example.com/log\n8\nroot hash\n\n— example.com/log signature\n"]}


class InclusionShown(BaseModel):
    """A proof that a leaf is in the tree of `checkpoint`; hashes are hexadecimal."""

    version: int
    proof: Literal["inclusion"]
    leaf: str
    leaf_hash: str
    index: int
    size: int
    path: list[str]
    checkpoint: str = Field(description="The signed note of the tree (C2SP tlog-checkpoint).")


class ConsistencyShown(BaseModel):
    """A proof that the tree of `old_size` is the beginning of that of `new_size`."""

    version: int
    proof: Literal["consistency"]
    old_size: int
    old_root: str
    new_size: int
    new_root: str
    path: list[str]
    checkpoint: str = Field(description="The signed note of the newer tree; empty when none was signed.")


class CosignedWanted(Body):
    """A checkpoint with the signatures of witnesses."""

    note: str = Field(max_length=NOTE_BYTES_MAX, description="The signed note, as a witness gave it back.")


class CosignaturesShown(BaseModel):
    """What became of each signature, by the name of its witness."""

    size: int = Field(description="Of the tree whose checkpoint it is.")
    added: list[str]
    there_already: list[str]
    unknown: list[str] = Field(description="Passed over: their keys are not in SHIMING_LEDGER_WITNESSES.")
    wrong: list[str] = Field(description="Passed over: the signature does not hold.")


@router.get(
    "/checkpoint",
    response_class=PlainTextResponse,
    responses={200: described("The signed note.", "text/plain", _NOTE), **problem_responses(404)},
)
def show_checkpoint(request: Request, asking: Reading) -> PlainTextResponse:
    """Return the newest checkpoint (C2SP tlog-checkpoint)."""
    asking.allow(MayReadLedger(own(asking)))
    with reading(platform_of(request).engine) as connection:
        found = latest_checkpoint(connection)
    if found is None:
        raise unknown("CHECKPOINT_UNKNOWN", "账本尚无检查点。", "The ledger has no checkpoint yet.")
    return PlainTextResponse(found.note, headers={"cache-control": "no-store"})


@router.get("/proofs/{leaf}", responses=problem_responses(404, 409))
def prove_leaf(
    request: Request,
    leaf: Annotated[str, Path(pattern=_LEAF, description="LANE-NUMBER, or LANE-NUMBER:HASH of a receipt.")],
    asking: Reading,
) -> InclusionShown:
    """Prove that a leaf is in the tree of the newest checkpoint."""
    asking.allow(MayReadLedger(own(asking)))
    with reading(platform_of(request).engine) as connection:
        found = inclusion_proof(connection, leaf)
    match found:
        case InclusionProof():
            return InclusionShown.model_validate(found.to_json())
        case LeafUnknown():
            raise unknown("LEAF_UNKNOWN", "账本中没有这条记录。", "The ledger has no such leaf.")
        case LeafNotSealed():
            raise Refusal(
                "LEAF_NOT_SEALED",
                Text(zh="该记录尚未封入检查点。", en="The leaf is in no checkpoint yet."),
                Text(zh="请稍后重试。", en="Try again in a moment."),
            )
        case LedgerBroken():
            raise _broken(found)


@router.get("/consistency", responses=problem_responses(409))
def prove_consistency(
    request: Request,
    asking: Reading,
    old: Annotated[int, Query(alias="from", ge=0, le=_SIZE_MAX, description="Size of the older tree.")],
    new: Annotated[
        int | None, Query(alias="to", ge=0, le=_SIZE_MAX, description="Size of the newer; default: newest.")
    ] = None,
) -> ConsistencyShown:
    """Prove that an older tree is the beginning of a newer one: nothing was taken out or changed."""
    asking.allow(MayReadLedger(own(asking)))
    with reading(platform_of(request).engine) as connection:
        found = consistency_proof(connection, old, new)
    if isinstance(found, LedgerBroken):
        raise _broken(found)
    return ConsistencyShown.model_validate(found.to_json())


@router.post("/cosignatures", response_model=CosignaturesShown, responses=problem_responses(404, 409))
def add_cosignatures(
    request: Request,
    wanted: CosignedWanted,
    asking: Annotated[Asking, asked(MayWitnessLedger)],
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Add the signatures of known witnesses to the checkpoint that they signed."""
    asking.allow(MayWitnessLedger(own(asking)))
    platform = platform_of(request)
    now = platform.clock.now()

    def work(connection: Connection) -> Answer:
        found = keep_cosignatures(
            connection,
            platform.privacy.keys,
            wanted.note,
            log_keys=platform.ledger_keys,
            witnesses=platform.witness_keys,
            by=asking.caller.reference,
            now=now,
        )
        if isinstance(found, LedgerBroken):
            raise _broken(found)
        return Answer.of(200, CosignaturesShown.model_validate(found.to_json()))

    client, wanted_hash = asking.caller.reference, hash_of(request, wanted)
    return idempotent(platform.engine, client, key, wanted_hash, work, now=now)


def _broken(found: LedgerBroken) -> Refusal:
    finding = found.findings[0]
    return Refusal(
        "LEDGER_BROKEN",
        Text(zh="账本已损坏，无法办理。", en="The ledger is damaged: this cannot be done."),
        Text(zh="请运行 shiming ledger verify。", en="Run `shiming ledger verify`."),
        {"at": finding.at, "why": finding.why.value},
    )
