"""Typed questions of permission, beside the use cases that ask them.

A feature says what may be asked; who may do it is decided by `accounts`; nothing is allowed by default.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, slots=True)
... class MayReadLedger(Permission):
...     code = "ledger.read"
>>> @asks(MayReadLedger)
... def show_checkpoint() -> str:
...     return "..."
>>> [question.code for question in questions_of(show_checkpoint)]
['ledger.read']
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

_F = TypeVar("_F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Permission:
    """A question such as `MayReadEvidence(case, purpose)`; `code` is its stable name in role tables."""

    code: ClassVar[str]


def asks(*questions: type[Permission]) -> Callable[[_F], _F]:
    """Say which questions the edge must have answered with yes before it calls this use case."""

    def mark(use_case: _F) -> _F:
        use_case.__shiming_permissions__ = questions  # type: ignore[attr-defined] # read by questions_of
        return use_case

    return mark


def inside(why: str) -> Callable[[_F], _F]:
    """Say that a public function of `use_cases` is only called by other use cases or by jobs, and why."""

    def mark(function: _F) -> _F:
        function.__shiming_inside__ = why  # type: ignore[attr-defined] # read by the test of permissions
        return function

    return mark


def questions_of(use_case: Callable[..., object]) -> tuple[type[Permission], ...]:
    """Return the questions that a use case asks."""
    found: tuple[type[Permission], ...] = getattr(use_case, "__shiming_permissions__", ())
    return found
