"""Terms of service: what may be published, what stands, what an acceptance has to name."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.canonical_json import content_hash
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.terms import (
    TRANSFER_CLAUSE,
    AcceptTerms,
    ClauseChange,
    PublishedTerms,
    Terms,
    TermsAccepted,
    TermsPublished,
)
from shiming.registrations.model.terms_document import TermsDocument
from shiming.registrations.rules.terms import (
    changes_between,
    decide_acceptance,
    decide_publishing,
    terms_in_force,
)
from shiming.registrations.store.terms import find_terms, list_terms, terms_versions
from shiming.registrations.use_cases.terms import compare_terms, find_terms_in_force
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    TODAY,
    ContractDesk,
    a_contract_desk,
    a_contract_policy,
    an_order,
    codes_of,
    some_terms,
)

TOMORROW = TODAY + timedelta(days=1)
POLICY = a_contract_policy()


def publish(terms: Terms) -> PublishedTerms:
    return PublishedTerms(terms, content_hash(terms.content()), NOW)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ContractDesk]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.add(an_order())
    yield desk
    desk.desk.engine.dispose()


@pytest.mark.parametrize(
    ("terms", "published", "codes"),
    [
        (some_terms(), [], []),
        (some_terms("2026-02", TOMORROW), [some_terms()], []),
        (some_terms(transfer_and_resale=""), [], ["TRANSFER_CLAUSE_MISSING"]),
        (some_terms(effective_from=TODAY - timedelta(days=1)), [], ["TERMS_EFFECTIVE_IN_PAST"]),
        (some_terms("2026-01", TOMORROW), [some_terms()], ["TERMS_VERSION_PUBLISHED"]),
        (some_terms("2026-02"), [some_terms()], ["TERMS_DATE_TAKEN"]),
        (
            some_terms("2026-01", date(2020, 1, 1), transfer_and_resale=""),
            [some_terms()],
            ["TRANSFER_CLAUSE_MISSING", "TERMS_VERSION_PUBLISHED", "TERMS_EFFECTIVE_IN_PAST"],
        ),
    ],
)
def test_what_may_be_published(terms: Terms, published: list[Terms], codes: list[str]) -> None:
    found = decide_publishing(terms, map(publish, published), POLICY, today=TODAY)
    assert [each.code.value for each in found] == codes
    assert {each.citation for each in found} <= {POLICY.transfer_clause_required.citation}


def test_where_no_clause_is_required_none_is_missed() -> None:
    required = POLICY.transfer_clause_required.model_copy(update={"value": False})
    policy = POLICY.model_copy(update={"transfer_clause_required": required})
    assert decide_publishing(some_terms(transfer_and_resale=""), (), policy, today=TODAY) == ()


@given(st.lists(st.dates(date(2025, 1, 1), date(2027, 1, 1)), unique=True), st.dates(date(2025, 1, 1)))
def test_in_force_is_the_one_that_took_effect_last_and_never_a_coming_one(
    days: list[date], today: date
) -> None:
    versions = [publish(some_terms(f"v-{index}", day)) for index, day in enumerate(days)]
    current = terms_in_force(versions, today=today)
    past = [day for day in days if day <= today]
    assert (current and current.terms.effective_from) == (max(past) if past else None)


@pytest.mark.parametrize(
    ("wanted", "named", "current", "completed", "codes"),
    [
        ("same", "2026-01", "2026-01", False, []),
        ("same", "2026-01", "2026-01", True, ["ORDER_COMPLETED"]),
        ("same", "2026-01", "2026-02", False, ["TERMS_VERSION_NOT_CURRENT"]),
        ("other", "2026-01", "2026-01", False, ["TERMS_CONTENT_DIFFERS"]),
        ("other", "2026-01", "2026-02", False, ["TERMS_VERSION_NOT_CURRENT", "TERMS_CONTENT_DIFFERS"]),
        ("same", None, "2026-01", False, ["TERMS_VERSION_UNKNOWN"]),
        ("same", None, None, True, ["ORDER_COMPLETED", "TERMS_NOT_PUBLISHED", "TERMS_VERSION_UNKNOWN"]),
    ],
)
def test_what_an_acceptance_has_to_name(
    wanted: str, named: str | None, current: str | None, *, completed: bool, codes: list[str]
) -> None:
    shown = named and publish(some_terms(named))
    hashed = shown.content_hash if shown and wanted == "same" else "sha256:" + "0" * 64
    found = decide_acceptance(
        AcceptTerms(SESSION, named or "2026-09", hashed, "zh"),
        shown or None,
        publish(some_terms(current)) if current else None,
        POLICY,
        completed=completed,
    )
    assert [each.code.value for each in found] == codes


@given(st.dictionaries(st.sampled_from("abcdef"), st.text(min_size=1)))
def test_changes_are_empty_exactly_between_the_same_clauses(more: dict[str, str]) -> None:
    before, after = some_terms(), some_terms("2026-01", TODAY, **more)
    changes = changes_between(before, after)
    assert {change.name for change in changes} == set(more)
    assert changes_between(after, after) == ()
    undone = changes_between(after, before)
    assert {(each.name, each.before, each.after) for each in changes} == {
        (each.name, each.after, each.before) for each in undone
    }


def test_published_terms_stand_and_the_same_again_is_the_same_act(desk: ContractDesk) -> None:
    first = desk.publish(some_terms())
    assert isinstance(first, TermsPublished)
    assert not first.repeated
    assert desk.publish(some_terms()) == TermsPublished(first.published, repeated=True)
    assert codes_of(desk.publish(some_terms(scope="other"))) == [
        "TERMS_VERSION_PUBLISHED",
    ]
    newer = desk.published(some_terms("2026-02", TOMORROW, fees="None."))
    with reading(desk.desk.engine) as connection:
        assert find_terms(connection, OPERATOR, "2026-01") == first.published
        assert list_terms(connection, OPERATOR) == (newer, first.published)
        assert list_terms(connection, OPERATOR, before=TOMORROW) == (first.published,)
        assert list_terms(connection, "cn-two") == ()
        assert find_terms_in_force(connection, OPERATOR, TODAY) == first.published
        assert find_terms_in_force(connection, OPERATOR, TOMORROW) == newer
        assert find_terms_in_force(connection, OPERATOR, date(2020, 1, 1)) is None
        fees = ClauseChange("fees", None, Text(zh="条款 fees", en="None."))
        assert compare_terms(connection, OPERATOR, "2026-01", "2026-02") == (fees,)
        assert compare_terms(connection, OPERATOR, "2026-01", "2026-09") is None


@pytest.mark.parametrize(
    "change",
    [sa.update(terms_versions).values(content="{}"), sa.delete(terms_versions)],
    ids=["edit", "drop"],
)
def test_the_database_itself_refuses_to_change_published_terms(
    desk: ContractDesk, change: sa.Executable
) -> None:
    published = desk.published(some_terms())
    with pytest.raises((IntegrityError, Unavailable)), unit_of_work(desk.desk.engine) as connection:
        connection.execute(change)
    with reading(desk.desk.engine) as connection:
        assert find_terms(connection, OPERATOR, "2026-01") == published


def test_an_acceptance_is_kept_told_and_repeated_as_one(desk: ContractDesk) -> None:
    published = desk.published(some_terms())
    accepted = desk.accept(published)
    assert isinstance(accepted, TermsAccepted)
    assert desk.order().terms == accepted.acceptance
    assert accepted.acceptance.channel == desk.order().channel
    again = desk.accept(published)
    assert again == TermsAccepted(accepted.acceptance, repeated=True)
    assert events(desk.desk.engine) == ["terms.accepted", "terms.published"]
    in_english = desk.accept(published, language="en")
    assert isinstance(in_english, TermsAccepted)
    assert desk.order().terms == in_english.acceptance
    assert events(desk.desk.engine) == ["terms.accepted", "terms.accepted", "terms.published"]
    assert isinstance(verify_ledger(desk.desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_an_older_version_a_coming_one_and_another_text_are_refused(desk: ContractDesk) -> None:
    old, new = desk.published(some_terms()), desk.published(some_terms("2026-02", TOMORROW))
    assert codes_of(desk.accept(new)) == ["TERMS_VERSION_NOT_CURRENT"]
    assert codes_of(desk.accept(old, today=TOMORROW)) == ["TERMS_VERSION_NOT_CURRENT"]
    assert codes_of(desk.accept(old, content_hash=new.content_hash)) == ["TERMS_CONTENT_DIFFERS"]
    assert codes_of(desk.accept(old, version="2025-12")) == ["TERMS_VERSION_UNKNOWN"]
    assert desk.order().terms is None


def test_nothing_is_accepted_for_no_order_or_a_completed_one(desk: ContractDesk) -> None:
    published = desk.published(some_terms())
    with pytest.raises(BadInput, match="ORDER_UNKNOWN"):
        desk.accept(published, session_id="SES-9")
    desk.desk.sessions.add(a_session(SESSION))
    desk.desk.register(SESSION, a_number(), operator=OPERATOR)
    assert codes_of(desk.accept(published)) == ["ORDER_COMPLETED"]


def test_the_hash_covers_every_word_and_the_order() -> None:
    terms = some_terms()
    turned = Terms(terms.operator, terms.version, TODAY, terms.title, terms.clauses[::-1])
    others = [some_terms("2026-02"), some_terms(effective_from=TOMORROW), some_terms(scope="x"), turned]
    hashes = {content_hash(each.content()) for each in (terms, *others)}
    assert len(hashes) == 5


def test_a_document_is_read_whole_or_every_place_is_named() -> None:
    said = {"zh": "文", "en": "text"}
    document = {
        "operator": OPERATOR,
        "version": "2026-01",
        "effective_from": TODAY,
        "title": said,
        "clauses": [{"name": TRANSFER_CLAUSE, **said}],
    }
    terms = TermsDocument.read(document).terms()
    assert terms.clause(TRANSFER_CLAUSE)
    wrong = {**document, "version": "20260101", "clauses": [{"name": "Scope", "zh": " "}], "more": 1}
    with pytest.raises(BadInput) as refused:
        TermsDocument.read(wrong)
    assert refused.value.code == "TERMS_DOCUMENT_INVALID"
    places = set(refused.value.details["places"])
    assert {"version", "clauses.0.name", "clauses.0.zh", "clauses.0.en", "more"} <= places
    twice = {**document, "clauses": [{"name": "scope", **said}] * 2}
    with pytest.raises(BadInput, match="TERMS_DOCUMENT_INVALID"):
        TermsDocument.read(twice)


def events(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return sorted(connection.execute(sa.select(outbox.c.type)).scalars())
