from pathlib import Path

import pytest

from shiming.infrastructure.database import unit_of_work
from shiming.privacy.model import EvidenceKind, EvidenceRef, IdentityRecord
from shiming.privacy.use_cases.cases import RETENTION_CLASS_OF, keep_case
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW, Vault, a_retention_policy

IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区建国路1号")


def keep(vault: Vault, files: dict[EvidenceKind, Path]) -> tuple[EvidenceRef, ...]:
    with unit_of_work(vault.engine) as connection:
        return keep_case(
            vault.tools,
            connection,
            subject=vault.subject(),
            case_reference="SES-1",
            identity=IDENTITY,
            files=files,
            retention=a_retention_policy(),
            decided_at=NOW,
        )


def test_a_case_is_kept_once_and_what_is_over_at_the_decision_never(vault: Vault, tmp_path: Path) -> None:
    front, clip = tmp_path / "front.jpg", tmp_path / "clip.mp4"
    front.write_bytes(b"front")
    clip.write_bytes(b"clip")
    files = {EvidenceKind.DOCUMENT_FRONT: front, EvidenceKind.CLIP: clip}
    added = keep(vault, files)
    assert [ref.kind for ref in added] == [EvidenceKind.IDENTITY_RECORD, EvidenceKind.DOCUMENT_FRONT]
    assert keep(vault, files) == ()
    (back,) = keep(vault, {**files, EvidenceKind.DOCUMENT_BACK: front})
    assert back.kind is EvidenceKind.DOCUMENT_BACK


def test_a_file_that_is_gone_keeps_nothing(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        keep(vault, {EvidenceKind.DOCUMENT_FRONT: tmp_path / "gone.jpg"})
    assert refused.value.code == "EVIDENCE_UNREADABLE"
    assert len(keep(vault, {})) == 1  # the failed transaction had kept nothing


@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_every_kind_has_a_retention_class(kind: EvidenceKind) -> None:
    assert RETENTION_CLASS_OF[kind]
