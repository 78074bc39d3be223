"""Where identity proofing leaves its evidence: the vault, under the retention rules of the session's pack."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.store import get_session
from shiming.jurisdictions.model import RetentionPolicy
from shiming.privacy.model import EvidenceKind, IdentityRecord
from shiming.privacy.use_cases.cases import keep_case
from shiming.privacy.use_cases.retention import release_case

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

_KINDS = {
    "document": EvidenceKind.DOCUMENT_FRONT,
    "document_back": EvidenceKind.DOCUMENT_BACK,
    "clip": EvidenceKind.CLIP,
    "digits": EvidenceKind.AUDIO,
}


@dataclass(frozen=True, slots=True)
class VaultKeeper:
    """`identity_proofing.ports.EvidenceKeeper` over the evidence vault."""

    platform: "Platform"

    def keep(
        self,
        connection: Connection,
        *,
        session_id: str,
        operator: str,
        subject: str,
        identity: ClaimedIdentity,
        files: Mapping[str, Path],
        pending: bool,
    ) -> None:
        """Keep a decided case, or one that people still have to review."""
        pack = get_session(connection, session_id).pack_id
        retention = self.platform.policy(pack, self.platform.today()).retention
        keep_case(
            self.platform.privacy,
            connection,
            subject=subject,
            case_reference=session_id,
            identity=as_far_as_kept(identity, retention),
            files={_KINDS[name]: file for name, file in files.items()},
            retention=retention,
            decided_at=self.platform.clock.now(),
            operator=operator,
            pending=pending,
        )

    def release(self, connection: Connection, session_id: str) -> None:
        """Let the whole case be erased: it proves nobody."""
        release_case(connection, case_reference=session_id, now=self.platform.clock.now())


def as_far_as_kept(identity: ClaimedIdentity, retention: RetentionPolicy) -> IdentityRecord:
    """Return what the law lets an operator keep of an identity; a field that it does not name stays empty."""
    found = {
        "document_type": identity.document_type,
        "number": identity.number or "",
        "name": identity.name or "",
        "address": identity.address or "",
    }
    allowed = retention.identity_fields
    return IdentityRecord(
        **{name: value if allowed is None or name in allowed.value else "" for name, value in found.items()}
    )
