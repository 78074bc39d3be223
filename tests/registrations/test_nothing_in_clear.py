"""After a registration, nothing that was collected can be read from the data folder or the temporary one."""

import base64
import io
import os
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.encryption import subject_pseudonym
from shiming.privacy.model import EvidenceKind, IdentityRecord, Purpose, RetentionClass
from shiming.privacy.use_cases.vault import put_evidence
from shiming.registrations.model.registration import LineRegistered
from tests.privacy.builders import NOW
from tests.registrations.builders import a_desk, a_number, a_registration_policy, a_session

NUMBER, NAME, ADDRESS = "11010519491231002X", "欧阳修远", "北京市朝阳区建国路1号2单元"


def a_photo() -> bytes:
    noise = Image.effect_noise((160, 100), 80)
    stream = io.BytesIO()
    noise.convert("RGB").save(stream, "JPEG", quality=80)
    return stream.getvalue()


def spellings(text: str) -> list[bytes]:
    """Return the ways in which a text may be hiding in a file."""
    raw = [text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")]
    escaped = text.encode("unicode_escape")
    coded = [piece for one in raw for piece in (one.hex().encode(), base64.b64encode(one)[:-4])]
    return [*raw, escaped, *coded]


def windows(content: bytes) -> list[bytes]:
    """Return pieces of a file's body: any block of sixteen bytes would give it away."""
    pieces = [content[at : at + 16] for at in range(0, len(content) - 16, 97)]
    return [
        *pieces,
        *(base64.b64encode(piece[:15]) for piece in pieces),
        *(piece.hex().encode() for piece in pieces),
    ]


def everything(*folders: Path) -> bytes:
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return b"".join(str(path).encode() + path.read_bytes() for path in files)


def test_the_search_itself_finds_what_is_in_clear(tmp_path: Path) -> None:
    photo = a_photo()
    (tmp_path / "a").write_bytes(b"x" * 1000 + photo + NAME.encode("gb18030") + NUMBER.encode())
    found = everything(tmp_path)
    assert any(piece in found for piece in windows(photo))
    assert any(piece in found for piece in spellings(NAME))
    assert any(piece in found for piece in spellings(NUMBER))


def test_no_image_number_or_name_is_on_disk_in_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    desk = a_desk(tmp_path, a_registration_policy(identity_record_required=True))
    subject = subject_pseudonym(desk.vault.keys, "cn_resident_number", NUMBER)
    session = a_session(subject=subject)
    desk.sessions.add(session)
    photo = a_photo()
    with unit_of_work(desk.vault.engine) as connection:
        put_evidence(
            desk.vault.tools,
            connection,
            subject=subject,
            case_reference=session.session_id,
            kind=EvidenceKind.DOCUMENT_FRONT,
            purpose=Purpose.REGISTRATION,
            retention_class=RetentionClass.DOCUMENT_IMAGES,
            content=photo,
            retention=desk.policy.retention,
            now=NOW,
        )
    desk.keep_identity(session, IdentityRecord("resident_id", NUMBER, NAME, ADDRESS))
    outcome = desk.register(session.session_id, a_number())
    assert isinstance(outcome, LineRegistered)
    assert len(outcome.receipt["evidence"]) == 2

    folder = desk.vault.settings.data_folder
    assert {path.name for path in folder.iterdir()} == {
        "shiming.db",
        "shiming.db-wal",
        "shiming.db-shm",
        "objects",
        "keys.json",
    }
    disk = everything(folder, temporary)
    assert subject.encode() in disk  # the search looks in the right place
    for clear in (NUMBER, NUMBER[:17], NAME, ADDRESS, ADDRESS[:8]):
        assert not [spelling for spelling in spellings(clear) if spelling in disk], clear
    assert not [piece for piece in windows(photo) if piece in disk]
    assert b"JFIF" not in disk


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_no_file_of_the_data_folder_is_open_to_others(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(a_session())
    desk.keep_identity(a_session(), IdentityRecord("resident_id", NUMBER, NAME, ADDRESS))
    desk.register("SES-1", a_number())
    open_to_others = [
        path for path in desk.vault.settings.data_folder.rglob("*") if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []
