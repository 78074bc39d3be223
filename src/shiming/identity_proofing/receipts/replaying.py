"""Run the rules again over what a receipt recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.model.decision import Adjudication
from shiming.identity_proofing.receipts.issuing import decision_to_json
from shiming.identity_proofing.rules.recorded_evidence import evidence_from_json
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.errors import BadInput, Text


@dataclass(frozen=True, slots=True)
class Replay:
    """What the rules say today about the recorded measurements."""

    same_pack: bool
    recorded_outcome: str
    outcome: str
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """The same outcome for the same reasons, check by check."""
        return not self.differences


def replay_receipt(receipt: Mapping[str, Any], policy: Policy) -> Replay:
    """Run the rules of `policy` over the recorded measurements and compare with what was decided."""
    evidence = evidence_from_json(_part(receipt, "evidence"))
    if evidence.channel not in policy.channels or evidence.subject not in policy.documents:
        raise BadInput(
            "REPLAY_PACK",
            Text(zh="规则包不适用于该回执。", en="The pack has no rules for this receipt."),
            advice=Text(zh="请使用回执所列规则包。", en="Use the pack that the receipt names."),
        )
    fresh = decide_proofing(evidence, policy)
    recorded = _part(receipt, "decision")
    return Replay(
        same_pack=_part(receipt, "pack").get("hash") == policy.content_hash,
        recorded_outcome=str(recorded.get("outcome")),
        outcome=fresh.outcome,
        differences=tuple(_differences(receipt, fresh)),
    )


def _differences(receipt: Mapping[str, Any], fresh: Adjudication) -> Iterator[str]:
    decision = decision_to_json(fresh)
    recorded = _part(receipt, "decision")
    if recorded.get("outcome") != decision["outcome"]:
        yield f"outcome: {recorded.get('outcome')} -> {decision['outcome']}"
    then, now = _codes(recorded), _codes(decision)
    if then != now:
        yield f"reasons: {','.join(then)} -> {','.join(now)}"
    checks = _parts(receipt, "checks")
    was = {str(check.get("check")): str(check.get("outcome")) for check in checks}
    for check in fresh.checks:
        if was.get(check.check) != check.outcome.value:
            yield f"{check.check}: {was.get(check.check)} -> {check.outcome.value}"


def _codes(decision: Mapping[str, Any]) -> list[str]:
    return [str(reason.get("code")) for reason in _parts(decision, "reasons")]


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that is an object; what is none counts as empty, and so as different."""
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}


def _parts(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    parts = document.get(name)
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
