"""Erasing by piece, by class and by date; receipts; tombstones against restored backups."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.infrastructure.signing import Ed25519Signer
from shiming.infrastructure.tombstone_file import TombstoneFile
from shiming.jurisdictions.model import ClockStart
from shiming.privacy.jobs import erase_due, finish_erasures, sweep_objects
from shiming.privacy.model import (
    EvidenceErased,
    EvidenceKind,
    EvidenceRef,
    Purpose,
    RetentionClass,
    RetentionEvents,
)
from shiming.privacy.store.data_keys import data_keys
from shiming.privacy.store.deletion_receipts import deletion_receipts
from shiming.privacy.store.evidence import evidence
from shiming.privacy.use_cases.erasure import (
    apply_tombstones,
    deletion_receipt_is_genuine,
    erase_class,
    erase_evidence,
    erasing,
    list_deletion_receipts,
    tombstones,
)
from shiming.privacy.use_cases.retention import release_case
from shiming.privacy.use_cases.sweeping import list_missing_objects
from shiming.privacy.use_cases.vault import (
    attach_line,
    list_metadata,
    start_retention_clocks,
)
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.privacy.builders import NOW, Vault, a_retention_policy, a_retention_rule, a_vault
from tests.privacy.erasure_desk import erase, put, readable

# -- one key per subject, purpose, class and case ----------------------------------------------------


def test_one_key_for_one_subject_purpose_class_and_case(vault: Vault) -> None:
    front, back = put(vault), put(vault, EvidenceKind.DOCUMENT_BACK)
    assert front.data_key_id == back.data_key_id
    others = [
        put(vault, EvidenceKind.PORTRAIT),
        put(vault, case="SES-2"),
        put(vault, operator="CMCC"),
        put(vault, number="110101199003070017"),
        put(vault, purpose=Purpose.DISPUTE),
    ]
    assert len({front.data_key_id, *(ref.data_key_id for ref in others)}) == 6
    assert readable(vault, front, back, *others) == [True] * 7


def test_writers_that_are_first_at_once_share_one_key(vault: Vault) -> None:
    with ThreadPoolExecutor(6) as pool:
        refs = list(pool.map(lambda _: put(vault), range(12)))
    assert len({ref.data_key_id for ref in refs}) == 1
    assert readable(vault, *refs) == [True] * 12


def test_the_database_keeps_a_second_live_key_out(vault: Vault) -> None:
    put(vault)
    with unit_of_work(vault.engine) as connection:
        row = dict(connection.execute(data_keys.select()).mappings().one())
    with pytest.raises(DBAPIError), unit_of_work(vault.engine) as connection:
        connection.execute(data_keys.insert().values({**row, "data_key_id": "KEY-second"}))


def test_after_an_erasure_the_next_piece_gets_a_new_key(vault: Vault) -> None:
    first = put(vault)
    erase(vault, first)
    second = put(vault)
    assert second.data_key_id != first.data_key_id
    assert readable(vault, first, second) == [False, True]


def test_a_writer_and_an_eraser_at_once_leave_nothing_unreadable(vault: Vault) -> None:
    """Whatever wins, a row that says it is kept can be read."""
    refs = [put(vault)]

    def write(_: int) -> None:
        refs.append(put(vault))

    def wipe(_: int) -> None:
        with erasing(vault.tools, vault.engine) as connection:
            erase_class(
                vault.tools,
                connection,
                subject=vault.subject(),
                retention_class=RetentionClass.DOCUMENT_IMAGES,
                why="test",
                actor="STF-1",
                now=NOW,
            )

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write if n % 3 else wipe, n) for n in range(24)]:
            done.result()
    with reading(vault.engine) as connection:
        kept = [ref for ref in list_metadata(connection, case_reference="SES-1") if ref.erased_at is None]
    assert readable(vault, *kept) == [True] * len(kept)


# -- erasing -------------------------------------------------------------------------------------------


def test_erasing_a_piece_erases_what_shares_its_key_and_nothing_else(vault: Vault) -> None:
    front, back = put(vault), put(vault, EvidenceKind.DOCUMENT_BACK)
    portrait, other_case = put(vault, EvidenceKind.PORTRAIT), put(vault, case="SES-2")
    erase(vault, front)
    assert readable(vault, front, back, portrait, other_case) == [False, False, True, True]
    assert [vault.tools.objects.exists(ref.evidence_id) for ref in (front, back, portrait, other_case)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_class_of_a_subject_is_erased_in_every_case_at_one_operator(vault: Vault) -> None:
    mine = [put(vault, operator="CMCC"), put(vault, operator="CMCC", case="SES-2")]
    elsewhere = put(vault, operator="CUCC", case="SES-3")
    portrait = put(vault, EvidenceKind.PORTRAIT, operator="CMCC")
    somebody = put(vault, operator="CMCC", case="SES-4", number="110101199003070017")
    with erasing(vault.tools, vault.engine) as connection:
        destroyed = erase_class(
            vault.tools,
            connection,
            subject=vault.subject(),
            retention_class=RetentionClass.DOCUMENT_IMAGES,
            operator="CMCC",
            why="holder_asked",
            actor="STF-1",
            now=NOW,
        )
    assert {key.data_key_id for key in destroyed} == {ref.data_key_id for ref in mine}
    assert readable(vault, *mine, elsewhere, portrait, somebody) == [False, False, True, True, True]


def test_a_signed_receipt_names_everything_and_stays(vault: Vault) -> None:
    front, back = put(vault), put(vault, EvidenceKind.DOCUMENT_BACK)
    erase(vault, front)
    erase(vault, back)  # gone already: no second receipt
    with reading(vault.engine) as connection:
        (receipt,) = list_deletion_receipts(connection, case_reference="SES-1")
        assert list_deletion_receipts(connection, subject=vault.subject()) == (receipt,)
        assert list_deletion_receipts(connection, case_reference="SES-2") == ()
    assert {piece["id"] for piece in receipt["evidence"]} == {front.evidence_id, back.evidence_id}
    assert (receipt["why"], receipt["data_key"]) == ("holder_asked", front.data_key_id)
    key = vault.tools.signer.public_key
    assert deletion_receipt_is_genuine(receipt, key)
    assert not deletion_receipt_is_genuine({**receipt, "why": "retention_ended"}, key)
    assert not deletion_receipt_is_genuine({**receipt, "signature": "x"}, key)
    assert not deletion_receipt_is_genuine(receipt, Ed25519Signer.from_seed(b"1" * 32).public_key)
    for change in (deletion_receipts.update().values(receipt="{}"), deletion_receipts.delete()):
        with pytest.raises(DBAPIError), unit_of_work(vault.engine) as connection:
            connection.execute(change)


def test_an_object_store_that_is_down_does_not_stop_an_erasure(vault: Vault, tmp_path: Path) -> None:
    ref = put(vault)
    (tmp_path / "a file").touch()
    down = replace(vault.tools, objects=FolderObjectStore(tmp_path / "a file"))
    with erasing(down, vault.engine) as connection:
        erase_evidence(down, connection, ref.evidence_id, why="holder_asked", actor="STF-1", now=NOW)
    assert readable(vault, ref) == [False]
    assert vault.tools.objects.exists(ref.evidence_id)
    assert finish_erasures(vault.tools, vault.engine) == 1
    assert not vault.tools.objects.exists(ref.evidence_id)
    assert finish_erasures(vault.tools, vault.engine) == 0


# -- retention -----------------------------------------------------------------------------------------


def test_what_is_due_is_erased_case_by_case_and_nothing_else(vault: Vault) -> None:
    image, other_case, clip = put(vault), put(vault, case="SES-2"), put(vault, EvidenceKind.CLIP)
    assert (image.retain_until, clip.retain_until) == (None, NOW)
    assert erase_due(vault.tools, vault.engine, now=NOW) == 1
    assert readable(vault, image, other_case, clip) == [True, True, False]
    with unit_of_work(vault.engine) as connection:
        attach_line(connection, case_reference="SES-1", line_id="REG-1")
        moved = start_retention_clocks(
            connection,
            case_reference="SES-1",
            retention=a_retention_policy(),
            events=RetentionEvents(service_ended_at=NOW),
        )
    two_years = NOW.replace(year=NOW.year + 2)
    assert [(ref.evidence_id, ref.retain_until, ref.line_id) for ref in moved] == [
        (image.evidence_id, two_years, "REG-1")
    ]
    late = put(vault, EvidenceKind.DOCUMENT_BACK)  # comes after the clock started: ends with the others
    assert late.retain_until == two_years
    assert erase_due(vault.tools, vault.engine, now=two_years.replace(second=0, minute=0, hour=11)) == 0
    assert erase_due(vault.tools, vault.engine, now=two_years) == 2
    assert readable(vault, image, late, other_case) == [False, False, True]
    with reading(vault.engine) as connection:
        whys = {receipt["why"] for receipt in list_deletion_receipts(connection, subject=vault.subject())}
    assert whys == {"retention_ended"}


def test_a_key_outlives_the_first_end_of_what_it_encrypts(vault: Vault) -> None:
    """Ends of one key differ only by a mistake; the longer one counts then: the law sets a shortest time."""
    front, back = put(vault), put(vault, EvidenceKind.DOCUMENT_BACK)
    for ref, end in ((front, NOW), (back, NOW + timedelta(days=1))):
        with unit_of_work(vault.engine) as connection:
            connection.execute(
                evidence.update().where(evidence.c.evidence_id == ref.evidence_id).values(retain_until=end)
            )
    assert erase_due(vault.tools, vault.engine, now=NOW) == 0
    assert readable(vault, front, back) == [True, True]
    assert erase_due(vault.tools, vault.engine, now=NOW + timedelta(days=1)) == 2


def test_many_due_pieces_are_erased_in_batches_and_by_two_workers_at_once(vault: Vault) -> None:
    refs = [put(vault, EvidenceKind.CLIP, case=f"SES-{n}") for n in range(12)]
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: erase_due(vault.tools, vault.engine, now=NOW), range(2)))
    assert sum(counts) == len(refs)
    assert not any(readable(vault, *refs))
    assert set(vault.tools.tombstones.read()) == {ref.data_key_id for ref in refs}


def test_a_policy_may_keep_a_clip_longer(vault: Vault) -> None:
    rule = a_retention_rule("P30D", ClockStart.DECISION)
    clip = put(vault, EvidenceKind.CLIP)
    with unit_of_work(vault.engine) as connection:
        start_retention_clocks(
            connection,
            case_reference="SES-1",
            retention=a_retention_policy().model_copy(update={"clip": rule}),
            events=RetentionEvents(decided_at=NOW),
        )
    assert erase_due(vault.tools, vault.engine, now=NOW) == 0
    assert readable(vault, clip) == [True]


# -- tombstones ----------------------------------------------------------------------------------------


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[tuple[Vault, EvidenceRef, EvidenceRef]]:
    """A vault whose database was put back to before the erasure of its first piece."""
    vault = a_vault(tmp_path)
    erased, kept = put(vault), put(vault, case="SES-2")
    database = Path(str(vault.engine.url.database))
    objects = vault.settings.objects_folder
    vault.engine.dispose()
    shutil.copy(database, tmp_path / "backup.db")
    shutil.copytree(objects, tmp_path / "objects")
    erase(vault, erased)
    vault.engine.dispose()
    shutil.copy(tmp_path / "backup.db", database)
    shutil.copytree(tmp_path / "objects", objects, dirs_exist_ok=True)
    yield vault, erased, kept
    vault.engine.dispose()


def test_a_restored_backup_cannot_read_what_was_erased_after_it(
    restored: tuple[Vault, EvidenceRef, EvidenceRef],
) -> None:
    vault, erased, kept = restored
    assert readable(vault, erased, kept) == [True, True]  # this is what tombstones are for
    with erasing(vault.tools, vault.engine) as connection:
        names = tombstones(vault.tools, connection)
        assert names == (erased.data_key_id,)
        assert apply_tombstones(vault.tools, connection, [*names, "KEY-OF-NO-ROW"], now=NOW) == 1
    assert readable(vault, erased, kept) == [False, True]
    assert not vault.tools.objects.exists(erased.evidence_id)
    with reading(vault.engine) as connection:
        (receipt,) = list_deletion_receipts(connection, subject=vault.subject())
    assert receipt["why"] == "erased_before_restore"
    with erasing(vault.tools, vault.engine) as connection:
        assert apply_tombstones(vault.tools, connection, names, now=NOW) == 0


def test_the_file_names_every_destroyed_key_even_after_a_failure(vault: Vault, tmp_path: Path) -> None:
    ref = put(vault)
    (tmp_path / "folder").mkdir()
    unwritable = replace(vault.tools, tombstones=TombstoneFile(tmp_path / "folder"))
    with erasing(unwritable, vault.engine) as connection:
        erase_evidence(unwritable, connection, ref.evidence_id, why="test", actor="STF-1", now=NOW)
    assert vault.tools.tombstones.read() == ()
    with reading(vault.engine) as connection:
        assert tombstones(vault.tools, connection) == (ref.data_key_id,)  # the database knows it
    finish_erasures(vault.tools, vault.engine)
    assert vault.tools.tombstones.read() == (ref.data_key_id,)


def test_a_rolled_back_erasure_leaves_no_tombstone(vault: Vault) -> None:
    ref = put(vault)

    def fail() -> None:
        with erasing(vault.tools, vault.engine) as connection:
            erase_evidence(vault.tools, connection, ref.evidence_id, why="test", actor="STF-1", now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    finish_erasures(vault.tools, vault.engine)
    assert vault.tools.tombstones.read() == ()
    assert readable(vault, ref) == [True]


def test_a_tombstone_file_survives_cuts_and_repeats(tmp_path: Path) -> None:
    file = TombstoneFile(tmp_path / "destroyed-keys.txt")
    assert file.read() == ()
    file.append(["KEY-0081-0G3G-50C7-1", "KEY-0081-0G3G-50C8-1"])
    with file.path.open("ab") as opened:
        opened.write(b"KEY-00")  # a crash in the middle of a line
    file.append(["KEY-0081-0G3G-50C8-1", "KEY-0081-0G3G-50C9-1"])
    assert file.read() == ("KEY-0081-0G3G-50C7-1", "KEY-0081-0G3G-50C8-1", "KEY-0081-0G3G-50C9-1")
    assert file.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unavailable):
        TombstoneFile(tmp_path).read()


# -- sweeping ------------------------------------------------------------------------------------------


def test_orphans_are_removed_after_a_day_and_losses_are_reported(vault: Vault) -> None:
    kept, lost = put(vault), put(vault, EvidenceKind.PORTRAIT)
    vault.tools.objects.put("EVD-0081-0G3G-50C7-1", [b"orphan"])
    vault.tools.objects.put("HPC-0081-0G3G-50C7-1", [b"held by another feature"])
    vault.tools.objects.remove(lost.evidence_id)
    now = datetime.now(UTC)  # the age of files is by the real clock
    assert sweep_objects(vault.tools, vault.engine, now=now) == 0
    assert sweep_objects(vault.tools, vault.engine, now=now + timedelta(hours=25)) == 1
    assert not vault.tools.objects.exists("EVD-0081-0G3G-50C7-1")
    assert vault.tools.objects.exists("HPC-0081-0G3G-50C7-1")
    assert readable(vault, kept) == [True]
    assert list_missing_objects(vault.tools, vault.engine) == (lost.evidence_id,)
    erase(vault, lost)
    assert list_missing_objects(vault.tools, vault.engine) == ()


def test_what_no_line_was_registered_with_is_released_and_a_line_keeps_its_own(vault: Vault) -> None:
    abandoned, registered = put(vault), put(vault, case="SES-2")
    with unit_of_work(vault.engine) as connection:
        attach_line(connection, case_reference="SES-2", line_id="REG-1")
        assert release_case(connection, case_reference="SES-1", now=NOW) == 1
        assert release_case(connection, case_reference="SES-2", now=NOW) == 0
    assert erase_due(vault.tools, vault.engine, now=NOW) == 1
    assert readable(vault, abandoned, registered) == [False, True]


@pytest.mark.parametrize(
    ("why", "actor"),
    [("", "STF-1"), ("the holder asked", "STF-1"), ("holder_asked", ""), ("holder_asked", "张三"),
     ("holder_asked", "13800138000"), ("holder_asked", "E12345678")],
)  # fmt: skip
def test_words_and_names_are_no_reason_and_no_actor(tmp_path: Path, why: str, actor: str) -> None:
    vault = a_vault(tmp_path)
    ref = put(vault)
    with pytest.raises(BadInput) as refused, erasing(vault.tools, vault.engine) as connection:
        erase_evidence(vault.tools, connection, ref.evidence_id, why=why, actor=actor, now=NOW)
    assert refused.value.code == "ERASURE_REASON"


def test_erasing_twice_says_when_it_was(vault: Vault) -> None:
    ref = put(vault)
    erase(vault, ref)
    later = NOW.replace(year=2030)
    with erasing(vault.tools, vault.engine) as connection:
        found = erase_evidence(
            vault.tools, connection, ref.evidence_id, why="again", actor="STF-2", now=later
        )
        assert found == EvidenceErased(ref.evidence_id, NOW, "holder_asked")
        counted = connection.execute(sa.select(sa.func.count()).select_from(evidence)).scalar_one()
    assert counted == 1
