"""What an organisation lacks, and how it stands: tables and properties of the rules."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.organisations import OrganisationRefusal
from shiming.registrations.model.organisations import (
    OrganisationState,
    organisation_reference,
    read_organisation_reference,
)
from shiming.registrations.rules.organisation_standing import (
    decide_organisation_standing,
    decide_power_of_attorney,
)
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.reference_numbers import ReferenceNumber
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import an_organisation, the_policy

POLICY = the_policy()
PARTS = {
    "licence_evidence": "LICENCE_MISSING",
    "legal_representative_evidence": "LEGAL_REPRESENTATIVE_MISSING",
    "handler_subject": "HANDLER_NOT_PROVEN",
    "power_of_attorney_evidence": "POWER_OF_ATTORNEY_MISSING",
    "responsible_evidence": "RESPONSIBLE_PERSON_MISSING",
}
REQUIREMENTS = {
    "licence_evidence": "licence_required",
    "legal_representative_evidence": "legal_representative_required",
    "power_of_attorney_evidence": "power_of_attorney_required",
    "responsible_evidence": "responsible_person_required",
}


def not_requiring(*names: str) -> Policy:
    """The policy of the tests without some of what an organisation brings."""
    enterprise = POLICY.enterprise
    changes = {name: getattr(enterprise, name).model_copy(update={"value": False}) for name in names}
    return POLICY.model_copy(update={"enterprise": enterprise.model_copy(update=changes)})


@given(st.sets(st.sampled_from(sorted(PARTS))))
def test_everything_that_is_missing_is_named_and_nothing_else(lacking: set[str]) -> None:
    organisation = an_organisation(**dict.fromkeys(lacking))
    standing = decide_organisation_standing(organisation, POLICY, now=NOW)
    assert {refusal.code.value for refusal in standing.missing} == {PARTS[name] for name in lacking}
    assert all(refusal.citation.partition(":")[0] in POLICY.sources for refusal in standing.missing)
    assert standing.state is (OrganisationState.DRAFT if lacking else OrganisationState.COMPLETE)
    assert bool(standing.refusals) is bool(lacking)


@pytest.mark.parametrize("part", sorted(REQUIREMENTS))
def test_what_a_pack_does_not_require_is_not_missed(part: str) -> None:
    lacking: dict[str, Any] = {part: None}
    standing = decide_organisation_standing(
        an_organisation(**lacking), not_requiring(REQUIREMENTS[part]), now=NOW
    )
    assert standing.refusals == ()


def test_a_responsible_person_may_be_proven_instead_of_named() -> None:
    organisation = an_organisation(responsible_evidence=None, responsible_session="SES-1")
    assert decide_organisation_standing(organisation, POLICY, now=NOW).refusals == ()


@given(st.integers(-400, 400))
def test_authority_holds_until_its_last_instant_and_no_longer(days: int) -> None:
    organisation = an_organisation(power_of_attorney_until=NOW + timedelta(days=days))
    standing = decide_organisation_standing(organisation, POLICY, now=NOW)
    codes = [refusal.code for refusal in standing.refusals]
    assert codes == ([OrganisationRefusal.POWER_OF_ATTORNEY_EXPIRED] if days <= 0 else [])


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (OrganisationState.SUSPENDED, "ORGANISATION_SUSPENDED"),
        (OrganisationState.CLOSED, "ORGANISATION_CLOSED"),
    ],
)
def test_what_people_decided_stays_whatever_is_brought(state: OrganisationState, code: str) -> None:
    standing = decide_organisation_standing(an_organisation(state=state), POLICY, now=NOW)
    assert standing.state is state
    assert [refusal.code.value for refusal in standing.refusals] == [code]


@given(st.integers(-10, 800), st.integers(-800, 10))
def test_a_power_of_attorney_is_taken_for_a_time_that_is_allowed(until: int, begins: int) -> None:
    refusals = decide_power_of_attorney(
        begins=NOW + timedelta(days=begins), until=NOW + timedelta(days=until), policy=POLICY, now=NOW
    )
    most = POLICY.enterprise.power_of_attorney_days_max.value
    expected = (["POWER_OF_ATTORNEY_EXPIRED"] if until <= 0 else []) + (
        ["POWER_OF_ATTORNEY_TOO_LONG"] if until - begins > most else []
    )
    assert [refusal.code.value for refusal in refusals] == expected


@given(st.binary(min_size=8, max_size=8))
def test_a_reference_is_read_as_it_is_spoken(random: bytes) -> None:
    reference = organisation_reference(str(ReferenceNumber.create("RG", random)))
    assert reference.startswith("ORG-")
    spoken = reference.replace("-", " ").lower()
    assert read_organisation_reference(spoken) == read_organisation_reference(reference) == reference


@pytest.mark.parametrize("text", ["", "RG-0082-0C20-A1G7-D", "ORG-0082-0C20-A1G7-X", "SES-0082-0C20-A1G7-D"])
def test_another_reference_is_none_of_an_organisation(text: str) -> None:
    with pytest.raises(BadInput):
        read_organisation_reference(text)


def test_a_standing_carries_what_an_order_needs() -> None:
    organisation = an_organisation()
    standing = decide_organisation_standing(organisation, POLICY, now=NOW)
    assert standing.handler_session == organisation.handler_session
    assert standing.handler_subject == organisation.handler_subject
    assert standing.power_of_attorney_evidence == organisation.power_of_attorney_evidence
