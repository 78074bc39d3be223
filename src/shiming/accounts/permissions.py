"""What can be asked of accounts and clients; who may is said by `rules.permission_table`."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageAccounts(Permission):
    """Create, change, disable or list accounts of one operator; "" is the platform itself."""

    code: ClassVar[str] = "accounts.manage"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayManageClients(Permission):
    """Create, change, disable or list machine clients of one operator; "" is the platform itself."""

    code: ClassVar[str] = "clients.manage"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayManageDevices(Permission):
    """Enrol, list or revoke capture devices of one operator; "" is the platform itself."""

    code: ClassVar[str] = "devices.manage"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadOwnAccount(Permission):
    """See what is known of oneself, enrol a passkey, sign out."""

    code: ClassVar[str] = "accounts.read_own"
