import inspect
import json
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceKind,
    EvidenceRef,
    EvidenceUnknown,
    IdentityRecord,
    Purpose,
    RetentionClass,
)
from shiming.privacy.store.data_keys import data_keys, find_wrapped_key
from shiming.privacy.store.evidence import evidence
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases import vault as vault_module
from shiming.privacy.use_cases.erasure import erase_evidence, erasing
from shiming.privacy.use_cases.vault import (
    list_metadata,
    put_evidence,
    put_identity,
    read_evidence,
    read_identity,
)
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.privacy.builders import NOW, Vault, a_retention_policy

IMAGE = b"\xff\xd8 the portrait of a person " + bytes(range(256)) * 20
REQUEST = AccessRequest(actor="STF-1", purpose=Purpose.DISPUTE, case_reference="DSP-1")
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区建国路1号")


def put(vault: Vault, content: bytes = IMAGE, *, clip: bool = False) -> EvidenceRef:
    with unit_of_work(vault.engine) as connection:
        return put_evidence(
            vault.tools,
            connection,
            subject=vault.subject(),
            case_reference="SES-1",
            kind=EvidenceKind.CLIP if clip else EvidenceKind.DOCUMENT_FRONT,
            purpose=Purpose.REGISTRATION,
            retention_class=RetentionClass.CLIP if clip else RetentionClass.DOCUMENT_IMAGES,
            content=content,
            retention=a_retention_policy(),
            now=NOW,
            decided_at=NOW,
        )


def read(vault: Vault, evidence_id: str) -> EvidenceContent | EvidenceErased | EvidenceUnknown:
    with unit_of_work(vault.engine) as connection:
        return read_evidence(vault.tools, connection, evidence_id, REQUEST, now=NOW)


def erase(vault: Vault, evidence_id: str) -> EvidenceErased | EvidenceUnknown:
    with erasing(vault.tools, vault.engine) as connection:
        return erase_evidence(
            vault.tools, connection, evidence_id, why="holder_asked", actor="STF-1", now=NOW
        )


def get(vault: Vault, evidence_id: str) -> bytes:
    return b"".join(vault.tools.objects.open(evidence_id))


def leaves(vault: Vault) -> list[dict[str, object]]:
    with reading(vault.engine) as connection:
        return [json.loads(row.leaf) for row in connection.execute(ledger_leaves.select())]


def test_evidence_comes_back_and_the_reading_is_recorded(vault: Vault) -> None:
    ref = put(vault)
    found = read(vault, ref.evidence_id)
    assert isinstance(found, EvidenceContent)
    assert found.content == IMAGE
    assert "portrait" not in repr(found)
    stored, seen = leaves(vault)
    assert (stored["kind"], seen["kind"]) == ("evidence.stored", "evidence.read")
    assert seen["facts"] == {
        "evidence": ref.evidence_id,
        "evidence_kind": "document_front",
        "subject": vault.subject(),
        "case": "SES-1",
        "purpose": "registration",
        "actor": "STF-1",
        "access_purpose": "dispute",
        "access_case": "DSP-1",
    }


def test_an_identity_record_comes_back_whole_and_shows_itself_masked(vault: Vault) -> None:
    with unit_of_work(vault.engine) as connection:
        ref = put_identity(
            vault.tools,
            connection,
            subject=vault.subject(),
            case_reference="SES-1",
            identity=IDENTITY,
            retention=a_retention_policy(),
            now=NOW,
        )
        found = read_identity(vault.tools, connection, ref.evidence_id, REQUEST, now=NOW)
        assert isinstance(read_identity(vault.tools, connection, "EVD-0", REQUEST, now=NOW), EvidenceUnknown)
    assert found == IDENTITY
    assert not any(clear in repr(found) for clear in ("11010519491231002X", "张三", "建国路"))
    image = put(vault)
    with pytest.raises(BadInput) as refused, unit_of_work(vault.engine) as connection:
        read_identity(vault.tools, connection, image.evidence_id, REQUEST, now=NOW)
    assert refused.value.code == "EVIDENCE_KIND"


def test_nothing_of_it_is_in_clear_on_disk(vault: Vault) -> None:
    put(vault)
    put(vault, IMAGE + b"!")
    assert not any(piece in vault.bytes_on_disk() for piece in (IMAGE[:16], IMAGE[40:60], b"the portrait"))


def test_erased_evidence_cannot_be_read_and_its_key_is_in_no_file(vault: Vault) -> None:
    ref = put(vault)
    with reading(vault.engine) as connection:
        wrapped = find_wrapped_key(connection, ref.data_key_id)
    assert wrapped is not None
    on_disk = vault.engine.dialect.name == "sqlite"  # PostgreSQL's files are its own
    assert not on_disk or wrapped.wrapped in vault.bytes_on_disk()
    ciphertext = get(vault, ref.evidence_id)
    assert erase(vault, ref.evidence_id) == EvidenceErased(ref.evidence_id, NOW, "holder_asked")
    assert erase(vault, ref.evidence_id) == EvidenceErased(ref.evidence_id, NOW, "holder_asked")
    assert read(vault, ref.evidence_id) == EvidenceErased(ref.evidence_id, NOW, "holder_asked")
    assert wrapped.wrapped not in vault.bytes_on_disk()
    with pytest.raises(Unavailable):
        get(vault, ref.evidence_id)
    vault.tools.objects.put(ref.evidence_id, [ciphertext])  # an object from a backup changes nothing
    assert isinstance(read(vault, ref.evidence_id), EvidenceErased)
    assert [leaf["kind"] for leaf in leaves(vault)] == ["evidence.stored", "evidence.erased"]


