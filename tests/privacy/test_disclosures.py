import json
import threading
from collections.abc import Iterator
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.privacy.model import EvidenceKind, Purpose
from shiming.privacy.rules.access import AccessKind
from shiming.privacy.rules.disclosure import Disclosure, DisclosureObstacle, DisclosureState
from shiming.privacy.store.disclosures import disclosure_approvals, disclosures
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases.access_log import list_accesses
from shiming.privacy.use_cases.disclosure_execution import Disclosed
from shiming.privacy.use_cases.disclosure_record import hash_of_request
from shiming.privacy.use_cases.disclosures import (
    DisclosureUnknown,
    find_disclosure,
    list_disclosures,
    record_expired,
)
from shiming.vocabulary.errors import BadInput
from tests.privacy.disclosure_builders import ASKER, ASKER_AGAIN, FIRST, NOW, SECOND, THIRD
from tests.privacy.disclosure_desk import IDENTITY, NUMBER, OPERATOR, OTHER_NUMBER, Desk, a_desk, a_picture

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    with a_desk(tmp_path, database_url) as found:
        yield found


def leaves(desk: Desk) -> list[dict[str, object]]:
    with reading(desk.vault.engine) as connection:
        rows = connection.execute(sa.select(ledger_leaves.c.leaf)).scalars()
        return sorted((json.loads(leaf) for leaf in rows), key=lambda leaf: (leaf["lane"], leaf["sequence"]))


def events(desk: Desk) -> list[str]:
    with reading(desk.vault.engine) as connection:
        return sorted(
            row.type for row in connection.execute(outbox.select()) if row.type.startswith("disclosure")
        )


def accesses(desk: Desk, at_hour: float = 2.0) -> list[tuple[str, str, str | None]]:
    with reading(desk.vault.engine) as connection:
        found = list_accesses(connection, desk.vault.subject(), NOW + at_hour * HOUR)
    return [(access.what.value, access.actor, access.recipient) for access in found]


def test_a_disclosure_from_asking_to_the_copies(desk: Desk) -> None:
    front, clip, identity = (
        desk.put(),
        desk.put(b"\0\0\0\x20ftypisom and more", kind=EvidenceKind.CLIP),
        desk.put_identity(),
    )
    desk.put(kind=EvidenceKind.PORTRAIT)  # of the same person, and not asked for
    disclosure_id = desk.asked(identity, front, clip)
    assert desk.execute(disclosure_id) is DisclosureObstacle.NOT_APPROVED
    first = desk.approve(disclosure_id, by=FIRST)
    assert isinstance(first, Disclosure)
    assert first.state(NOW) is DisclosureState.REQUESTED
    assert desk.execute(disclosure_id) is DisclosureObstacle.NOT_APPROVED
    assert isinstance(desk.approve(disclosure_id, by=SECOND), Disclosure)
    found = desk.execute(disclosure_id)
    assert isinstance(found, Disclosed)
    assert [copy.ref.evidence_id for copy in found.copies] == [
        ref.evidence_id for ref in (identity, front, clip)
    ]
    assert [(copy.media_type, copy.marked) for copy in found.copies] == [
        ("application/json", False),
        ("image/jpeg", True),
        ("video/mp4", False),
    ]
    assert json.loads(found.copies[0].content)["name"] == IDENTITY.name
    assert found.copies[1].content != a_picture()
    assert desk.execute(disclosure_id) is DisclosureObstacle.ALREADY_EXECUTED
    assert accesses(desk) == [("disclosed", "ACC-A", "北京市公安局朝阳分局")] * 3
    kinds = [str(leaf["kind"]) for leaf in leaves(desk) if "stored" not in str(leaf["kind"])]
    assert kinds.count("evidence.read") == 3
    assert [kind for kind in kinds if kind.startswith("disclosure")] == [
        "disclosure.requested",
        "disclosure.approved",
        "disclosure.approved",
        "disclosure.executed",
    ]
    assert events(desk) == [
        "disclosure.approved",
        "disclosure.approved",
        "disclosure.executed",
        "disclosure.requested",
    ]


def test_nothing_of_the_person_shows_in_print(desk: Desk) -> None:
    found = desk.execute(desk.approved(desk.put_identity()))
    assert isinstance(found, Disclosed)
    assert not any(clear in repr(found) for clear in (IDENTITY.name, IDENTITY.number, "person-A"))


