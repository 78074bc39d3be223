"""What provisioning works with; built in one place, passed in everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.encryption import KeyProvider
from shiming.jurisdictions.model import Policy
from shiming.registrations.ports.bss import BssPort
from shiming.registrations.use_cases.tools import RegistrationTools

#: A callback that has not come by then is taken for lost; then the BSS is asked, again and again.
CALLBACK_WAIT, POLL_PAUSE = timedelta(minutes=2), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ProvisioningTools:
    """Database, time, the way to BSS, the rules in force, and the address that callbacks come to."""

    registrations: RegistrationTools
    engine: Engine
    clock: Clock
    bss: BssPort
    policy: Callable[[], Policy]
    public_url: str
    callback_wait: timedelta = CALLBACK_WAIT
    poll_pause: timedelta = POLL_PAUSE

    @property
    def keys(self) -> KeyProvider:
        """The installation's keys."""
        return self.registrations.privacy.keys

    def new_reference(self, prefix: str) -> str:
        """Return a fresh reference number of this kind."""
        return self.registrations.privacy.new_reference(prefix)
