"""In whatever order things happen: what is kept is readable, what is erased is not, and receipts say so."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.key_choice import add_key_encryption_key
from shiming.privacy.jobs import erase_due
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceKind,
    EvidenceRef,
    Purpose,
    RetentionClass,
    RetentionEvents,
)
from shiming.privacy.use_cases.erasure import erase_class, erase_evidence, erasing, list_deletion_receipts
from shiming.privacy.use_cases.rotation import rotate_keks
from shiming.privacy.use_cases.vault import put_evidence, read_evidence, start_retention_clocks
from tests.privacy.builders import NOW, a_retention_policy, a_vault

CASES = st.sampled_from(["SES-1", "SES-2"])
CLASSES = st.sampled_from([RetentionClass.IDENTITY, RetentionClass.PORTRAIT])
TWO_YEARS = NOW.replace(year=NOW.year + 2)


class VaultMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.vault = a_vault(Path(self.folder.name))
        self.kept: dict[EvidenceRef, bytes] = {}
        self.erased: set[EvidenceRef] = set()
        self.ended: set[str] = set()  # cases whose service has ended

    def teardown(self) -> None:
        self.vault.engine.dispose()
        self.folder.cleanup()

    @rule(case=CASES, retention_class=CLASSES, content=st.binary(min_size=1, max_size=50))
    def put(self, case: str, retention_class: RetentionClass, content: bytes) -> None:
        with unit_of_work(self.vault.engine) as connection:
            ref = put_evidence(
                self.vault.tools,
                connection,
                subject=self.vault.subject(),
                case_reference=case,
                kind=EvidenceKind.PORTRAIT,
                purpose=Purpose.REGISTRATION,
                retention_class=retention_class,
                content=content,
                retention=a_retention_policy(),
                now=NOW,
            )
        self.kept[ref] = content

    @rule(data=st.data())
    def erase_one(self, data: st.DataObject) -> None:
        if not self.kept:
            return
        ref = data.draw(st.sampled_from(sorted(self.kept, key=lambda ref: ref.evidence_id)))
        with erasing(self.vault.tools, self.vault.engine) as connection:
            erase_evidence(
                self.vault.tools, connection, ref.evidence_id, why="holder_asked", actor="STF-1", now=NOW
            )
        self._gone(lambda other: other.data_key_id == ref.data_key_id)

    @rule(retention_class=CLASSES)
    def erase_all_of(self, retention_class: RetentionClass) -> None:
        with erasing(self.vault.tools, self.vault.engine) as connection:
            erase_class(
                self.vault.tools,
                connection,
                subject=self.vault.subject(),
                retention_class=retention_class,
                why="holder_asked",
                actor="STF-1",
                now=NOW,
            )
        self._gone(lambda other: other.retention_class is retention_class)

    @rule(case=CASES)
    def end_service(self, case: str) -> None:
        events = RetentionEvents(service_ended_at=NOW)
        with unit_of_work(self.vault.engine) as connection:
            start_retention_clocks(
                connection, case_reference=case, retention=a_retention_policy(), events=events
            )
        self.ended |= {ref.data_key_id for ref in self.kept if ref.case_reference == case}

    @rule(now=st.sampled_from([NOW, TWO_YEARS]))
    def erase_what_is_due(self, now: datetime) -> None:
        erase_due(self.vault.tools, self.vault.engine, now=now)
        if now == TWO_YEARS:
            self._gone(lambda other: other.data_key_id in self.ended)

    @rule()
    def rotate(self) -> None:
        add_key_encryption_key(self.vault.settings, self.vault.keys)
        rotate_keks(self.vault.tools, self.vault.engine, clock=lambda: NOW)

    @invariant()
    def what_is_kept_is_readable_and_what_is_erased_is_not(self) -> None:
        request = AccessRequest("STF-1", Purpose.DISPUTE, "DSP-1")
        with unit_of_work(self.vault.engine) as connection:
            for ref in (*self.kept, *self.erased):
                found = read_evidence(self.vault.tools, connection, ref.evidence_id, request, now=NOW)
                clear = found.content if isinstance(found, EvidenceContent) else None
                assert clear == self.kept.get(ref)

    @invariant()
    def receipts_and_tombstones_name_exactly_the_destroyed_keys(self) -> None:
        with reading(self.vault.engine) as connection:
            receipts = list_deletion_receipts(connection, subject=self.vault.subject())
        destroyed = sorted({ref.data_key_id for ref in self.erased})
        assert sorted(receipt["data_key"] for receipt in receipts) == destroyed
        assert sorted(self.vault.tools.tombstones.read()) == destroyed
        named = {piece["id"] for receipt in receipts for piece in receipt["evidence"]}
        assert named == {ref.evidence_id for ref in self.erased}
        assert not any(self.vault.tools.objects.exists(ref.evidence_id) for ref in self.erased)

    def _gone(self, is_gone: Callable[[EvidenceRef], bool]) -> None:
        gone = {ref for ref in self.kept if is_gone(ref)}
        self.erased |= gone
        for ref in gone:
            del self.kept[ref]


TestVault = VaultMachine.TestCase
TestVault.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