def test_the_ledger_knows_what_was_asked_for_by_its_hash(desk: Desk) -> None:
    east = timezone(timedelta(hours=8))
    until = (NOW + timedelta(days=30)).astimezone(east)
    disclosure_id = desk.asked(desk.put(), deferred_until=until)
    [asked] = [leaf for leaf in leaves(desk) if leaf["kind"] == "disclosure.requested"]
    facts = asked["facts"]
    assert isinstance(facts, dict)
    with reading(desk.vault.engine) as connection:
        stored = find_disclosure(connection, disclosure_id)
    assert stored is not None
    assert stored.request.deferred_until == until
    assert facts["request_sha256"] == hash_of_request(stored)
    assert asked["operator"] == OPERATOR
    assert "朝阳" not in json.dumps(leaves(desk), ensure_ascii=False)


@pytest.mark.parametrize("by", [ASKER, ASKER_AGAIN])
def test_four_eyes_are_two_people_on_the_database_too(desk: Desk, by: object) -> None:
    disclosure_id = desk.asked(desk.put())
    assert desk.approve(disclosure_id, by=by) is DisclosureObstacle.SAME_PERSON  # type: ignore[arg-type]
    assert isinstance(desk.approve(disclosure_id, by=FIRST), Disclosure)
    assert desk.approve(disclosure_id, by=FIRST) is DisclosureObstacle.SAME_PERSON
    with pytest.raises(IntegrityError), unit_of_work(desk.vault.engine) as connection:
        connection.execute(
            disclosure_approvals.insert().values(
                disclosure_id=disclosure_id,
                person_key=FIRST.person_key,
                account="ACC-ELSE",
                approved_at=NOW,
            )
        )


def test_what_has_ended_is_not_rewritten(desk: Desk) -> None:
    disclosure_id = desk.approved(desk.put())
    desk.execute(disclosure_id)
    for change in (disclosures.update().values(recipient="elsewhere"), disclosures.delete()):
        with pytest.raises(IntegrityError), unit_of_work(desk.vault.engine) as connection:
            connection.execute(change)


def test_a_refusal_ends_it(desk: Desk) -> None:
    disclosure_id = desk.approved(desk.put())
    refused = desk.refuse(disclosure_id, by=THIRD)
    assert isinstance(refused, Disclosure)
    assert refused.refused_why == "证据不足"
    assert desk.execute(disclosure_id) is DisclosureObstacle.NOT_OPEN
    assert desk.approve(disclosure_id, by=THIRD) is DisclosureObstacle.NOT_OPEN
    assert events(desk).count("disclosure.refused") == 1
    assert accesses(desk) == []


def test_deadlines(desk: Desk) -> None:
    disclosure_id, late = desk.asked(desk.put()), NOW + 72 * HOUR
    assert desk.approve(disclosure_id, by=FIRST, now=late) is DisclosureObstacle.EXPIRED
    ready = desk.approved(desk.put())
    assert desk.execute(ready, now=NOW + 24 * HOUR) is DisclosureObstacle.EXPIRED
    with unit_of_work(desk.vault.engine) as connection:
        assert record_expired(desk.vault.tools, connection, now=NOW + 23 * HOUR) == ()
        assert record_expired(desk.vault.tools, connection, now=NOW + 24 * HOUR) == (ready,)
        assert record_expired(desk.vault.tools, connection, now=late) == (disclosure_id,)
        assert record_expired(desk.vault.tools, connection, now=late) == ()
    assert events(desk).count("disclosure.expired") == 2
    assert desk.approve(disclosure_id, by=FIRST) is DisclosureObstacle.EXPIRED  # a clock that goes back


def test_one_person_and_one_operator_only(desk: Desk) -> None:
    mine, other = desk.put(), desk.put(number=OTHER_NUMBER)
    foreign = desk.put(operator="cn-other")
    for listed in ((mine, other), (other,), (mine, foreign)):
        assert desk.ask(desk.wanted(*listed)) is DisclosureObstacle.NOT_OF_THE_SUBJECT
    disclosure_id = desk.approved(mine)
    assert desk.approve(disclosure_id, by=THIRD, operator="cn-other") == DisclosureUnknown(disclosure_id)
    assert desk.execute(disclosure_id, operator="cn-other") == DisclosureUnknown(disclosure_id)
    assert desk.execute("DSC-0") == DisclosureUnknown("DSC-0")
    assert isinstance(desk.execute(disclosure_id, operator=OPERATOR), Disclosed)


