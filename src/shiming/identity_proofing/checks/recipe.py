"""All checks in the order in which they are told, and the decision that follows from them."""

from collections.abc import Callable, Mapping

from shiming.identity_proofing.checks.assisted_review import check_assisted_review
from shiming.identity_proofing.checks.authority import check_authority
from shiming.identity_proofing.checks.challenge import check_challenge
from shiming.identity_proofing.checks.digits import check_digits
from shiming.identity_proofing.checks.document_genuine import check_document_genuine
from shiming.identity_proofing.checks.document_valid import check_document_valid
from shiming.identity_proofing.checks.face_match import check_face_clip_authority, check_face_clip_document
from shiming.identity_proofing.checks.fields_agree import check_fields_agree
from shiming.identity_proofing.checks.gestures import check_gestures
from shiming.identity_proofing.checks.presentation_attack import check_presentation_attack
from shiming.identity_proofing.checks.same_person import check_same_person
from shiming.identity_proofing.checks.trusted_referee import check_trusted_referee
from shiming.identity_proofing.model.decision import Adjudication, CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.rules.adjudication import adjudicate
from shiming.identity_proofing.rules.requirements import CHALLENGE, advisory_checks, required_checks
from shiming.jurisdictions.model import CheckName, Policy

CHECKS: Mapping[str, Callable[[Evidence, Policy], CheckResult]] = {
    CheckName.DOCUMENT_GENUINE.value: check_document_genuine,
    CheckName.DOCUMENT_VALID.value: check_document_valid,
    CheckName.FIELDS_AGREE.value: check_fields_agree,
    CHALLENGE: check_challenge,
    CheckName.GESTURES.value: check_gestures,
    CheckName.DIGITS.value: check_digits,
    CheckName.PRESENTATION_ATTACK.value: check_presentation_attack,
    CheckName.SAME_PERSON.value: check_same_person,
    CheckName.FACE_CLIP_DOCUMENT.value: check_face_clip_document,
    CheckName.AUTHORITY.value: check_authority,
    CheckName.FACE_CLIP_AUTHORITY.value: check_face_clip_authority,
    CheckName.ASSISTED_REVIEW.value: check_assisted_review,
    CheckName.TRUSTED_REFEREE.value: check_trusted_referee,
}


def decide_proofing(evidence: Evidence, policy: Policy) -> Adjudication:
    """Run every check that the channel and the route name, required or advisory, and adjudicate."""
    required = required_checks(policy, evidence.channel, evidence.route)
    named = {*required, *advisory_checks(policy, evidence.channel, evidence.route)}
    if evidence.reviews:
        named.add(CheckName.ASSISTED_REVIEW.value)  # what people found is never left out
    results = [check(evidence, policy) for name, check in CHECKS.items() if name in named]
    return adjudicate(results, policy, evidence.channel, evidence.route, evidence.attempts)
