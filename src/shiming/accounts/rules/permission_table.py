"""Who may do what. What is not listed here is denied.

A question (`Permission`) carries a stable code. Staff hold codes by their roles, machine clients by their
scopes, which are the same codes. Whoever belongs to one operator may only ask about that operator: a question
that has an `operator` must name theirs, and what concerns the whole installation ("") is not theirs to do -
but for the ledger's checkpoints and proofs, which are one for all and show references and hashes only.

>>> from shiming.accounts.model import PrincipalKind
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, slots=True)
... class MayRegister(Permission):
...     code = "registrations.create"
...     operator: str
>>> clerk = Principal("ACC-1", "p", PrincipalKind.STAFF, frozenset({Role.CLERK}), operator="cn-mobile")
>>> decide_permission(clerk, MayRegister("cn-mobile"))
Allowed()
>>> decide_permission(clerk, MayRegister("cn-unicom"))
Denied(reason='OTHER_OPERATOR')
"""

from collections.abc import Mapping

from shiming.accounts.model import Allowed, Denied, Principal, PrincipalKind, Role
from shiming.vocabulary.permissions import Permission

OWN_CODES = frozenset({"accounts.read_own"})
_CLERK = OWN_CODES | {
    "transfers.create",
    "transfers.read",
    "orders.represent",
    "orders.manage",
    "orders.read",
    "orders.accept",
    "terms.read",
    "holder_clocks.read",
    "handovers.complete",
    "repudiations.create",
    "notices.read",
    "sessions.create",
    "sessions.read",
    "sessions.decide",
    "iot.manage",
    "iot.read",
    "iot.report",
    "organisations.manage",
    "organisations.read",
    "enterprise_lines.manage",
    "enterprise_lines.read",
    "key_services.manage",
    "number_sets.read",
    "registrations.create",
    "registrations.read",
    "lines.stop_for_holder",
    "numbers.read",
    "numbers.reserve",
    "sims.read",
    "receipts.read",
}

ROLE_CODES: Mapping[Role, frozenset[str]] = {
    Role.CLERK: _CLERK | {"sessions.review"},
    Role.SUPERVISOR: _CLERK
    | {"sessions.review", "figures.read"}
    | frozenset({"provisioning.read", "provisioning.confirm"})
    | {
        "registration_reviews.decide",
        "registrations.list_over_cap",
        "numbers.manage",
        "sims.manage",
        "registrations.list_by_person",
        "evidence.list",
        "disclosures.approve",
    },
    Role.COMPLIANCE_OFFICER: OWN_CODES
    | {
        "transfers.read",
        "transfers.decide",
        "transfers.announce_terms",
        "provisioning.read",
        "registration_reviews.decide",
        "registrations.list_over_cap",
        "orders.read",
        "lines.stop_for_compliance",
        "numbers.read",
        "sims.read",
        "terms.publish",
        "terms.read",
        "holder_clocks.read",
        "repudiations.create",
        "repudiations.decide",
        "iot.read",
        "iot.report",
        "iot.decide_resale",
        "organisations.read",
        "organisations.suspend",
        "enterprise_lines.read",
        "number_sets.read",
        "notices.read",
        "sessions.read",
        "sessions.review",
        "figures.read",
        "registrations.read",
        "registrations.list_by_person",
        "receipts.read",
        "evidence.list",
        "evidence.read",
        "identity.read",
        "disclosures.request",
        "disclosures.approve",
        "disclosures.execute",
        "disclosures.read",
    },
    Role.PRIVACY_OFFICER: OWN_CODES
    | {
        "receipts.read",
        "evidence.list",
        "evidence.read",
        "evidence.erase",
        "identity.read",
        "disclosures.approve",
        "disclosures.execute",
        "disclosures.read",
        "access_log.read",
        "ledger.read",
        "ledger.witness",
    },
    Role.AUDITOR: OWN_CODES | {"ledger.read"},  # reads the ledger and nothing else
    Role.ADMINISTRATOR: OWN_CODES  # gives rights and runs the machine; sees neither people nor evidence
    | {
        "provisioning.read",
        "provisioning.manage",
        "accounts.manage",
        "clients.manage",
        "devices.manage",
        "jobs.manage",
        "webhooks.manage",
        "keys.rotate",
    },
}

#: What a program may be given: never to read a person in clear, to approve, to erase or to give rights.
CLIENT_SCOPES: frozenset[str] = (_CLERK - OWN_CODES) | {
    "figures.read",
    "provisioning.read",
    "provisioning.manage",
    "numbers.manage",
    "sims.manage",
    "notices.record",
    "registrations.list_by_person",
    "evidence.list",
    "ledger.read",
    "ledger.witness",
    "webhooks.manage",
}

#: Acts on all operators at once, so only for principals of the platform.
PLATFORM_CODES: frozenset[str] = frozenset({"jobs.manage", "keys.rotate", "ledger.witness"})

#: Concerns the whole installation and is open to principals of one operator all the same.
SHARED_CODES: frozenset[str] = frozenset({"ledger.read"})
WHOLE_INSTALLATION = ""

ALL_CODES: frozenset[str] = frozenset().union(*ROLE_CODES.values(), CLIENT_SCOPES)


def decide_permission(principal: Principal, question: Permission) -> Allowed | Denied:
    """Say whether this principal may do this: denied unless the table says otherwise."""
    code = getattr(question, "code", None)
    if code not in codes_of(principal):
        return Denied("NOT_GRANTED")
    if principal.must_enrol_passkey and code not in OWN_CODES:
        return Denied("PASSKEY_NOT_ENROLLED")
    if principal.operator is None:
        return Allowed()
    if code in PLATFORM_CODES:
        return Denied("PLATFORM_ONLY")
    operator = getattr(question, "operator", principal.operator)
    if operator == WHOLE_INSTALLATION and code in SHARED_CODES:
        return Allowed()
    return Allowed() if operator == principal.operator else Denied("OTHER_OPERATOR")


def codes_of(principal: Principal) -> frozenset[str]:
    """Return every code that the principal's roles (staff) or scopes (client) grant."""
    if principal.kind is PrincipalKind.CLIENT:
        return (principal.scopes & CLIENT_SCOPES) | OWN_CODES
    return frozenset().union(*(ROLE_CODES[role] for role in principal.roles), OWN_CODES)
