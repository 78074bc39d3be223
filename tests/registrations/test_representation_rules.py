from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import Policy, ProxyAllowed
from shiming.registrations.model.orders import Relation, Representative, RepresentativeRole
from shiming.registrations.model.registration import ProvenSession
from shiming.registrations.model.representation import RepresentationFacts
from shiming.registrations.rules.representation import decide_representation, needs_guardian
from tests.privacy.builders import NOW
from tests.registrations.builders import a_session
from tests.registrations.people_builders import the_policy, with_values

PROXY = Representative(RepresentativeRole.PROXY, "SES-2", "p1.proxy", "EVD-1")
GUARDIAN = replace(PROXY, role=RepresentativeRole.GUARDIAN, relation=Relation.PARENT)
GOOD = RepresentationFacts(
    operator="op-one",
    order="SES-1",
    category="adult",
    holder="p1.someone",
    representative=PROXY,
    session=a_session("SES-2", subject="p1.proxy"),
    session_category="adult",
    identity_recorded=True,
    authority_recorded=True,
    principals=2,
)
MINOR = replace(GOOD, category="minor", representative=GUARDIAN)
ALONE = replace(GOOD, representative=None, session=None)


def codes(facts: RepresentationFacts, policy: Policy | None = None, **options: Any) -> list[str]:
    found = decide_representation(facts, policy or the_policy(), now=NOW, **options)
    assert all(refusal.citation for refusal in found)
    return [refusal.code.value for refusal in found]


def of_session(**changes: Any) -> ProvenSession:
    return replace(a_session("SES-2", subject="p1.proxy"), **changes)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (GOOD, []),
        (MINOR, []),
        (replace(GOOD, category=None), []),
        (replace(GOOD, category="natural_person"), []),  # unknown to the pack: proofing decides
        (ALONE, []),
        (replace(ALONE, category=None), []),
        (replace(ALONE, category="natural_person"), []),  # unknown to the pack: proofing decides
        (replace(ALONE, category="minor"), ["REPRESENTATIVE_REQUIRED"]),
        (replace(MINOR, representative=PROXY), ["GUARDIAN_REQUIRED_AS_REPRESENTATIVE"]),
        (replace(GOOD, representative=GUARDIAN), ["GUARDIAN_NOT_NEEDED"]),
        (replace(GOOD, session=None), ["REPRESENTATIVE_UNKNOWN"]),
        (replace(GOOD, session=of_session(outcome="NotVerified")), ["REPRESENTATIVE_NOT_PROVEN"]),
        (replace(GOOD, session=of_session(subject=None)), ["REPRESENTATIVE_NOT_PROVEN"]),
        (replace(GOOD, session=of_session(decided_at=None)), ["REPRESENTATIVE_NOT_PROVEN"]),
        (
            replace(GOOD, session=of_session(decided_at=NOW - timedelta(minutes=31))),
            ["REPRESENTATIVE_PROOF_TOO_OLD"],
        ),
        (
            replace(GOOD, session=of_session(decided_at=NOW + timedelta(seconds=1))),
            ["REPRESENTATIVE_PROOF_TOO_OLD"],
        ),
        (replace(GOOD, session=of_session(operator="op-two")), ["REPRESENTATIVE_OF_OTHER_OPERATOR"]),
        (replace(GOOD, session=of_session(challenge_origin="chosen")), ["REPRESENTATIVE_REHEARSED"]),
        (replace(GOOD, session=of_session(consumed_by="SES-9")), ["REPRESENTATIVE_SESSION_USED"]),
        (replace(GOOD, session=of_session(consumed_by="SES-1")), []),  # by this very order
        (replace(GOOD, session=of_session(subject="p1.someone")), ["REPRESENTATIVE_IS_HOLDER"]),
        (replace(GOOD, holder=None), ["PRINCIPAL_NOT_PROVEN"]),
        (replace(GOOD, session_category="minor"), ["REPRESENTATIVE_NOT_OF_AGE"]),
        (replace(GOOD, identity_recorded=False), ["REPRESENTATIVE_NOT_RECORDED"]),
        (replace(GOOD, authority_recorded=False), ["AUTHORITY_DOCUMENT_MISSING"]),
        (replace(MINOR, authority_recorded=False), ["AUTHORITY_DOCUMENT_MISSING"]),
        (
            replace(MINOR, representative=replace(GUARDIAN, relation=None)),
            ["GUARDIAN_RELATION_MISSING"],
        ),
        (replace(GOOD, principals=3), ["PROXY_LIMIT_REACHED"]),
        (replace(MINOR, principals=99), []),  # a guardian acts by law
        (
            replace(GOOD, representative=replace(PROXY, role=RepresentativeRole.HANDLER), session=None),
            [],  # of an organisation: its own rules
        ),
        (
            replace(GOOD, session=of_session(outcome="", operator="op-two"), authority_recorded=False),
            [
                "REPRESENTATIVE_NOT_PROVEN",
                "REPRESENTATIVE_OF_OTHER_OPERATOR",
                "AUTHORITY_DOCUMENT_MISSING",
            ],
        ),
    ],
)
def test_who_may_act_for_whom(facts: RepresentationFacts, expected: list[str]) -> None:
    assert codes(facts) == expected


