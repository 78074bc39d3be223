from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import AfterAttempts, Channel, CheckName, Policy, RetentionRule, Route
from shiming.jurisdictions.rules.accepted_documents import (
    DocumentAccepted,
    DocumentRefused,
    SubjectNotForeseen,
    decide_accepted_document,
)
from shiming.jurisdictions.rules.next_attempt import (
    AttemptsLeft,
    AttemptsUsedUp,
    EvidenceKind,
    decide_next_attempt,
    routes_offered,
)
from shiming.jurisdictions.rules.required_checks import ChecksRequired, NotOffered, decide_required_checks
from shiming.jurisdictions.rules.retention_end import add_duration, retention_end
from tests.jurisdictions.packs_for_tests import a_policy

POLICY = a_policy()
SUBJECTS = sorted(POLICY.documents)
DOCUMENTS = sorted({each for rules in POLICY.documents.values() for each in rules.accepted.value})


def without(policy: Policy, section: str, name: str) -> Policy:
    left = {key: value for key, value in getattr(policy, section).items() if key != name}
    return policy.model_copy(update={section: left})


@given(subject=st.sampled_from(SUBJECTS), document=st.sampled_from(DOCUMENTS))
def test_a_document_is_accepted_exactly_where_the_pack_lists_it(subject: str, document: str) -> None:
    rules = POLICY.documents[subject]
    outcome = decide_accepted_document(subject, document, POLICY)
    if document in rules.accepted.value:
        assert isinstance(outcome, DocumentAccepted)
        assert outcome.sides == rules.sides_required.value[document]
        assert outcome.manual_entry_forbidden == (document in rules.manual_entry_forbidden.value)
    else:
        assert outcome == DocumentRefused("DOCUMENT_NOT_ACCEPTED", rules.accepted.citation)


@given(age=st.integers(0, 120), document=st.sampled_from(DOCUMENTS))
def test_an_age_is_that_of_an_adult_or_of_a_minor_never_of_both(age: int, document: str) -> None:
    refused = [
        subject
        for subject in ("adult", "minor")
        if isinstance(
            outcome := decide_accepted_document(subject, document, POLICY, age_years=age), DocumentRefused
        )
        and outcome.code == "AGE_OUTSIDE_CATEGORY"
    ]
    assert refused == ["adult" if age < 18 else "minor"]


def test_age_does_not_matter_where_the_pack_gives_none() -> None:
    assert isinstance(
        decide_accepted_document("foreigner", "passport", POLICY, age_years=9), DocumentAccepted
    )


def test_a_minor_needs_a_guardian() -> None:
    outcome = decide_accepted_document("minor", "household_register", POLICY, age_years=9)
    assert isinstance(outcome, DocumentAccepted)
    assert outcome.guardian_required


@given(subject=st.text(max_size=20).filter(lambda text: text not in SUBJECTS))
def test_an_unknown_subject_is_not_decided(subject: str) -> None:
    assert decide_accepted_document(subject, "passport", POLICY) == SubjectNotForeseen(subject)


@given(channel=st.sampled_from(Channel), route=st.sampled_from(Route))
def test_no_route_drops_a_check(channel: Channel, route: Route) -> None:
    outcome = decide_required_checks(channel, route, POLICY)
    assert isinstance(outcome, ChecksRequired)
    names = [check.name for check in outcome.required]
    stood_for = [each for check in outcome.required for each in check.stands_for]
    covered = {
        each for each in [*names, *stood_for] if each in POLICY.channels[channel].required_checks.value
    }
    assert covered == set(POLICY.channels[channel].required_checks.value)
    assert len(names) == len(set(names))
    assert CheckName.AUTHORITY in names
    assert outcome.level == POLICY.assurance_level.value


def test_the_standard_route_replaces_nothing() -> None:
    outcome = decide_required_checks(Channel.SHOP, Route.STANDARD, POLICY)
    assert isinstance(outcome, ChecksRequired)
    assert (
        tuple(check.name for check in outcome.required) == POLICY.channels[Channel.SHOP].required_checks.value
    )
    assert {check.citation for check in outcome.required} == {outcome.citation}


def test_staff_stand_in_once_and_cite_why() -> None:
    outcome = decide_required_checks(Channel.ONLINE, Route.ASSISTED, POLICY)
    assert isinstance(outcome, ChecksRequired)
    review = [check for check in outcome.required if check.name is CheckName.ASSISTED_REVIEW]
    assert len(review) == 1
    assert CheckName.GESTURES in review[0].stands_for
    assert review[0].citation == "face_measures2025:not_sole"


def test_a_channel_or_route_that_the_pack_does_not_know() -> None:
    no_agents = without(POLICY, "channels", Channel.AGENT)
    assert decide_required_checks(Channel.AGENT, Route.STANDARD, no_agents) == NotOffered(Channel.AGENT)
    no_tapping = without(POLICY, "routes", Route.DIGITS_TAPPED)
    outcome = decide_required_checks(Channel.AGENT, Route.DIGITS_TAPPED, no_tapping)
    assert outcome == NotOffered(Route.DIGITS_TAPPED)
    assert Route.DIGITS_TAPPED not in routes_offered(9, no_tapping)


@given(evidence=st.sampled_from(EvidenceKind), failed=st.integers(0, 20))
def test_attempts_count_down_and_end_in_another_way(evidence: EvidenceKind, failed: int) -> None:
    limit = getattr(POLICY.attempts, evidence.value).value
    outcome = decide_next_attempt(evidence, failed, POLICY)
    if failed < limit:
        assert isinstance(outcome, AttemptsLeft)
        assert outcome.left == limit - failed
        assert Route.STANDARD in outcome.routes
    else:
        assert isinstance(outcome, AttemptsUsedUp)
        assert outcome.then in AfterAttempts


@given(failed=st.integers(0, 10))
def test_more_failures_never_offer_fewer_routes(failed: int) -> None:
    assert set(routes_offered(failed, POLICY)) <= set(routes_offered(failed + 1, POLICY))


@given(start=st.dates(date(1990, 1, 1), date(2100, 1, 1)), years=st.integers(0, 100))
def test_years_keep_the_day_or_take_the_last_of_the_month(start: date, years: int) -> None:
    end = add_duration(start, f"P{years}Y")
    assert (end.year, end.month) == (start.year + years, start.month)
    assert end.day == min(start.day, monthrange(end.year, end.month)[1])


@given(start=st.dates(date(1990, 1, 1), date(2100, 1, 1)), weeks=st.integers(0, 9), days=st.integers(0, 99))
def test_weeks_and_days_are_days(start: date, weeks: int, days: int) -> None:
    assert add_duration(start, f"P{weeks}W{days}D") == start + timedelta(days=7 * weeks + days)


@given(
    start=st.dates(),
    earlier=st.dates(),
    duration=st.from_regex(r"P[0-9]{1,3}Y[0-9]{1,4}M[0-9]{1,5}D", fullmatch=True),
)
def test_evidence_that_starts_later_is_never_erased_earlier(
    start: date, earlier: date, duration: str
) -> None:
    first, second = sorted((start, earlier))
    assert first <= add_duration(first, duration) <= add_duration(second, duration)


@pytest.mark.parametrize("duration", ["P999Y", "P1M", "P1D", "P1W", "P99999D"])
def test_the_calendar_has_an_end(duration: str) -> None:
    assert add_duration(date(9999, 12, 30), duration) in {date.max, date(9999, 12, 31)}


def test_retention_of_the_identity() -> None:
    rule: RetentionRule = POLICY.retention.identity
    assert retention_end(rule, date(2028, 2, 29)) == date(2030, 2, 28)
