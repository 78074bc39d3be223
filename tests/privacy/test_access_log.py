from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.privacy.model import AccessRequest, EvidenceContent, Purpose
from shiming.privacy.rules.access import Access
from shiming.privacy.rules.case_reference import parse_case_reference
from shiming.privacy.store.access_log import access_log
from shiming.privacy.use_cases.access_log import find_metadata, forget_accesses, list_accesses, look
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import a_retention_policy
from tests.privacy.disclosure_builders import NOW
from tests.privacy.disclosure_desk import OPERATOR, OTHER_NUMBER, Desk, a_desk

REQUEST = AccessRequest("ACC-A", Purpose.DISPUTE, "DSP-2026-0001")


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    with a_desk(tmp_path, database_url) as found:
        yield found


def seen(desk: Desk, **options: object) -> tuple[Access, ...]:
    with reading(desk.vault.engine) as connection:
        return list_accesses(
            connection,
            desk.vault.subject(),
            NOW + timedelta(days=1),
            **options,  # type: ignore[arg-type] # by name
        )


def look_at(desk: Desk, evidence_id: str, *, seconds: int = 0, request: AccessRequest = REQUEST) -> object:
    with unit_of_work(desk.vault.engine) as connection:
        return look(desk.vault.tools, connection, evidence_id, request, now=NOW + timedelta(seconds=seconds))


def test_the_person_sees_who_looked_when_why_and_in_which_case(desk: Desk) -> None:
    ref = desk.put()
    assert isinstance(look_at(desk, ref.evidence_id), EvidenceContent)
    [access] = seen(desk)
    assert (access.actor, access.at, access.purpose, access.case_reference) == (
        "ACC-A",
        NOW,
        Purpose.DISPUTE,
        "DSP-2026-0001",
    )
    assert (access.evidence_id, access.evidence_kind, access.what.value) == (
        ref.evidence_id,
        ref.kind,
        "read",
    )
    assert (access.operator, access.recipient, access.disclosure_id) == (OPERATOR, None, None)


def test_another_person_sees_nothing_of_it(desk: Desk) -> None:
    look_at(desk, desk.put(number=OTHER_NUMBER).evidence_id)
    assert seen(desk) == ()


def test_a_look_that_does_not_happen_leaves_no_row(desk: Desk) -> None:
    ref = desk.put()
    for request in (
        AccessRequest("", Purpose.DISPUTE, "DSP-2026-0001"),
        AccessRequest("ACC-A", Purpose.DISPUTE, "11010519491231002X"),
        AccessRequest("ACC-A", Purpose.DISPUTE, "张三的案子"),
    ):
        with pytest.raises(BadInput):
            look_at(desk, ref.evidence_id, request=request)
    desk.erase(ref.evidence_id)
    look_at(desk, ref.evidence_id)
    look_at(desk, "EVD-0")
    assert seen(desk) == ()


def test_no_row_means_no_look(desk: Desk) -> None:
    """The row, the leaf and the look are one transaction: what fails later takes all three back."""
    ref = desk.put()

    def fail_after_looking() -> None:
        with unit_of_work(desk.vault.engine) as connection:
            look(desk.vault.tools, connection, ref.evidence_id, REQUEST, now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_looking()
    assert seen(desk) == ()


def test_pages_cover_everything_once_newest_first(desk: Desk) -> None:
    ref = desk.put()
    for seconds in (0, 0, 0, 1, 2, 2):
        look_at(desk, ref.evidence_id, seconds=seconds)
    found: list[Access] = []
    page = seen(desk, limit=2)
    while page:
        found += page
        page = seen(desk, limit=2, after=(page[-1].at, page[-1].access_id))
    assert len({access.access_id for access in found}) == len(found) == 6
    assert [access.at for access in found] == sorted((access.at for access in found), reverse=True)
    assert seen(desk, operator="cn-other") == ()
    assert len(seen(desk, operator=OPERATOR)) == 6


def test_who_looked_is_not_rewritten(desk: Desk) -> None:
    look_at(desk, desk.put().evidence_id)
    with pytest.raises(IntegrityError), unit_of_work(desk.vault.engine) as connection:
        connection.execute(access_log.update().values(actor="ACC-B"))


def test_rows_are_forgotten_when_their_retention_has_ended(desk: Desk) -> None:
    ref = desk.put()
    look_at(desk, ref.evidence_id)
    look_at(desk, ref.evidence_id, seconds=86_400 * 10)
    policy = a_retention_policy()  # three years after the look
    for years, forgotten in ((2, 0), (3, 1), (3, 0)):
        with unit_of_work(desk.vault.engine) as connection:
            now = NOW.replace(year=NOW.year + years)
            assert forget_accesses(connection, policy, now) == forgotten
    with unit_of_work(desk.vault.engine) as connection:
        assert forget_accesses(connection, policy, NOW.replace(year=2039)) == 1
        assert forget_accesses(connection, policy, NOW.replace(year=2039)) == 0


def test_metadata_of_another_operator_is_not_found(desk: Desk) -> None:
    ref = desk.put()
    with reading(desk.vault.engine) as connection:
        assert find_metadata(connection, ref.evidence_id) is not None
        assert find_metadata(connection, ref.evidence_id, operator=OPERATOR) is not None
        assert find_metadata(connection, ref.evidence_id, operator="cn-other") is None
        assert find_metadata(connection, "EVD-0") is None


@pytest.mark.parametrize("good", ["DSP-1", "SES-0082-0C20-A1G7-D", "LAW-2026-0001", "a1.b/c_d-e"])
def test_references_of_cases(good: str) -> None:
    assert parse_case_reference(f" {good} ") == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "DSP",
        "13800138000",
        "DSP-13800138000",
        "AB1234567",
        "a b-c",
        "DSP-\x00",
        "x" * 80,
        "电-1",
        "DSP-1\n2",
    ],
)
def test_what_is_no_reference_of_a_case(bad: str) -> None:
    with pytest.raises(BadInput, match="CASE_REFERENCE_FORMAT"):
        parse_case_reference(bad)
