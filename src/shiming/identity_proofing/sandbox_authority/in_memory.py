"""An authority in memory, for tests and demonstrations. It says loudly that it is none."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.ports import AuthorityQuestion, AuthorityReply
from shiming.identity_proofing.sandbox_authority.population import PersonRecord
from shiming.identity_proofing.sandbox_authority.verification import Comparer, verify_attributes

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FakeAuthority:
    """Answers from its own records by the same rules as the sandbox authority; `down` answers nothing."""

    population: Mapping[str, PersonRecord] = field(repr=False)
    compare: Comparer
    today: Callable[[], str]
    down: bool = False

    def __post_init__(self) -> None:
        _LOG.warning("FAKE AUTHORITY IN USE: its answers prove nothing about anybody")

    def verify(self, question: AuthorityQuestion) -> AuthorityReply:
        """Answer from the records."""
        if self.down:
            return AuthorityReply(AuthorityAnswer.UNREACHABLE, "FAKE_DOWN")
        if not question.identity.number:
            return AuthorityReply(AuthorityAnswer.NOT_ASKED, "NO_IDENTIFIER")
        record = self.population.get(question.identity.number)
        if record is None:
            return AuthorityReply(AuthorityAnswer.UNKNOWN_PERSON, "IDENTIFIER_NOT_FOUND")
        return AuthorityReply(
            verify_attributes(
                record,
                name=question.identity.name,
                birth_date=question.identity.birth_date.isoformat() if question.identity.birth_date else None,
                valid_to=question.identity.valid_to.isoformat() if question.identity.valid_to else None,
                portrait=question.portrait_jpeg,
                compare=self.compare,
                on=self.today(),
            )
        )
