"""The connector of an installation without an authority."""

from dataclasses import dataclass

from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.ports import AuthorityQuestion, AuthorityReply


@dataclass(frozen=True, slots=True)
class NullAuthority:
    """No authority is configured: nothing is asked, so nobody is verified."""

    def verify(self, question: AuthorityQuestion) -> AuthorityReply:
        """Answer that nobody was asked."""
        del question
        return AuthorityReply(AuthorityAnswer.NOT_ASKED, "NOT_CONFIGURED")
