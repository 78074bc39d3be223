from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.accounts.model import Allowed, Denied, Principal, PrincipalKind, Role
from shiming.accounts.rules.four_eyes import are_different_people
from shiming.accounts.rules.permission_table import (
    ALL_CODES,
    CLIENT_SCOPES,
    OWN_CODES,
    PLATFORM_CODES,
    ROLE_CODES,
    codes_of,
    decide_permission,
)
from shiming.accounts.rules.roles import RoleFlaw, decide_change, decide_roles, decide_scopes
from shiming.vocabulary.permissions import Permission

KNOWN_CODES = {
    "access_log.read",
    "accounts.manage",
    "accounts.read_own",
    "clients.manage",
    "devices.manage",
    "disclosures.approve",
    "disclosures.execute",
    "disclosures.read",
    "disclosures.request",
    "enterprise_lines.manage",
    "enterprise_lines.read",
    "evidence.erase",
    "evidence.list",
    "evidence.read",
    "handovers.complete",
    "holder_clocks.read",
    "identity.read",
    "iot.decide_resale",
    "iot.manage",
    "iot.read",
    "iot.report",
    "jobs.manage",
    "key_services.manage",
    "keys.rotate",
    "ledger.read",
    "ledger.witness",
    "lines.stop_for_compliance",
    "lines.stop_for_holder",
    "notices.read",
    "notices.record",
    "number_sets.read",
    "numbers.manage",
    "numbers.read",
    "numbers.reserve",
    "orders.accept",
    "orders.manage",
    "orders.read",
    "orders.represent",
    "organisations.manage",
    "organisations.read",
    "organisations.suspend",
    "provisioning.confirm",
    "provisioning.manage",
    "provisioning.read",
    "receipts.read",
    "registration_reviews.decide",
    "registrations.create",
    "registrations.list_by_person",
    "registrations.list_over_cap",
    "registrations.read",
    "repudiations.create",
    "repudiations.decide",
    "sessions.create",
    "sessions.decide",
    "sessions.review",
    "figures.read",
    "sessions.read",
    "sims.manage",
    "sims.read",
    "terms.publish",
    "terms.read",
    "transfers.announce_terms",
    "transfers.create",
    "transfers.decide",
    "transfers.read",
    "webhooks.manage",
}  # fmt: skip
OPERATORS = st.sampled_from([None, "cn-mobile", "cn-unicom"])
CODES = st.sampled_from(sorted(KNOWN_CODES)) | st.text(max_size=12)


def a_question(code: str, operator: str | None = None) -> Permission:
    """A question with this code; None: one that has no operator at all."""
    if operator is None:
        found: Permission = type("Question", (Permission,), {"code": code})()
        return found

    @dataclass(frozen=True)
    class OfOperator(Permission):
        operator: str

    OfOperator.code = code
    return OfOperator(operator)


@st.composite
def principals(draw: st.DrawFn) -> Principal:
    kind = draw(st.sampled_from(list(PrincipalKind)))
    return Principal(
        "X",
        "p",
        kind,
        frozenset(draw(st.sets(st.sampled_from(list(Role))))),
        frozenset(draw(st.sets(CODES))),
        draw(OPERATORS),
        draw(st.booleans()),
    )


def test_every_known_code_is_held_by_somebody_and_nothing_else_is() -> None:
    assert ALL_CODES == KNOWN_CODES


@settings(deadline=None)  # a loaded machine is no failure
@given(principals(), CODES, st.sampled_from([None, "", "cn-mobile", "cn-unicom"]))
def test_nothing_that_is_not_listed_is_allowed(principal: Principal, code: str, operator: str | None) -> None:
    answer = decide_permission(principal, a_question(code, operator))
    if isinstance(answer, Denied):
        return
    assert code in KNOWN_CODES
    if principal.kind is PrincipalKind.CLIENT:
        assert code in (principal.scopes & CLIENT_SCOPES) | OWN_CODES
    else:
        assert code in OWN_CODES or any(code in ROLE_CODES[role] for role in principal.roles)
    assert code in OWN_CODES or not principal.must_enrol_passkey
    if principal.operator is not None:
        assert code not in PLATFORM_CODES
        assert operator in {None, principal.operator} or (operator == "" and code == "ledger.read")


@settings(deadline=None)  # a loaded machine is no failure
@given(st.sampled_from(list(Role)), OPERATORS)
def test_a_role_may_do_its_own_work(role: Role, operator: str | None) -> None:
    principal = Principal("X", "p", PrincipalKind.STAFF, frozenset({role}), operator=operator)
    for code in ROLE_CODES[role] - PLATFORM_CODES:
        assert decide_permission(principal, a_question(code, operator or "")) == Allowed()


@pytest.mark.parametrize("code", sorted(KNOWN_CODES - {"ledger.read", "accounts.read_own"}))
def test_an_auditor_reads_the_ledger_and_nothing_else(code: str) -> None:
    auditor = Principal("X", "p", PrincipalKind.STAFF, frozenset({Role.AUDITOR}))
    assert decide_permission(auditor, a_question(code)) == Denied("NOT_GRANTED")
    assert decide_permission(auditor, a_question("ledger.read")) == Allowed()


