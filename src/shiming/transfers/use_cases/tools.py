"""What the verbs of transfers work with; built in one place, passed in everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Policy
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.transfers.ports.arrears import ArrearsPort
from shiming.transfers.ports.donor import DonorPort

#: Says whether a person handles an organisation at an instant, by a power of attorney that holds.
IsHandler = Callable[[Connection, str, str, datetime], bool]


def _nobody(connection: Connection, organisation: str, subject: str, now: datetime) -> bool:
    del connection, organisation, subject, now
    return False


@dataclass(frozen=True, slots=True)
class TransferTools:
    """The tools of registration, billing, the donor, who handles organisations, the numbering plan."""

    registrations: RegistrationTools
    billing: ArrearsPort
    donor: DonorPort
    is_handler: IsHandler = _nobody
    number_regions: tuple[str, ...] = ()
    time_zone: str = "UTC"  # IANA; whose days the velocity counts

    def registration(self, policy: Policy) -> RegistrationPolicy:
        """Return what the verbs of registration need of a policy."""
        return RegistrationPolicy.of(policy, number_regions=self.number_regions, time_zone=self.time_zone)