def test_a_deferred_disclosure_appears_on_its_day(desk: Desk) -> None:
    until = NOW + timedelta(days=30)
    desk.execute(desk.approved(desk.put(), deferred_until=until))
    assert accesses(desk, 30 * 24 - 0.01) == []
    assert [what for what, _, _ in accesses(desk, 30 * 24)] == ["disclosed"]
    assert desk.ask(desk.wanted(desk.put(), deferred_until=NOW + timedelta(days=181))) is (
        DisclosureObstacle.DEFERRAL_OUT_OF_BOUNDS
    )


def test_what_was_erased_meanwhile_is_not_disclosed_and_nothing_else_either(desk: Desk) -> None:
    picture, portrait = desk.put(), desk.put(kind=EvidenceKind.PORTRAIT)
    disclosure_id = desk.approved(picture, portrait)
    desk.erase(portrait.evidence_id)
    assert desk.execute(disclosure_id) is DisclosureObstacle.EVIDENCE_ERASED
    assert accesses(desk) == []
    assert not [leaf for leaf in leaves(desk) if leaf["kind"] == "evidence.read"]


def test_a_copy_that_cannot_be_made_leaves_everything_as_it_was(desk: Desk) -> None:
    good, corrupt = desk.put(), desk.put(b"\xff\xd8 not a picture at all")
    disclosure_id = desk.approved(good, corrupt)
    with pytest.raises(BadInput, match="EVIDENCE_PICTURE_UNREADABLE"):
        desk.execute(disclosure_id)
    with reading(desk.vault.engine) as connection:
        found = find_disclosure(connection, disclosure_id)
    assert found is not None
    assert found.state(NOW) is DisclosureState.APPROVED
    assert accesses(desk) == []


def test_two_executions_at_once_and_one_wins(desk: Desk) -> None:
    for _round in range(3):
        disclosure_id = desk.approved(desk.put())
        gate, found = threading.Barrier(4), []

        def execute(disclosure_id: str = disclosure_id, gate: threading.Barrier = gate) -> None:
            gate.wait()
            found.append(desk.execute(disclosure_id))  # noqa: B023 - joined within the round

        threads = [threading.Thread(target=execute) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(isinstance(outcome, Disclosed) for outcome in found) == 1
        assert found.count(DisclosureObstacle.ALREADY_EXECUTED) == 3
    assert len(accesses(desk)) == 3
    assert events(desk).count("disclosure.executed") == 3


def test_two_approvals_by_one_human_at_once_count_once(desk: Desk) -> None:
    disclosure_id = desk.asked(desk.put())
    gate, found = threading.Barrier(4), []

    def approve() -> None:
        gate.wait()
        found.append(desk.approve(disclosure_id, by=FIRST))

    threads = [threading.Thread(target=approve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Disclosure) for outcome in found) == 1
    assert desk.execute(disclosure_id) is DisclosureObstacle.NOT_APPROVED


def test_lists_are_newest_first_and_paged(desk: Desk) -> None:
    ref = desk.put()
    ids = {desk.asked(ref) for _ in range(5)}
    with reading(desk.vault.engine) as connection:
        first = list_disclosures(connection, operator=OPERATOR, limit=3)
        last = first[-1]
        rest = list_disclosures(connection, limit=3, after=(last.requested_at, last.disclosure_id))
        assert list_disclosures(connection, operator="cn-other") == ()
        assert len(list_disclosures(connection, subject=desk.vault.subject(NUMBER))) == 5
    assert {found.disclosure_id for found in (*first, *rest)} == ids
    assert len(first) + len(rest) == 5
    assert first[0].requested_at.tzinfo is UTC


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": " "},
        {"recipient": "a\x00b"},
        {"legal_basis": "x" * 201},
        {"case_reference": NUMBER},
        {"case_reference": "案件一"},
    ],
)
def test_words_that_are_none_are_refused(desk: Desk, changes: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        desk.ask(desk.wanted(desk.put(), **changes))


def test_purposes_of_the_pack_only(desk: Desk) -> None:
    asked = desk.ask(desk.wanted(desk.put(), purpose=Purpose.ASSISTED_REVIEW))
    assert asked is DisclosureObstacle.PURPOSE_NOT_ALLOWED
    assert AccessKind.DISCLOSED.value == "disclosed"
