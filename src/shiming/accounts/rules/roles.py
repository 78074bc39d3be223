"""Which roles and scopes may be given together, to whom and by whom.

Who gives rights does not decide about evidence, who audits does nothing else, and nobody changes their own
rights. The roles of all accounts of one person count together.
"""

from collections.abc import Collection
from enum import StrEnum

from shiming.accounts.model import Role
from shiming.accounts.rules.permission_table import CLIENT_SCOPES, PLATFORM_CODES

_APART_FROM_ADMINISTRATOR = frozenset({Role.COMPLIANCE_OFFICER, Role.PRIVACY_OFFICER})


class RoleFlaw(StrEnum):
    """Why roles or scopes cannot be given; the value is a stable code."""

    NONE_GIVEN = "ROLES_NONE_GIVEN"
    AUDITOR_ALONE = "ROLES_AUDITOR_ALONE"
    ADMINISTRATOR_APART = "ROLES_ADMINISTRATOR_APART"
    OWN_ROLES = "ROLES_OWN"
    LAST_ADMINISTRATOR = "ROLES_LAST_ADMINISTRATOR"
    SCOPE_UNKNOWN = "SCOPE_UNKNOWN"
    SCOPE_PLATFORM_ONLY = "SCOPE_PLATFORM_ONLY"


def decide_roles(roles: Collection[Role], *, others_of_person: Collection[Role] = ()) -> tuple[RoleFlaw, ...]:
    """Return every reason against one person holding these roles; none means that they may."""
    together = frozenset(roles) | frozenset(others_of_person)
    flaws = []
    if not roles:
        flaws.append(RoleFlaw.NONE_GIVEN)
    if Role.AUDITOR in together and together != {Role.AUDITOR}:
        flaws.append(RoleFlaw.AUDITOR_ALONE)
    if Role.ADMINISTRATOR in together and together & _APART_FROM_ADMINISTRATOR:
        flaws.append(RoleFlaw.ADMINISTRATOR_APART)
    return tuple(flaws)


def decide_change(*, by_person: str, of_person: str, takes_last_administrator: bool) -> tuple[RoleFlaw, ...]:
    """Return every reason against one person changing the rights of another's account."""
    flaws = []
    if by_person == of_person:
        flaws.append(RoleFlaw.OWN_ROLES)
    if takes_last_administrator:
        flaws.append(RoleFlaw.LAST_ADMINISTRATOR)
    return tuple(flaws)


def decide_scopes(scopes: Collection[str], *, operator: str | None) -> tuple[RoleFlaw, ...]:
    """Return every reason against a program of this operator (None: the platform) holding these scopes."""
    flaws = []
    if not scopes:
        flaws.append(RoleFlaw.NONE_GIVEN)
    if not CLIENT_SCOPES.issuperset(scopes):
        flaws.append(RoleFlaw.SCOPE_UNKNOWN)
    if operator is not None and PLATFORM_CODES.intersection(scopes):
        flaws.append(RoleFlaw.SCOPE_PLATFORM_ONLY)
    return tuple(flaws)
