"""What the verbs of registration work with; built in one place, passed in everywhere."""

from dataclasses import dataclass

from shiming.infrastructure.signing import Signer
from shiming.privacy.use_cases.tools import PrivacyTools


@dataclass(frozen=True, slots=True)
class RegistrationTools:
    """The vault and ledger, and the key of receipts; `sandbox` allows rehearsals."""

    privacy: PrivacyTools
    signer: Signer
    sandbox: bool = False
