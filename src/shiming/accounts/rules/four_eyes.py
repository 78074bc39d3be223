"""Four eyes are two people."""

from shiming.accounts.model import Principal, PrincipalKind


def are_different_people(a: Principal, b: Principal) -> bool:
    """Say whether two humans stand behind `a` and `b`; two accounts of one human, or a program, are not two.

    >>> one = Principal("ACC-1", "p", PrincipalKind.STAFF)
    >>> are_different_people(one, Principal("ACC-2", "p", PrincipalKind.STAFF))
    False
    >>> are_different_people(one, Principal("ACC-3", "q", PrincipalKind.STAFF))
    True
    """
    both_staff = a.kind is PrincipalKind.STAFF and b.kind is PrincipalKind.STAFF
    return both_staff and bool(a.person_key and b.person_key) and a.person_key != b.person_key
