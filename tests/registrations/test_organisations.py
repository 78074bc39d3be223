"""Organisations on both engines: what they bring, who acts for them, suspension, and the command line."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.entrypoints.organisation_codes import read_organisation_code
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import EvidenceKind, LedgerVerified, StagedEvidence
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.commands import enterprise as enterprise_commands
from shiming.registrations.commands import organisations as commands
from shiming.registrations.model.organisations import Organisation, OrganisationState
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.store.organisations import change_organisation
from shiming.registrations.use_cases import organisation_people, organisations
from shiming.registrations.use_cases.organisations import OrganisationFile, OrganisationRefused
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import a_session
from tests.registrations.enterprise_builders import (
    HANDLER,
    OPERATOR,
    ORGANISATION,
    Enterprise,
    a_card,
    a_row,
    a_table,
    an_enterprise,
    publish_terms,
    some_numbers,
    the_policy,
)

NEW_CODE = "9111000071093043X2"
PERSON = "欧阳明月"
SCHEME = "unified_social_credit_code"


@pytest.fixture
def enterprise(tmp_path: Path, database_url: str) -> Iterator[Enterprise]:
    made = an_enterprise(tmp_path, database_url)
    yield made
    made.engine.dispose()


def recorded(enterprise: Enterprise, code: str = NEW_CODE, operator: str = OPERATOR) -> OrganisationFile:
    return transact(
        enterprise.engine,
        lambda connection: organisations.record_organisation(
            enterprise.desk,
            connection,
            operator=operator,
            code=code,
            name="示例商贸有限公司",
            read_code=partial(read_organisation_code, SCHEME),
        ),
    )


def change(
    enterprise: Enterprise, reference: str, verb: Callable[..., Any], *arguments: Any, **more: Any
) -> Any:
    organisation = enterprise.organisation(reference)
    return transact(
        enterprise.engine,
        lambda connection: verb(enterprise.desk, connection, organisation, *arguments, **more),
    )


def staged(enterprise: Enterprise, organisation: Organisation, kind: EvidenceKind) -> StagedEvidence:
    return stage_evidence(
        enterprise.tools.privacy,
        enterprise.engine,
        organisations.paper_of(organisation, kind),
        source=BytesIO(b"\xff\xd8\xff a picture"),
        retention=enterprise.policy.retention,
        now=NOW,
    )


def named_handler(enterprise: Enterprise, reference: str, session: str) -> Any:
    return change(
        enterprise, reference, organisation_people.record_handler, session,
        registration=enterprise.registration_policy,
    )  # fmt: skip


def test_an_organisation_is_complete_when_everything_is_there(enterprise: Enterprise) -> None:
    file = recorded(enterprise)
    reference = file.organisation.organisation_id
    assert file.standing.state is OrganisationState.DRAFT
    assert len(file.standing.missing) == 5
    licence = staged(enterprise, file.organisation, EvidenceKind.DOCUMENT_FRONT)
    change(enterprise, reference, organisations.record_licence, licence)
    change(enterprise, reference, organisation_people.record_legal_representative, PERSON)
    change(enterprise, reference, organisation_people.record_responsible_person, PERSON)
    enterprise.prove("SES-HANDLER2", "p1.second")
    named_handler(enterprise, reference, "SES-HANDLER2")
    paper = staged(enterprise, file.organisation, EvidenceKind.CONTRACT)
    done = change(
        enterprise, reference, organisations.record_power_of_attorney, paper,
        begins=NOW, until=NOW + timedelta(days=30),
    )  # fmt: skip
    assert done.standing.state is done.organisation.state is OrganisationState.COMPLETE
    assert enterprise.organisation(reference) == done.organisation
    assert done.organisation.version == 6
    with reading(enterprise.engine) as connection:
        kept = str(connection.execute(sa.text("SELECT * FROM organisations")).all())
        told = str(connection.execute(sa.text("SELECT leaf FROM ledger_leaves")).all())
    assert PERSON not in kept + told
    assert PERSON.encode() not in enterprise.registration.vault.bytes_on_disk()
    assert isinstance(verify_ledger(enterprise.engine, enterprise.tools.privacy.keys, ()), LedgerVerified)


def test_another_handler_needs_a_new_power_of_attorney(enterprise: Enterprise) -> None:
    enterprise.prove("SES-AGAIN", HANDLER)
    same = named_handler(enterprise, ORGANISATION, "SES-AGAIN")
    assert same.standing.refusals == ()
    enterprise.prove("SES-OTHER", "p1.other")
    other = named_handler(enterprise, ORGANISATION, "SES-OTHER")
    assert [each.code.value for each in other.standing.refusals] == ["POWER_OF_ATTORNEY_MISSING"]
    assert other.organisation.power_of_attorney_until is None


def test_a_handler_is_proven_freshly_or_not_taken(enterprise: Enterprise) -> None:
    late = enterprise.at(NOW + timedelta(days=1))
    enterprise.prove("SES-EARLY", HANDLER)
    refused = named_handler(late, ORGANISATION, "SES-EARLY")
    assert isinstance(refused, OrganisationRefused)
    assert [each.code.value for each in refused.refusals] == ["SESSION_TOO_OLD"]
    refused = named_handler(enterprise, ORGANISATION, "SES-NONE")
    assert [each.code.value for each in refused.refusals] == ["SESSION_UNKNOWN"]
    session = replace(a_session("SES-ELSEWHERE", subject="p1.x"), operator="cn-unicom")
    enterprise.sessions.add(session)
    refused = named_handler(enterprise, ORGANISATION, "SES-ELSEWHERE")
    assert [each.code.value for each in refused.refusals] == ["SESSION_OF_OTHER_OPERATOR"]


def test_a_paper_that_does_not_entitle_is_not_taken(enterprise: Enterprise) -> None:
    paper = staged(enterprise, enterprise.organisation(), EvidenceKind.CONTRACT)
    done = change(
        enterprise, ORGANISATION, organisations.record_power_of_attorney, paper,
        begins=NOW - timedelta(days=500), until=NOW,
    )  # fmt: skip
    assert isinstance(done, OrganisationRefused)
    assert [each.code.value for each in done.refusals] == [
        "POWER_OF_ATTORNEY_EXPIRED", "POWER_OF_ATTORNEY_TOO_LONG",
    ]  # fmt: skip


def test_suspension_and_closing_stay_until_they_are_lifted(enterprise: Enterprise) -> None:
    suspended = change(enterprise, ORGANISATION, organisations.suspend_organisation, why="resale_report")
    assert suspended.organisation.state is OrganisationState.SUSPENDED
    again = change(enterprise, ORGANISATION, organisations.suspend_organisation, why="other")
    assert again.organisation.suspended_why == "resale_report"
    still = change(enterprise, ORGANISATION, organisation_people.record_responsible_person, PERSON)
    assert still.organisation.state is OrganisationState.SUSPENDED
    resumed = change(enterprise, ORGANISATION, organisations.resume_organisation)
    assert resumed.organisation.state is OrganisationState.COMPLETE
    assert change(enterprise, ORGANISATION, organisations.resume_organisation) == resumed
    closed = change(enterprise, ORGANISATION, organisations.close_organisation)
    assert closed.organisation.state is OrganisationState.CLOSED
    assert change(enterprise, ORGANISATION, organisations.close_organisation) == closed
    assert change(enterprise, ORGANISATION, organisations.suspend_organisation, why="x") == closed
    assert recorded(enterprise, "91110000600037341L").organisation.organisation_id != ORGANISATION


def test_an_organisation_is_a_customer_once_whoever_is_faster(enterprise: Enterprise) -> None:
    def record() -> str | None:
        try:
            return recorded(enterprise).organisation.organisation_id
        except BadInput as problem:
            return None if problem.code == "ORGANISATION_EXISTS" else problem.code

    with ThreadPoolExecutor(4) as crew:
        made = [each for each in crew.map(lambda _: record(), range(4)) if each]
    assert len(made) == 1
    assert recorded(enterprise, operator="cn-unicom").organisation.organisation_id not in made


def test_who_was_slower_changes_nothing(enterprise: Enterprise) -> None:
    seen = enterprise.organisation()
    change(enterprise, ORGANISATION, organisation_people.record_responsible_person, PERSON)
    with pytest.raises(BadInput, match="VERSION_CHANGED"):
        transact(
            enterprise.engine,
            lambda connection: organisation_people.record_responsible_person(
                enterprise.desk, connection, seen, PERSON
            ),
        )


@pytest.mark.parametrize(
    ("code", "problem"), [("91110000600037341A", "CREDIT_CODE_CHECK_CHARACTER"), ("1", "CREDIT_CODE_LENGTH")]
)
def test_a_wrong_code_is_refused(tmp_path: Path, code: str, problem: str) -> None:
    enterprise = an_enterprise(tmp_path)
    with pytest.raises(BadInput, match=problem):
        recorded(enterprise, code)
    for name in ("", " ", "x" * 300):
        with pytest.raises(BadInput, match="PERSON_NAME"):
            change(enterprise, ORGANISATION, organisation_people.record_legal_representative, name)
    enterprise.engine.dispose()


def test_codes_are_read_by_the_scheme_that_the_pack_names() -> None:
    scheme = the_policy().enterprise.code_scheme
    assert scheme is not None
    assert scheme.value == SCHEME
    assert read_organisation_code(SCHEME, "9111 0000 6000 37341l") == "91110000600037341L"
    assert read_organisation_code(None, " ab 12 ") == "AB12"
    with pytest.raises(BadInput, match="CODE_SCHEME_UNKNOWN"):
        read_organisation_code("runes", "1")
    for text in ("", "x" * 41, "\x00"):
        with pytest.raises(BadInput, match="ORGANISATION_CODE_FORMAT"):
            read_organisation_code(None, text)


# -- the command line --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Platform:
    engine: Engine
    clock: FixedClock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    rules: Policy
    language: str = "en"
    default_pack: str = "cn"

    def today(self) -> date:
        return NOW.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", NOW.date())
        return self.rules

    def read_organisation_code(self, code: str) -> str:
        return read_organisation_code(SCHEME, code)


root = typer.Typer()
root.add_typer(commands.app, name="organisations")
root.add_typer(enterprise_commands.app, name="enterprise")


def run(enterprise: Enterprise, *arguments: str) -> Result:
    platform = Platform(
        enterprise.engine,
        FixedClock(enterprise.now),
        enterprise.tools,
        enterprise.registration_policy,
        enterprise.policy,
    )
    return CliRunner().invoke(root, arguments, obj=lambda: platform)


def said(result: Result, exit_code: int = 0) -> dict[str, Any]:
    assert result.exit_code == exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_clerk_records_an_organisation_and_its_lines(tmp_path: Path) -> None:
    enterprise = an_enterprise(tmp_path)
    shown = said(
        run(enterprise, "organisations", "record", "--operator", OPERATOR, "--code", NEW_CODE,
            "--name", "示例商贸有限公司", "--json")
    )  # fmt: skip
    reference = shown["id"]
    assert shown["missing"][0]["code"] == "LICENCE_MISSING"
    assert run(enterprise, "organisations", "show", reference).exit_code == 1
    picture = tmp_path / "licence.jpg"
    picture.write_bytes(b"\xff\xd8\xff a picture")
    enterprise.prove("SES-HANDLER2", "p1.second")
    begins, until = NOW.isoformat(), (NOW + timedelta(days=30)).isoformat()
    for arguments in (
        ("licence", reference, str(picture)),
        ("legal-representative", reference, "--name", PERSON),
        ("handler", reference, "--session", "SES-HANDLER2"),
        ("power-of-attorney", reference, str(picture), "--begins", begins, "--until", until),
        ("responsible-person", reference, "--name", PERSON),
        ("responsible-person", reference, "--session", "SES-HANDLER2"),
    ):
        done = run(enterprise, "organisations", *arguments)
        assert done.exit_code == 0, done.output
        assert PERSON not in done.output
    assert said(run(enterprise, "organisations", "show", reference, "--json"))["state"] == "complete"
    listed = said(run(enterprise, "organisations", "list", "--operator", OPERATOR, "--json"))
    assert {each["id"] for each in listed["organisations"]} == {reference, ORGANISATION}
    contract = said(run(enterprise, "enterprise", "contract", reference, "--lines", "2", "--json"))["id"]
    assert contract.startswith("ENT-")
    enterprise.confirm(2, contract=contract)
    numbers = list(some_numbers(3))
    table = tmp_path / "lines.csv"
    table.write_bytes(a_table([a_row(number, at, iccid=a_card(at)) for at, number in enumerate(numbers)]))
    report = said(run(enterprise, "enterprise", "import", contract, str(table), "--json"), exit_code=1)
    assert (report["entered"], report["refused"]) == (2, 1)
    both = run(enterprise, "organisations", "responsible-person", reference, "--name", "x", "--session", "y")
    assert isinstance(both.exception, BadInput)
    early = run(enterprise, "enterprise", "links", contract, "--json")
    assert said(early, exit_code=1)["reasons"][0]["code"] == "TERMS_NOT_ACCEPTED"
    publish_terms(enterprise, "2026-01", NOW.date())
    agreed = said(run(enterprise, "enterprise", "terms", contract, "--version", "2026-01", "--json"))
    assert agreed == {"id": contract, "terms": "2026-01"}
    links = said(run(enterprise, "enterprise", "links", contract, "--json"))["links"]
    assert len(links) == 2
    sent = said(run(enterprise, "enterprise", "sent", contract, "--json"))["links"]
    assert [(each["user"], each["notice"]) for each in sent] == [(each["user"], None) for each in links]
    assert said(run(enterprise, "enterprise", "sent", contract, "--not-arrived", "--json")) == {"links": []}
    assert run(enterprise, "enterprise", "sent", contract).stdout.count("staff-") == 2
    lines = said(run(enterprise, "enterprise", "lines", contract, "--state", "awaiting", "--json"))["lines"]
    assert [line["number"] for line in lines] == numbers[:2]
    refused = run(enterprise, "enterprise", "left", contract, numbers[0], "--json")
    assert said(refused, exit_code=1)["reasons"][0]["code"] == "LINE_WITHOUT_USER"
    assert run(enterprise, "enterprise", "return", contract, numbers[0]).exit_code == 0
    assert said(run(enterprise, "enterprise", "uses", contract, numbers[1], "--json")) == {"uses": []}
    for command, code in (("suspend", 0), ("resume", 0), ("close", 0), ("show", 1)):
        more = ("--why", "resale_report") if command == "suspend" else ()
        assert run(enterprise, "organisations", command, reference, *more).exit_code == code
    enterprise.engine.dispose()


def test_a_user_is_recorded_at_the_counter(tmp_path: Path) -> None:
    enterprise = an_enterprise(tmp_path)
    (number,) = enterprise.entered(1)
    enterprise.prove("SES-USER1", "p1.wang")
    arguments = ("enterprise", "user", enterprise.contract_id, number, "--session", "SES-USER1")
    assert said(run(enterprise, *arguments, "--json"))["position"] == 1
    assert run(enterprise, "enterprise", "left", enterprise.contract_id, number).exit_code == 0
    uses = said(run(enterprise, "enterprise", "uses", enterprise.contract_id, number, "--json"))["uses"]
    assert [use["user"] for use in uses] == ["staff-0000"]
    enterprise.engine.dispose()


def test_the_version_is_what_the_table_says(enterprise: Enterprise) -> None:
    version = enterprise.organisation().version
    with enterprise.engine.begin() as connection:
        assert not change_organisation(connection, ORGANISATION, version + 1, name="x")
        assert change_organisation(connection, ORGANISATION, version, name="x")
    assert enterprise.organisation().version == version + 1
