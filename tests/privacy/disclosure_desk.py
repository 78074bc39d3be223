"""A desk at which disclosures are asked for, agreed to and carried out, on a real vault and database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from shiming.infrastructure.database import transact, unit_of_work
from shiming.privacy.model import EvidenceKind, EvidenceRef, IdentityRecord, Purpose, RetentionClass
from shiming.privacy.rules.disclosure import Actor, Disclosure, DisclosureObstacle, DisclosureRequest
from shiming.privacy.use_cases.disclosure_execution import Disclosed, execute_disclosure
from shiming.privacy.use_cases.disclosures import (
    DisclosureUnknown,
    Outcome,
    approve_disclosure,
    refuse_disclosure,
    request_disclosure,
)
from shiming.privacy.use_cases.erasure import erase_evidence, erasing
from shiming.privacy.use_cases.vault import put_evidence, put_identity
from tests.privacy.builders import Vault, a_retention_policy, a_vault
from tests.privacy.disclosure_builders import ASKER, FIRST, NOW, SECOND, a_disclosure_policy

OPERATOR, OPERATOR_NAME = "cn-example", "中国示例电信"
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区建国路1号")
NUMBER, OTHER_NUMBER = "11010519491231002X", "110101199003070017"
RETENTION_OF = {
    EvidenceKind.CLIP: RetentionClass.CLIP,
    EvidenceKind.PORTRAIT: RetentionClass.PORTRAIT,
    EvidenceKind.DOCUMENT_FRONT: RetentionClass.DOCUMENT_IMAGES,
}


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (320, 200), mode: str = "RGB") -> bytes:
    """A picture with a gradient, so that a changed pixel shows."""
    import io  # noqa: PLC0415 - only this builder writes pictures

    gradient = Image.linear_gradient("L").resize(size)
    content = io.BytesIO()
    gradient.convert(mode).save(content, kind)
    return content.getvalue()


@dataclass(frozen=True)
class Desk:
    vault: Vault

    def put(
        self,
        content: bytes = b"",
        *,
        kind: EvidenceKind = EvidenceKind.DOCUMENT_FRONT,
        number: str = NUMBER,
        operator: str = OPERATOR,
    ) -> EvidenceRef:
        with unit_of_work(self.vault.engine) as connection:
            return put_evidence(
                self.vault.tools,
                connection,
                subject=self.vault.subject(number),
                case_reference="SES-1",
                kind=kind,
                purpose=Purpose.REGISTRATION,
                retention_class=RETENTION_OF[kind],
                content=content or a_picture(),
                retention=a_retention_policy(),
                now=NOW,
                operator=operator,
            )

    def put_identity(self) -> EvidenceRef:
        with unit_of_work(self.vault.engine) as connection:
            return put_identity(
                self.vault.tools,
                connection,
                subject=self.vault.subject(),
                case_reference="SES-1",
                identity=IDENTITY,
                retention=a_retention_policy(),
                now=NOW,
                operator=OPERATOR,
            )

    def erase(self, evidence_id: str) -> None:
        with erasing(self.vault.tools, self.vault.engine) as connection:
            erase_evidence(
                self.vault.tools, connection, evidence_id, why="holder_asked", actor="ACC-A", now=NOW
            )

    def wanted(self, *refs: EvidenceRef, **changes: Any) -> DisclosureRequest:
        request = DisclosureRequest(
            subject=self.vault.subject(),
            evidence_ids=tuple(ref.evidence_id for ref in refs),
            purpose=Purpose.LAWFUL_REQUEST,
            recipient="北京市公安局朝阳分局",
            legal_basis="反电信网络诈骗法第二十六条",
            case_reference="LAW-2026-0001",
            operator=OPERATOR,
        )
        return replace(request, **changes)

    def ask(self, request: DisclosureRequest, *, by: Actor = ASKER) -> Disclosure | DisclosureObstacle:
        with unit_of_work(self.vault.engine) as connection:
            return request_disclosure(
                self.vault.tools, connection, request, by=by, policy=a_disclosure_policy(), now=NOW
            )

    def approve(
        self, disclosure_id: str, *, by: Actor, now: datetime = NOW, operator: str | None = None
    ) -> Outcome:
        return transact(
            self.vault.engine,
            lambda connection: approve_disclosure(
                self.vault.tools, connection, disclosure_id, by=by, now=now, operator=operator
            ),
        )

    def refuse(self, disclosure_id: str, *, by: Actor, why: str = "证据不足") -> Outcome:
        with unit_of_work(self.vault.engine) as connection:
            return refuse_disclosure(self.vault.tools, connection, disclosure_id, by=by, why=why, now=NOW)

    def execute(
        self,
        disclosure_id: str,
        *,
        by: Actor = ASKER,
        now: datetime = NOW + timedelta(hours=1),
        operator: str | None = None,
    ) -> Disclosed | DisclosureObstacle | DisclosureUnknown:
        return transact(
            self.vault.engine,
            lambda connection: execute_disclosure(
                self.vault.tools,
                connection,
                disclosure_id,
                by=by,
                operator_name=OPERATOR_NAME,
                on=date(2026, 5, 1),
                now=now,
                operator=operator,
            ),
        )

    def asked(self, *refs: EvidenceRef, **changes: Any) -> str:
        found = self.ask(self.wanted(*refs, **changes))
        assert isinstance(found, Disclosure), found
        return found.disclosure_id

    def approved(self, *refs: EvidenceRef, **changes: Any) -> str:
        disclosure_id = self.asked(*refs, **changes)
        for by in (FIRST, SECOND):
            assert isinstance(self.approve(disclosure_id, by=by), Disclosure)
        return disclosure_id


@contextmanager
def a_desk(folder: Path, url: str) -> Iterator[Desk]:
    vault = a_vault(folder, url)
    try:
        yield Desk(vault)
    finally:
        vault.engine.dispose()
