"""The whole decision: what verifies, what refuses and why, what asks again, what goes to people."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.identity_proofing.checks.recipe import CHECKS, decide_proofing
from shiming.identity_proofing.model.decision import (
    CheckOutcome,
    CheckResult,
    NeedsReview,
    Retry,
    Reviewer,
    Verified,
)
from shiming.identity_proofing.model.evidence import (
    AuthorityAnswer,
    Evidence,
    FaceVotes,
    PortraitAnswer,
    StaffReview,
)
from shiming.identity_proofing.model.reasons import catalogue
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.adjudication import adjudicate
from shiming.identity_proofing.rules.requirements import CHALLENGE, advisory_checks, required_checks
from shiming.jurisdictions.model import (
    AfterAttempts,
    Channel,
    CheckName,
    DigitsMode,
    Gesture,
    Route,
    UnreachableOutcome,
)
from shiming.recognition.measurements import ClipEvent, ClipEventKind
from tests.identity_proofing.proofing_builders import (
    NOW,
    a_challenge,
    a_clip,
    a_digits_reading,
    a_document,
    a_policy,
    a_side,
    an_answer,
    attack_signs,
    blink,
    changed,
    evidence_with,
)
from tests.identity_proofing.proofing_cases import CASES


def outcome_and_codes(evidence: Evidence) -> tuple[str, set[str]]:
    decided = decide_proofing(evidence, a_policy())
    return decided.outcome, {reason.code for reason in decided.reasons}


def test_a_genuine_session_is_verified_at_the_level_of_the_pack() -> None:
    decided = decide_proofing(evidence_with(), a_policy())
    assert decided.decision == Verified(a_policy().assurance_level.value)
    assert {check.outcome for check in decided.checks} == {CheckOutcome.PASSED}


@pytest.mark.parametrize("channel", list(Channel))
def test_every_channel_verifies_a_genuine_session(channel: Channel) -> None:
    assert decide_proofing(evidence_with(channel=channel), a_policy()).outcome == "Verified"


def test_no_checks_at_all_is_a_refusal() -> None:
    decided = adjudicate([], a_policy(), Channel.SHOP, Route.STANDARD, {})
    assert decided.outcome == "NotVerified"
    assert [reason.code for reason in decided.reasons] == ["NO_CHECKS"]


@pytest.mark.parametrize(
    ("changes", "outcome", "code"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_each_flaw_ends_with_its_own_reason(changes: dict[str, Any], outcome: str, code: str) -> None:
    decided, codes = outcome_and_codes(evidence_with(**changes))
    assert (decided, code in codes) == (outcome, True), codes


def test_a_missing_back_passes_when_the_authority_confirms_the_validity() -> None:
    only_front = a_document(back=None, days_to_expiry=None, portrait_age_years=None)
    assert decide_proofing(evidence_with(document=only_front), a_policy()).outcome == "Verified"


def test_the_advisory_portrait_comparison_may_be_missing() -> None:
    silent = an_answer(portrait=PortraitAnswer.NOT_COMPARED)
    assert decide_proofing(evidence_with(authority=silent), a_policy()).outcome == "Verified"


def test_all_reasons_are_collected() -> None:
    evidence = evidence_with(
        document=a_document(days_to_expiry=-3),
        face_clip_document=FaceVotes(0.0, 0.1),
        challenge=a_challenge(altered=True),
    )
    assert outcome_and_codes(evidence)[1] == {"DOCUMENT_EXPIRED", "FACE_MISMATCH", "CHALLENGE_ALTERED"}


def test_a_queue_waits_only_for_the_authority_and_only_where_the_pack_says_so() -> None:
    queueing = changed(a_policy(), "authority", unreachable_outcome=UnreachableOutcome.QUEUE)
    down = evidence_with(authority=an_answer(answer=AuthorityAnswer.UNREACHABLE))
    waiting = decide_proofing(down, queueing).decision
    assert isinstance(waiting, NeedsReview)
    assert waiting.by_whom is Reviewer.AUTHORITY_QUEUE
    in_doubt = decide_proofing(replace(down, face_clip_document=FaceVotes(0.42, 0.63)), queueing).decision
    assert isinstance(in_doubt, NeedsReview)
    assert in_doubt.by_whom is Reviewer.STAFF
    here = decide_proofing(down, a_policy()).decision
    assert isinstance(here, NeedsReview)
    assert here.by_whom is Reviewer.STAFF


# -- asking again -----------------------------------------------------------------------------------


@given(st.integers(1, 10))
def test_digits_alone_never_refuse(used: int) -> None:
    evidence = evidence_with(digits=None, attempts={EvidenceKind.DIGITS: used})
    decision = decide_proofing(evidence, a_policy()).decision
    assert isinstance(decision, Retry)
    left = a_policy().attempts.digits.value - used
    if left > 0:
        assert (decision.what, decision.left) == ("digits", left)
    else:
        assert decision.what == "other_route"
        assert "digits_tapped" in decision.routes
        assert "ATTEMPTS_USED_UP" in {reason.code for reason in decision.reasons}


def test_after_the_last_clip_another_route_is_offered_and_after_the_last_photo_staff_look() -> None:
    clips = decide_proofing(
        evidence_with(clip=a_clip(events=()), attempts={EvidenceKind.CLIP: 3}), a_policy()
    )
    assert isinstance(clips.decision, Retry)
    assert clips.decision.what == "other_route"
    poor = a_document(front=a_side(sharpness=1.0))
    photos = decide_proofing(evidence_with(document=poor, attempts={EvidenceKind.DOCUMENT: 5}), a_policy())
    assert isinstance(photos.decision, NeedsReview)


def test_without_other_routes_staff_look() -> None:
    alone = a_policy().model_copy(update={"routes": {Route.STANDARD: a_policy().routes[Route.STANDARD]}})
    decided = decide_proofing(evidence_with(digits=None, attempts={EvidenceKind.DIGITS: 3}), alone)
    assert isinstance(decided.decision, NeedsReview)


def test_when_the_pack_sends_to_staff_no_route_is_offered() -> None:
    assisted = changed(a_policy(), "attempts", after_digits=AfterAttempts.ASSISTED)
    decided = decide_proofing(evidence_with(digits=None, attempts={EvidenceKind.DIGITS: 3}), assisted)
    assert isinstance(decided.decision, NeedsReview)


# -- routes -----------------------------------------------------------------------------------------


def reviewed_by(*staff: str, same_person: bool = True) -> tuple[StaffReview, ...]:
    return tuple(StaffReview(name, same_person, document_genuine=True, at=NOW) for name in staff)


ASSISTED = {
    "route": Route.ASSISTED,
    "clip": None,
    "digits": None,
    "challenge": None,
    "face_clip_document": None,
}


def test_two_members_of_staff_verify_to_the_same_level() -> None:
    decided = decide_proofing(evidence_with(**ASSISTED, reviews=reviewed_by("a", "b")), a_policy())
    assert decided.decision == decide_proofing(evidence_with(), a_policy()).decision


@pytest.mark.parametrize(
    ("reviews", "outcome", "code"),
    [
        ((), "NeedsReview", "REVIEW_ABSENT"),
        (reviewed_by("a"), "NeedsReview", "REVIEW_SAME_STAFF"),
        (reviewed_by("a", "a"), "NeedsReview", "REVIEW_SAME_STAFF"),
        ((*reviewed_by("a"), *reviewed_by("b", same_person=False)), "NotVerified", "REVIEW_REFUSED"),
    ],
)
def test_less_than_two_agreeing_people_do_not(
    reviews: tuple[StaffReview, ...], outcome: str, code: str
) -> None:
    assert outcome_and_codes(evidence_with(**ASSISTED, reviews=reviews)) == (outcome, {code})


def test_a_pack_may_let_one_person_look_twice() -> None:
    lenient = changed(a_policy(), "assisted_review", different_people=False)
    evidence = evidence_with(**ASSISTED, reviews=reviewed_by("a", "a"))
    assert decide_proofing(evidence, lenient).outcome == "Verified"


def test_tapped_digits_stand_for_spoken_ones_on_their_route() -> None:
    asked = a_challenge(digits_mode=DigitsMode.TAPPED)
    tapped = a_digits_reading(mode=DigitsMode.TAPPED, score=None, voiced_units=None, same=True)
    evidence = evidence_with(route=Route.DIGITS_TAPPED, challenge=asked, digits=tapped)
    assert decide_proofing(evidence, a_policy()).outcome == "Verified"
    wrong = replace(evidence, digits=replace(tapped, same=False))
    assert outcome_and_codes(wrong) == ("Retry", {"DIGITS_MISMATCH"})
    spoken = replace(evidence, digits=a_digits_reading())
    assert outcome_and_codes(spoken) == ("Retry", {"DIGITS_ABSENT"})


def test_who_keeps_the_head_still_needs_no_measure_of_flatness() -> None:
    events = (blink(1.0), ClipEvent(ClipEventKind.MOUTH_OPEN, 2.0, 3.0), blink(4.0))
    clip = a_clip(events=events, attack_signs=attack_signs(planar_score=None))
    asked = a_challenge(steps=(Gesture.BLINK, Gesture.MOUTH_OPEN, Gesture.BLINK))
    evidence = evidence_with(route=Route.HEAD_STILL, challenge=asked, clip=clip)
    assert decide_proofing(evidence, a_policy()).outcome == "Verified"


# -- properties -------------------------------------------------------------------------------------

OUTCOMES = st.sampled_from(list(CheckOutcome))


@settings(max_examples=300)
@given(
    st.sampled_from(list(Channel)),
    st.sampled_from(list(Route)),
    st.dictionaries(st.sampled_from([*CHECKS, "unheard_of"]), OUTCOMES),
    st.sampled_from([None, "document", "clip", "digits"]),
    st.dictionaries(st.sampled_from(list(EvidenceKind)), st.integers(0, 9)),
)
def test_only_passed_required_checks_verify(
    channel: Channel,
    route: Route,
    found: dict[str, CheckOutcome],
    retry: str | None,
    attempts: dict[EvidenceKind, int],
) -> None:
    results = [CheckResult(name, outcome, retry=retry) for name, outcome in found.items()]
    decided = adjudicate(results, a_policy(), channel, route, attempts)
    required = required_checks(a_policy(), channel, route)
    all_passed = all(found.get(name) is CheckOutcome.PASSED for name in required)
    looked = found.get(CheckName.ASSISTED_REVIEW)
    if decided.outcome == "Verified":
        assert looked in {None, CheckOutcome.PASSED}
        for name in required:
            settled = set() if looked is None else _settled_by_people(name)
            assert found.get(name) in {CheckOutcome.PASSED, *settled}
    against = {CheckOutcome.FAILED, CheckOutcome.UNCLEAR}
    objections = any(found.get(name) in against for name in advisory_checks(a_policy(), channel, route))
    if all_passed and not objections and looked in {None, CheckOutcome.PASSED}:
        assert decided.outcome == "Verified"
    if any(found.get(name) is CheckOutcome.FAILED for name in required):
        assert decided.outcome == "NotVerified"


def _settled_by_people(check: str) -> set[CheckOutcome]:
    """Return what people who looked and agreed may settle: a doubt of the checks that the pack names."""
    settles = a_policy().assisted_review.settles
    return {CheckOutcome.UNCLEAR} if settles is not None and check in settles.value else set()


def test_no_combination_with_a_gap_verifies() -> None:
    """Exhaustively: every required check but one passes, and that one is anything else."""
    for channel, route in product(Channel, Route):
        required = required_checks(a_policy(), channel, route)
        for gap, outcome in product(required, [None, *CheckOutcome]):
            found = dict.fromkeys(required, CheckOutcome.PASSED)
            results = [CheckResult(n, o) for n, o in found.items() if n != gap]
            results += [] if outcome is None else [CheckResult(gap, outcome)]
            verified = adjudicate(results, a_policy(), channel, route, {}).outcome == "Verified"
            looked = CheckName.ASSISTED_REVIEW in required and gap != CheckName.ASSISTED_REVIEW
            settled = _settled_by_people(gap) if looked else set()
            assert verified is (outcome in {CheckOutcome.PASSED, *settled})


def test_a_fresh_question_is_required_wherever_a_live_answer_is() -> None:
    for channel, route in product(Channel, Route):
        required = required_checks(a_policy(), channel, route)
        assert (CHALLENGE in required) is bool({"gestures", "digits"} & set(required))


def test_removing_any_evidence_never_verifies() -> None:
    parts = ("document", "clip", "face_clip_document", "digits", "challenge", "authority")
    for mask in product([True, False], repeat=len(parts)):
        missing = dict.fromkeys(part for part, gone in zip(parts, mask, strict=True) if gone)
        decided = decide_proofing(evidence_with(**missing), a_policy())
        assert (decided.outcome == "Verified") is (not missing)


def test_every_reason_in_use_is_in_the_catalogue_in_both_languages() -> None:
    for text, advice in catalogue().values():
        assert text.zh
        assert text.en
        assert bool(advice.zh) is bool(advice.en)


# -- what people found ------------------------------------------------------------------------------

TWO = (StaffReview("a", same_person=True, document_genuine=True, at=NOW),
       StaffReview("b", same_person=True, document_genuine=True, at=NOW))  # fmt: skip
DOUBTFUL = FaceVotes(0.42, 0.62)  # of the band in which people look


def test_two_people_settle_a_doubt_of_the_machine_and_one_does_not() -> None:
    in_doubt = evidence_with(face_clip_document=DOUBTFUL)
    assert decide_proofing(in_doubt, a_policy()).outcome == "NeedsReview"
    assert decide_proofing(replace(in_doubt, reviews=TWO[:1]), a_policy()).outcome == "NeedsReview"
    assert decide_proofing(replace(in_doubt, reviews=TWO), a_policy()).outcome == "Verified"


def test_two_people_do_not_settle_what_contradicts_the_claim() -> None:
    refused = evidence_with(face_clip_document=FaceVotes(0.0, 0.0), reviews=TWO)
    assert decide_proofing(refused, a_policy()).outcome == "NotVerified"
    silent = evidence_with(authority=None, reviews=TWO)
    assert decide_proofing(silent, a_policy()).outcome != "Verified"


def test_what_people_found_against_the_person_counts_on_every_route() -> None:
    denied = replace(TWO[1], same_person=False)
    assert decide_proofing(evidence_with(reviews=(TWO[0], denied)), a_policy()).outcome == "NotVerified"


def test_a_pack_that_names_nothing_lets_people_settle_nothing() -> None:
    strict = a_policy().model_copy(
        update={"assisted_review": a_policy().assisted_review.model_copy(update={"settles": None})}
    )
    in_doubt = evidence_with(face_clip_document=DOUBTFUL, reviews=TWO)
    assert decide_proofing(in_doubt, strict).outcome == "NeedsReview"