@pytest.mark.parametrize(
    ("allowed", "adult", "minor"),
    [
        (ProxyAllowed.ALL, [], []),
        (ProxyAllowed.MINORS_ONLY, ["REPRESENTATION_NOT_ALLOWED"], []),
        (ProxyAllowed.NOBODY, ["REPRESENTATION_NOT_ALLOWED"], ["REPRESENTATION_NOT_ALLOWED"]),
    ],
)
def test_for_whom_the_pack_lets_somebody_act(
    allowed: ProxyAllowed, adult: list[str], minor: list[str]
) -> None:
    policy = with_values(the_policy(), "proxies", allowed=allowed)
    assert codes(GOOD, policy) == adult
    assert codes(MINOR, policy) == minor


def test_a_pack_may_ask_less_of_a_proxy_but_never_of_a_guardian() -> None:
    lenient = with_values(the_policy(), "proxies", both_proven=False, authority_document_required=False)
    nothing_shown = replace(GOOD, session=None, authority_recorded=False)
    assert codes(nothing_shown, lenient) == []
    assert codes(replace(nothing_shown, category="minor", representative=GUARDIAN), lenient) == [
        "REPRESENTATIVE_UNKNOWN",
        "AUTHORITY_DOCUMENT_MISSING",
    ]


def test_a_rehearsal_stays_in_the_sandbox() -> None:
    rehearsed = replace(GOOD, session=of_session(challenge_origin="chosen"))
    assert codes(rehearsed, sandbox=True) == []


@given(st.integers(0, 20), st.integers(1, 10))
def test_the_limit_counts_other_people(others: int, most: int) -> None:
    policy = with_values(the_policy(), "proxies", principals_per_proxy_max=most)
    refused = "PROXY_LIMIT_REACHED" in codes(replace(GOOD, principals=others), policy)
    assert refused == (others >= most)


@given(st.sampled_from([GOOD, MINOR]), st.integers(-100_000, 100_000))
def test_a_proof_is_good_for_the_minutes_of_the_pack(facts: RepresentationFacts, seconds: int) -> None:
    session = of_session(decided_at=NOW - timedelta(seconds=seconds))
    fresh = 0 <= seconds <= the_policy().time_limits.session_minutes.value * 60
    assert (codes(replace(facts, session=session)) == []) == fresh


@given(st.sampled_from(sorted(the_policy().documents)))
def test_only_categories_with_a_guardian_need_one(category: str) -> None:
    alone = codes(replace(ALONE, category=category))
    assert bool(alone) == needs_guardian(category, the_policy())
