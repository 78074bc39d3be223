"""The audit view: verify the ledger live, see the chain of its checkpoints, prove one leaf."""

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse

from shiming.entrypoints.pages.desk.checkpoint_chain import TABLE, Drawing, read_blocks
from shiming.entrypoints.pages.desk.desk_page import Shown, desk_page, table_page
from shiming.entrypoints.pages.desk.ledger_verification import Verification, verify_now, watched
from shiming.entrypoints.pages.desk.tables import Gathered
from shiming.entrypoints.pages.rendering import HEADERS, fragment
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.privacy.model import LedgerBroken, LedgerVerified
from shiming.privacy.permissions import MayReadLedger
from shiming.privacy.rules.proofs import InclusionProof, LeafNotSealed, LeafUnknown
from shiming.privacy.use_cases.proving import inclusion_proof, proof_holds
from shiming.vocabulary.errors import ShimingError, Text, Unavailable

router = page_router()
Reading = Annotated[Asking, asked(MayReadLedger)]
_BATCH_MAX = (1 << 31) - 1


@router.get("/desk/ledger")
def show_ledger(
    request: Request,
    asking: Reading,
    before: Annotated[int | None, Query(ge=1, le=_BATCH_MAX)] = None,
    leaf: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Show the chain of checkpoints, and the proof of a leaf that is named."""
    asking.allow(MayReadLedger(asking.caller.operator or ""))
    platform = request.app.state.platform
    with reading(platform.engine) as connection:
        blocks = read_blocks(connection, platform.ledger_keys, before=before, witnesses=platform.witness_keys)
    facts = {
        "drawing": Drawing.of(blocks),
        "older": blocks[0].batch if blocks and blocks[0].batch > 1 else None,
        "newest": before is None,
        "origin": platform.ledger_signer.key.name,
        "leaf": leaf.strip(),
        "proof": _proof(request, leaf.strip()) if leaf.strip() else None,
    }
    return table_page(request, asking, "desk/ledger.html", Shown(TABLE, Gathered(blocks)), facts)


@router.post("/desk/ledger/verification")
def verify(request: Request, asking: Reading) -> Response:
    """Verify the whole ledger and show what was found; this is the way without script."""
    asking.allow(MayReadLedger(asking.caller.operator or ""))
    return desk_page(request, asking, "desk/ledger_verified.html", _found(verify_now(request)))


@router.get("/desk/ledger/verification/events")
def watch(request: Request, asking: Reading) -> Response:
    """Verify the whole ledger, and say meanwhile how far it is."""
    asking.allow(MayReadLedger(asking.caller.operator or ""))
    events = watched(
        request,
        shown=lambda run: _html(fragment(request, "desk/ledger_result.html", _found(run))),
        refused=lambda problem: _html(fragment(request, "desk/ledger_result.html", _not_now(problem))),
    )
    headers = {**HEADERS, "cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def _found(run: Verification) -> dict[str, Any]:
    outcome = run.outcome
    return {
        "whole": outcome if isinstance(outcome, LedgerVerified) else None,
        "broken": outcome if isinstance(outcome, LedgerBroken) else None,
        "seconds": round(run.seconds, 1),
        "not_now": None,
    }


def _not_now(problem: Unavailable) -> dict[str, Any]:
    return {"whole": None, "broken": None, "seconds": 0, "not_now": problem}


def _html(answer: Response) -> str:
    return bytes(answer.body).decode()


def _proof(request: Request, leaf: str) -> dict[str, Any]:
    """Return what is to be said of a leaf: its proof, or why there is none."""
    platform = request.app.state.platform
    try:
        with reading(platform.engine) as connection:
            found = inclusion_proof(connection, leaf)
    except ShimingError as problem:
        return _no_proof(problem.text)
    match found:
        case InclusionProof():
            return {"found": found, "holds": proof_holds(found, platform.ledger_keys), "why": None}
        case LeafUnknown():
            return _no_proof(Text(zh="账本中没有这条记录。", en="The ledger has no such leaf."))
        case LeafNotSealed():
            return _no_proof(
                Text(
                    zh="该记录尚未封入检查点，请稍后重试。",
                    en="The leaf is in no checkpoint yet; try again soon.",
                )
            )
        case LedgerBroken():
            return _no_proof(found.why.text)


def _no_proof(why: Text) -> dict[str, Any]:
    return {"found": None, "holds": False, "why": why}