def test_a_destroyed_key_does_not_come_back(vault: Vault) -> None:
    ref = put(vault)
    erase(vault, ref.evidence_id)
    for change in (data_keys.update().values(wrapped=b"x", destroyed_at=None), data_keys.delete()):
        with pytest.raises(IntegrityError), unit_of_work(vault.engine) as connection:
            connection.execute(change)


def test_an_object_exchanged_for_another_is_refused(vault: Vault) -> None:
    mine, other = put(vault), put(vault, IMAGE[::-1])
    vault.tools.objects.put(mine.evidence_id, [get(vault, other.evidence_id)])
    with pytest.raises(Unavailable) as refused:
        read(vault, mine.evidence_id)
    assert refused.value.code == "EVIDENCE_UNDECRYPTABLE"
    with unit_of_work(vault.engine) as connection:  # even with the hash made to fit
        connection.execute(evidence.update().values(ciphertext_sha256=other.ciphertext_sha256))
    with pytest.raises(Unavailable):
        read(vault, mine.evidence_id)
    assert [leaf["kind"] for leaf in leaves(vault)] == ["evidence.stored"] * 2


def test_a_row_moved_to_another_person_does_not_open(vault: Vault) -> None:
    ref = put(vault)
    with unit_of_work(vault.engine) as connection:
        connection.execute(evidence.update().values(subject=vault.subject("110101199003070017")))
    with pytest.raises(Unavailable):
        read(vault, ref.evidence_id)


def test_other_keys_open_nothing(vault: Vault) -> None:
    ref = put(vault)
    foreign = InMemoryKeys({use: {"kek1": b"f" * 32} for use in KeyUse})
    tools = replace(vault.tools, keys=foreign)
    with pytest.raises(Unavailable), unit_of_work(vault.engine) as connection:
        read_evidence(tools, connection, ref.evidence_id, REQUEST, now=NOW)


@pytest.mark.parametrize(
    "request_", [AccessRequest(" ", Purpose.DISPUTE, "DSP-1"), AccessRequest("STF-1", Purpose.DISPUTE, "")]
)
def test_nobody_reads_without_name_and_case(vault: Vault, request_: AccessRequest) -> None:
    ref = put(vault)
    with pytest.raises(BadInput) as refused, unit_of_work(vault.engine) as connection:
        read_evidence(vault.tools, connection, ref.evidence_id, request_, now=NOW)
    assert refused.value.code == "ACCESS_CASE_MISSING"


def test_what_is_unknown_is_said_to_be(vault: Vault) -> None:
    assert read(vault, "EVD-0") == EvidenceUnknown("EVD-0")
    assert erase(vault, "EVD-0") == EvidenceUnknown("EVD-0")


def test_empty_evidence_is_refused(vault: Vault) -> None:
    with pytest.raises(BadInput) as refused:
        put(vault, b"")
    assert refused.value.code == "EVIDENCE_SIZE"


def test_metadata_is_listed_for_one_person_or_case_only(vault: Vault) -> None:
    ref = put(vault)
    with reading(vault.engine) as connection:
        assert list_metadata(connection, subject=vault.subject()) == (ref,)
        assert list_metadata(connection, case_reference="SES-1") == (ref,)
        assert list_metadata(connection, subject=vault.subject(), case_reference="SES-2") == ()
        with pytest.raises(ValueError, match="one subject or one case"):
            list_metadata(connection)


def test_a_failed_transaction_leaves_no_row_and_nothing_readable(vault: Vault) -> None:

    def fail() -> None:
        with unit_of_work(vault.engine) as connection:
            put_evidence(
                vault.tools,
                connection,
                subject=vault.subject(),
                case_reference="SES-1",
                kind=EvidenceKind.PORTRAIT,
                purpose=Purpose.REGISTRATION,
                retention_class=RetentionClass.PORTRAIT,
                content=IMAGE,
                retention=a_retention_policy(),
                now=NOW,
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(vault.engine) as connection:
        assert list_metadata(connection, case_reference="SES-1") == ()
        assert connection.execute(data_keys.select()).all() == []
    assert IMAGE[40:60] not in vault.bytes_on_disk()


def test_no_function_of_the_vault_returns_more_than_one_content() -> None:
    """Bulk reading is not only forbidden, there is nothing that could do it."""
    for name, function in inspect.getmembers(vault_module, inspect.isfunction):
        returned = str(inspect.signature(function).return_annotation)
        if any(clear in returned for clear in ("EvidenceContent", "EvidenceStream", "IdentityRecord")):
            assert not any(plural in returned for plural in ("tuple", "list", "Iterator", "Mapping")), name
            assert "evidence_id" in inspect.signature(function).parameters, name
