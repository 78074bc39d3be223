from pathlib import Path

import pytest

from shiming.infrastructure.database import reading, unit_of_work
from shiming.privacy.jobs import erase_due
from shiming.privacy.model import EvidenceKind, EvidenceRef, IdentityRecord
from shiming.privacy.use_cases.cases import RETENTION_CLASS_OF, keep_case
from shiming.privacy.use_cases.vault import list_metadata
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW, Vault, a_retention_policy

IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区建国路1号")


def keep(vault: Vault, files: dict[EvidenceKind, Path], *, pending: bool = False) -> tuple[EvidenceRef, ...]:
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
            pending=pending,
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


def test_a_case_that_waits_for_review_keeps_its_clip_until_the_final_decision(
    vault: Vault, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    added = keep(vault, {EvidenceKind.CLIP: clip}, pending=True)
    assert [(ref.kind, ref.retain_until) for ref in added] == [
        (EvidenceKind.IDENTITY_RECORD, None),
        (EvidenceKind.CLIP, None),
    ]
    assert erase_due(vault.tools, vault.engine, now=NOW) == 0
    assert keep(vault, {EvidenceKind.CLIP: clip}) == ()
    assert erase_due(vault.tools, vault.engine, now=NOW) == 1
    with reading(vault.engine) as connection:
        kept = {ref.kind: ref.erased_at for ref in list_metadata(connection, case_reference="SES-1")}
    assert kept == {EvidenceKind.IDENTITY_RECORD: None, EvidenceKind.CLIP: NOW}