NEEDS_A_PERSON = [
    "evidence.read", "identity.read", "evidence.erase", "accounts.manage", "clients.manage", "keys.rotate",
    "disclosures.request", "disclosures.approve", "disclosures.execute", "access_log.read",
]  # fmt: skip


@pytest.mark.parametrize("code", NEEDS_A_PERSON)
def test_no_program_does_what_needs_a_person(code: str) -> None:
    assert decide_scopes({code}, operator=None) == (RoleFlaw.SCOPE_UNKNOWN,)
    client = Principal("X", "X", PrincipalKind.CLIENT, scopes=frozenset({code}))
    assert decide_permission(client, a_question(code)) == Denied("NOT_GRANTED")


def test_an_administrator_sees_no_person() -> None:
    seen = {code for code in ROLE_CODES[Role.ADMINISTRATOR] if code.split(".")[0] in {"evidence", "identity"}}
    assert not seen


def test_a_clerk_of_one_operator_knows_no_other() -> None:
    clerk = Principal("X", "p", PrincipalKind.STAFF, frozenset({Role.CLERK}), operator="cn-mobile")
    assert decide_permission(clerk, a_question("sessions.read", "cn-mobile")) == Allowed()
    for other in ("cn-unicom", "", "CN-MOBILE"):
        assert decide_permission(clerk, a_question("sessions.read", other)) == Denied("OTHER_OPERATOR")


def test_who_must_enrol_a_passkey_only_knows_themselves() -> None:
    roles = frozenset({Role.ADMINISTRATOR})
    weak = Principal("X", "p", PrincipalKind.STAFF, roles, must_enrol_passkey=True)
    assert decide_permission(weak, a_question("accounts.manage")) == Denied("PASSKEY_NOT_ENROLLED")
    assert decide_permission(weak, a_question("accounts.read_own")) == Allowed()


@pytest.mark.parametrize("code", sorted(PLATFORM_CODES))
@pytest.mark.parametrize("operator", [None, "", "cn-mobile"])
def test_what_concerns_all_operators_is_for_the_platform(code: str, operator: str | None) -> None:
    roles = frozenset({Role.ADMINISTRATOR, Role.PRIVACY_OFFICER})
    bound = Principal("X", "p", PrincipalKind.STAFF, roles, operator="cn-mobile")
    assert decide_permission(bound, a_question(code, operator)) == Denied("PLATFORM_ONLY")


def test_a_question_without_a_code_is_denied() -> None:
    assert decide_permission(
        Principal("X", "p", PrincipalKind.STAFF, frozenset(Role)), Permission()
    ) == Denied("NOT_GRANTED")


@settings(deadline=None)  # a loaded machine is no failure
@given(principals(), principals())
def test_four_eyes_are_never_one_person_and_never_a_program(a: Principal, b: Principal) -> None:
    assert not are_different_people(a, b), "all of these have one person key"
    other = Principal("Y", "q", PrincipalKind.STAFF)
    assert are_different_people(a, other) is (a.kind is PrincipalKind.STAFF)
    assert are_different_people(a, other) == are_different_people(other, a)


def test_somebody_without_a_person_key_is_nobody() -> None:
    assert not are_different_people(
        Principal("X", "", PrincipalKind.STAFF), Principal("Y", "q", PrincipalKind.STAFF)
    )


@settings(deadline=None)  # a loaded machine is no failure
@given(st.sets(st.sampled_from(list(Role))), st.sets(st.sampled_from(list(Role))))
def test_roles_that_do_not_go_together(roles: set[Role], others: set[Role]) -> None:
    flaws = decide_roles(roles, others_of_person=others)
    together = roles | others
    assert (RoleFlaw.NONE_GIVEN in flaws) is (not roles)
    assert (RoleFlaw.AUDITOR_ALONE in flaws) is (Role.AUDITOR in together and len(together) > 1)
    apart = Role.ADMINISTRATOR in together and {Role.PRIVACY_OFFICER, Role.COMPLIANCE_OFFICER} & together
    assert (RoleFlaw.ADMINISTRATOR_APART in flaws) is bool(apart)


def test_scopes_and_changes() -> None:
    assert decide_scopes(set(), operator=None) == (RoleFlaw.NONE_GIVEN,)
    assert decide_scopes({"sessions.create"}, operator="cn-mobile") == ()
    assert decide_scopes({"ledger.witness"}, operator=None) == ()
    assert decide_scopes({"ledger.witness"}, operator="cn-mobile") == (RoleFlaw.SCOPE_PLATFORM_ONLY,)
    both = decide_change(by_person="p", of_person="p", takes_last_administrator=True)
    assert both == (RoleFlaw.OWN_ROLES, RoleFlaw.LAST_ADMINISTRATOR)
    assert decide_change(by_person="p", of_person="q", takes_last_administrator=False) == ()


@settings(deadline=None)  # a loaded machine is no failure
@given(principals())
def test_codes_are_those_of_the_table(principal: Principal) -> None:
    assert codes_of(principal) <= ALL_CODES
