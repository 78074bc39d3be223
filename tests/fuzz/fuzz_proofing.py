"""Coverage-guided fuzzing of the challenge and receipt parsers.

`python tests/fuzz/fuzz_proofing.py -runs=100000` looks for input that raises anything but BadInput, and for
what must never happen: an edited receipt that verifies, or a challenge that does not come back as itself.
"""

import json
import sys
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import atheris

with atheris.instrument_imports(include=["shiming.identity_proofing", "shiming.infrastructure"]):
    from shiming.identity_proofing.checks.recipe import decide_proofing
    from shiming.identity_proofing.model.challenge import ChallengeOrigin
    from shiming.identity_proofing.model.evidence import Evidence
    from shiming.identity_proofing.receipts.explaining import explain_receipt
    from shiming.identity_proofing.receipts.issuing import issue_receipt
    from shiming.identity_proofing.receipts.replaying import replay_receipt
    from shiming.identity_proofing.receipts.verifying import ReceiptGenuine, verify_receipt
    from shiming.identity_proofing.rules.challenge_document import challenge_document, parse_challenge
    from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
    from shiming.infrastructure.signing import Ed25519Signer

from shiming.jurisdictions.model import Channel, Route
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.vocabulary.errors import BadInput

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
POLICY = policy_on(read_pack("cn"), date(2026, 11, 22))
EVIDENCE = Evidence("SES-1", Channel.SHOP, Route.STANDARD, "adult", date(2026, 11, 22))
RECEIPT = issue_receipt(
    decide_proofing(EVIDENCE, POLICY),
    EVIDENCE,
    POLICY,
    subject="P-1",
    issued_at=NOW,
    program="fuzz",
    signer=Ed25519Signer.from_seed(bytes(32)),
)
CHALLENGE = {
    "id": "CHA-1", "session": "SES-1", "origin": "drawn", "route": "standard",
    "steps": [{"gesture": "turn_left"}, {"gesture": "blink"}, "turn_right"],
    "digits": "470913", "digits_mode": "spoken", "digits_language": "cmn",
    "drawn_at": "2026-11-22T09:00:00+00:00", "expires_at": "2026-11-22T09:02:00+00:00",
    "prompts_s": [0.5, 3.5, 6.5],
}  # fmt: skip
TEXTS = (canonical_bytes(RECEIPT), json.dumps(CHALLENGE).encode())
VALUES: tuple[Any, ...] = (
    None, True, -1, 1e300, "", "blink", "470913", [], {}, [[]], {"code": 1}, "9" * 40, "shop",
    "\ud800", 2**60,
)  # fmt: skip


def fuzz(data: bytes) -> None:
    """Try one input; its first byte chooses what is done with the rest."""
    kind, rest = data[:1] or b"\x00", data[1:]
    if kind < b"\x40":
        _both(rest)
    elif kind < b"\x80":
        _both(_edited_text(TEXTS[kind[0] % 2], rest))
    elif kind < b"\xc0":
        _challenge(_edited_tree(CHALLENGE, rest))
    else:
        _receipt(_edited_tree(RECEIPT, rest))


def _both(text: bytes) -> None:
    try:
        document = parse_object(text)
    except BadInput:
        return
    assert parse_object(canonical_bytes(document)) == document
    _challenge(document)
    _receipt(document)


def _challenge(document: dict[str, Any]) -> None:
    try:
        challenge = parse_challenge(document, POLICY, NOW)
    except BadInput:
        return
    assert challenge.id or challenge.origin is ChallengeOrigin.CHOSEN
    again = parse_challenge(challenge_document(challenge), POLICY, NOW)
    assert again == challenge


def _receipt(document: dict[str, Any]) -> None:
    if isinstance(verify_receipt(document), ReceiptGenuine):
        assert document == RECEIPT
    with suppress(BadInput):
        explain_receipt(document, "zh")
    with suppress(BadInput):
        replay_receipt(document, POLICY)


def _edited_text(text: bytes, edits: bytes) -> bytes:
    """Replace, insert or take away one byte for each four bytes of `edits`."""
    edited = bytearray(text)
    for how, high, low, byte in zip(edits[::4], edits[1::4], edits[2::4], edits[3::4], strict=False):
        place = (high << 8 | low) % (len(edited) + 1)
        edited[place : place + (how % 3 != 1)] = bytes([byte]) if how % 3 else b""
    return bytes(edited)


def _edited_tree(tree: dict[str, Any], edits: bytes) -> dict[str, Any]:
    """Change one value of a copy for each three bytes of `edits`, walking down by the first two."""
    copy: dict[str, Any] = json.loads(json.dumps(tree))
    for path, turn, choice in zip(edits[::3], edits[1::3], edits[2::3], strict=False):
        node: Any = copy
        for step in (path, turn, path ^ turn):
            keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = keys[step % len(keys)]
            if not isinstance(node[key], dict | list) or step % 5 == 0:
                node[key] = deepcopy(VALUES[choice % len(VALUES)])
                break
            node = node[key]
    return copy


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
