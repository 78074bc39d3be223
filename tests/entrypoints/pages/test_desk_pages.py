"""The pages of the desk over real HTTP: who may see what, what is done and what is refused; no script."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shiming.accounts.model import Role
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.pages.desk.areas import AREAS
from shiming.entrypoints.pages.desk.checkpoint_chain import read_blocks
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.job_queue import dead_letters
from shiming.infrastructure.signed_notes import NoteSignature, NoteSigner, SignedNote, parse_note
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.store.ledger_tree import insert_batch
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.store import reconciling
from shiming.registrations.use_cases import organisations, stops
from shiming.registrations.use_cases.service_orders import order_line
from tests.entrypoints.pages.desk_builders import COMPANIES, ONE, SUBJECT, TWO, DeskWorld, a_number, fill
from tests.infrastructure.http_peers import serving
from tests.registrations.stock_builders import an_iccid, an_imsi

PERSON = {"accept": "text/html", "accept-language": "en"}


@dataclass
class Desk:
    """A served platform with something in every list; one browser a member of staff."""

    world: DeskWorld
    staff: dict[str, SignedIn]
    browsers: dict[str, httpx.Client]

    def get(self, who: str, path: str, **headers: str) -> httpx.Response:
        return self.browsers[who].get(path, headers={**PERSON, **headers})

    def post(self, who: str, path: str, **fields: Any) -> httpx.Response:
        fields["csrf_token"] = self.staff[who].csrf_token
        return self.browsers[who].post(path, data=fields, headers=PERSON)

    def upload(self, who: str, path: str, content: bytes) -> httpx.Response:
        headers = {"x-csrf-token": self.staff[who].csrf_token, **PERSON}
        files = {"table": ("table.csv", content, "text/csv")}
        return self.browsers[who].post(path, files=files, headers=headers)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One installation for all of these tests; none spoils what another one reads."""
    folder = tmp_path_factory.mktemp("desk") / "data"
    folder.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHIMING_PASSKEY_REQUIRED_ROLES", "none")
        platform = Platform(sandbox_settings(folder))
        world = fill(platform)
    staff = {
        "supervisor": world.staff("supervisor", Role.SUPERVISOR),
        "clerk": world.staff("clerk", Role.CLERK),
        "compliance": world.staff("compliance", Role.COMPLIANCE_OFFICER),
        "privacy": world.staff("privacy", Role.PRIVACY_OFFICER),
        "other": world.staff("other", Role.SUPERVISOR, Role.COMPLIANCE_OFFICER, operator=TWO),
        "auditor": world.staff("auditor", Role.AUDITOR, operator=None),
        "administrator": world.staff("administrator", Role.ADMINISTRATOR, operator=None),
        "administrator-one": world.staff("administrator-one", Role.ADMINISTRATOR),
    }
    app = create_app(platform, limits=RateLimits(None, None))
    with ExitStack() as stack:
        address = stack.enter_context(serving(app))
        browsers = {
            name: httpx.Client(
                base_url=address, trust_env=False, timeout=60, cookies={"shiming_session": session.token}
            )
            for name, session in staff.items()
        }
        for browser in browsers.values():
            stack.enter_context(browser)
        yield Desk(world, staff, browsers)
    platform.engine.dispose()


def areas_of(answer: httpx.Response) -> set[str]:
    return set(re.findall(r'<a href="(/desk[^"]*)" data-go=', answer.text))


def leaves(desk: Desk, kind: str) -> int:
    """How many leaves of a kind the ledger has."""
    with reading(desk.world.platform.engine) as connection:
        rows = connection.execute(sa.select(ledger_leaves.c.leaf)).scalars()
        return sum(json.loads(row)["kind"] == kind for row in rows)


@pytest.mark.parametrize(
    "who", ["supervisor", "clerk", "compliance", "privacy", "other", "auditor", "administrator"]
)
def test_what_the_list_of_parts_names_can_be_opened_and_nothing_else(desk: Desk, who: str) -> None:
    shown = areas_of(desk.get(who, "/desk"))
    for area in AREAS:
        answer = desk.get(who, area.path)
        assert answer.status_code == (200 if area.path in shown else 403), (area.path, answer.text[:300])


def test_the_keys_of_the_parts_are_their_own() -> None:
    keys = [area.key for area in AREAS]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[a-z]", key) and key != "g" for key in keys)


def test_an_auditor_reads_the_ledger_and_the_rules_and_nothing_else(desk: Desk) -> None:
    assert areas_of(desk.get("auditor", "/desk")) == {"/desk", "/desk/packs", "/desk/ledger"}


def test_what_waits_is_counted_for_ones_own_operator(desk: Desk) -> None:
    assert "Disputes to decide" in desk.get("compliance", "/desk").text
    assert 'href="/desk/repudiations?state=open">\n    <span' in desk.get("compliance", "/desk").text
    assert "heap-count" not in desk.get("other", "/desk").text


@pytest.mark.parametrize(
    "path",
    [
        "/desk/companies/{company}",
        "/desk/lines/{line}",
        "/desk/registration-reviews/{review}",
        "/desk/repudiations/{dispute}",
        "/desk/transfers/{case}",
    ],
)
def test_what_belongs_to_another_operator_is_not_found(desk: Desk, path: str) -> None:
    world = desk.world
    named = path.format(
        company=world.companies[0],
        line=world.lines[0],
        review=world.review,
        dispute=world.dispute,
        case=world.case,
    )
    assert desk.get("compliance", named).status_code == 200
    assert desk.get("other", named).status_code == 404


def test_a_list_has_the_own_operators_rows_only(desk: Desk) -> None:
    mine, theirs = desk.get("supervisor", "/desk/companies").text, desk.get("other", "/desk/companies").text
    assert COMPANIES[0][1] in mine
    assert COMPANIES[1][1] not in mine
    assert COMPANIES[1][1] in theirs
    assert COMPANIES[0][1] not in theirs


def test_a_table_is_sorted_by_its_headings_and_refreshed_in_part(desk: Desk) -> None:
    whole = desk.get("supervisor", "/desk/numbers?sort=size&order=desc")
    assert re.search(r'aria-sort="descending">\s*<a href="/desk/numbers\?sort=size"', whole.text)
    part = desk.get("supervisor", "/desk/numbers?use=kept", **{"hx-request": "true"}).text
    assert "<html" not in part
    assert "never given out" in part
    assert a_number(50).reveal("test") in part
    assert "8613709999999" not in part


def test_a_csv_is_a_file_with_guarded_cells(desk: Desk) -> None:
    answer = desk.get("supervisor", "/desk/numbers?as=csv&use=given")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="number-blocks.csv"'
    assert "'+8613700000000" in answer.text
    assert not re.search(r"(?m)^\+|,\+", answer.text)
    assert desk.get("clerk", "/desk/numbers?as=csv").text.count("+86") == 0, "a clerk reads no ranges"


# -- companies ------------------------------------------------------------------------------------


def test_a_company_says_what_is_missing(desk: Desk) -> None:
    text = desk.get("supervisor", f"/desk/companies/{desk.world.companies[0]}").text
    assert "There is no image of the licence." in text
    assert "Suspend the company" not in text, "a supervisor may not suspend"


def test_a_company_is_suspended_with_a_reason_and_goes_on(desk: Desk) -> None:
    path = f"/desk/companies/{desk.world.companies[0]}"
    for fields in (
        {"why": "fraud_suspected", "version": "1"},
        {"why": "because", "version": "1", "sure": "true"},
    ):
        answer = desk.post("compliance", f"{path}/suspension", **fields)
        assert answer.status_code == 422
        assert 'class="mistake"' in answer.text
    fields = {"why": "fraud_suspected", "sure": "true"}
    assert desk.post("compliance", f"{path}/suspension", version="99", **fields).status_code == 409
    version = _version(desk.get("compliance", path).text)
    done = desk.post("compliance", f"{path}/suspension", version=version, **fields)
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?said=suspended")
    assert _state(desk) is OrganisationState.SUSPENDED
    page = desk.get("compliance", done.headers["location"]).text
    assert "data-done" in page
    assert "Fraud is suspected" in page
    assert desk.post("compliance", f"{path}/resumption", version=_version(page)).status_code == 303
    assert _state(desk) is OrganisationState.DRAFT


def _version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def _state(desk: Desk) -> OrganisationState:
    with reading(desk.world.platform.engine) as connection:
        found = organisations.find_organisation(connection, desk.world.companies[0])
    assert found
    return found.state


def test_who_may_not_suspend_is_refused(desk: Desk) -> None:
    path = f"/desk/companies/{desk.world.companies[0]}/suspension"
    answer = desk.post("supervisor", path, why="fraud_suspected", version="1", sure="true")
    assert answer.status_code == 403


# -- numbers and cards ----------------------------------------------------------------------------


def test_a_range_goes_in_once_and_mistakes_stand_beside_the_form(desk: Desk) -> None:
    mistake = desk.post("supervisor", "/desk/numbers", first="", operator=ONE)
    assert mistake.status_code == 422
    assert 'id="first-mistake"' in mistake.text
    refused = desk.post("supervisor", "/desk/numbers", first="+86x", operator=ONE)
    assert refused.status_code == 409
    assert "desk-refusals" in refused.text
    assert desk.post("supervisor", "/desk/numbers", first="+861391234xxxx", operator=TWO).status_code == 403
    done = desk.post("supervisor", "/desk/numbers", first="+861391234xxxx")
    assert done.headers["location"] == "/desk/numbers?said=added"
    assert "+8613912340000" in desk.get("supervisor", "/desk/numbers").text


def test_pasted_and_uploaded_rows_are_reported(desk: Desk) -> None:
    rows = (
        f"operator,first,last,kind,excluded\n{ONE},+861395000xxxx,,mobile,\n{TWO},+861396000xxxx,,mobile,\n"
    )
    pasted = desk.post("supervisor", "/desk/numbers/import", rows=rows).text
    assert "1 new, 0 known already, 1 passed over." in pasted
    assert "You may not do this for another operator." in pasted
    again = desk.upload("supervisor", "/desk/numbers/file", rows.encode()).text
    assert "0 new, 1 known already, 1 passed over." in again
    assert desk.post("supervisor", "/desk/numbers/import", rows="no,such,columns\n1,2,3").status_code == 400
    assert desk.post("clerk", "/desk/numbers/import", rows=rows).status_code == 403


def test_where_a_number_stands_is_said_and_stands_in_no_address(desk: Desk) -> None:
    number = a_number(1).reveal("test")
    answer = desk.post("clerk", "/desk/numbers/where", number=number)
    assert (answer.status_code, "in service" in answer.text) == (200, True)
    assert desk.world.lines[0] in answer.text
    assert "not in the pool" in desk.post("other", "/desk/numbers/where", number=number).text
    assert desk.post("clerk", "/desk/numbers/where", number="12").status_code == 422


def test_cards_are_brought_in_and_found(desk: Desk) -> None:
    rows = (
        f"iccid,imsi,form,operator\n{an_iccid(77)},{an_imsi(77)},esim,{ONE}\n123,{an_imsi(78)},esim,{ONE}\n"
    )
    assert (
        "1 new, 0 known already, 1 passed over."
        in desk.upload("supervisor", "/desk/sims/file", rows.encode()).text
    )
    found = desk.post("clerk", "/desk/sims/where", iccid=an_iccid(77))
    assert "in stock" in found.text
    assert an_imsi(77) not in found.text
    assert desk.post("other", "/desk/sims/where", iccid=an_iccid(77)).status_code == 404
    assert desk.post("clerk", "/desk/sims/where", iccid="1").status_code == 422


# -- lines ----------------------------------------------------------------------------------------


def test_a_line_is_found_by_its_number_and_stopped_and_lifted(desk: Desk) -> None:
    number, line = a_number(1).reveal("test"), desk.world.lines[0]
    found = desk.post("supervisor", "/desk/lines", number=number)
    assert (found.status_code, found.headers["location"]) == (303, f"/desk/lines/{line}")
    assert desk.post("other", "/desk/lines", number=number).status_code == 404
    page = desk.get("supervisor", f"/desk/lines/{line}").text
    assert number not in page, "a number is masked"
    wanted = {"reason": "request", "actor": "holder", "reference": "CALL-1"}
    assert desk.post("supervisor", f"/desk/lines/{line}/stops", **wanted).status_code == 422, "not meant"
    beyond = {**wanted, "actor": "compliance", "sure": "true"}
    assert desk.post("supervisor", f"/desk/lines/{line}/stops", **beyond).status_code == 403
    done = desk.post("supervisor", f"/desk/lines/{line}/stops", sure="true", **wanted)
    assert done.headers["location"] == f"/desk/lines/{line}?said=stopped"
    assert _open_stops(desk, line) == ["request"]
    lifted = desk.post("supervisor", f"/desk/lines/{line}/stops/lift", **wanted)
    assert lifted.headers["location"] == f"/desk/lines/{line}?said=lifted"
    assert _open_stops(desk, line) == []


def test_a_refused_stop_says_why(desk: Desk) -> None:
    line = desk.world.lines[0]
    wanted = {"reason": "regulator_order", "actor": "holder", "reference": "CALL-1", "sure": "true"}
    answer = desk.post("supervisor", f"/desk/lines/{line}/stops", **wanted)
    assert answer.status_code == 409
    assert "desk-refusals" in answer.text


def _open_stops(desk: Desk, line: str) -> list[str]:
    with reading(desk.world.platform.engine) as connection:
        standing = stops.line_status(connection, line)
    assert standing
    return [stop.reason.value for stop in standing.open_stops]


# -- reviews, disputes, cases -----------------------------------------------------------------------


def test_a_review_is_decided_with_a_reason_that_goes_with_it(desk: Desk) -> None:
    path = f"/desk/registration-reviews/{desk.world.review}"
    wrong = desk.post("supervisor", f"{path}/decision", decision="passed", why="need_not_shown")
    assert wrong.status_code == 422
    done = desk.post("supervisor", f"{path}/decision", decision="declined", why="need_not_shown")
    assert done.headers["location"] == "/desk/registration-reviews?said=decided"
    again = desk.post("supervisor", f"{path}/decision", decision="passed", why="family_lines_shown")
    assert again.status_code == 409


def test_a_dispute_is_shown_and_not_decided_by_accident(desk: Desk) -> None:
    path = f"/desk/repudiations/{desk.world.dispute}"
    assert desk.post("compliance", f"{path}/decision", upheld="true").status_code == 422
    assert desk.post("clerk", f"{path}/decision", upheld="true", sure="true").status_code == 403
    assert "Record the decision" not in desk.get("clerk", path).text


def test_a_case_goes_from_finding_to_sanction(desk: Desk) -> None:
    path = f"/desk/transfers/{desk.world.case}"
    early = desk.post("compliance", path, step="sanction", version="1", sure="true")
    assert early.status_code == 409
    assert desk.post("compliance", path, step="assess", version="1").status_code == 422, "no finding"
    version = _version(desk.get("compliance", path).text)
    found = desk.post("compliance", path, step="assess", finding="used_by_others", version=version)
    assert found.headers["location"] == f"{path}?said=assess"
    stale = desk.post("compliance", path, step="dismiss", version=version)
    assert stale.status_code == 409
    assert desk.post("clerk", path, step="dismiss", version=version).status_code == 403


# -- jobs, webhooks -----------------------------------------------------------------------------------


def test_a_dead_letter_is_discarded_with_a_reason_that_the_ledger_keeps(desk: Desk) -> None:
    path = f"/desk/jobs/{desk.world.job}"
    page = desk.get("administrator", path).text
    assert "DOWN" in page
    assert "=EVD-1" in page
    assert desk.post("administrator", f"{path}/discard", why="obsolete").status_code == 422
    assert desk.post("supervisor", f"{path}/discard", why="obsolete", sure="true").status_code == 403
    done = desk.post("administrator", f"{path}/discard", why="obsolete", sure="true")
    assert done.headers["location"] == "/desk/jobs?said=discarded"
    assert desk.get("administrator", path).status_code == 404
    assert leaves(desk, "job.discarded") == 1
    with reading(desk.world.platform.engine) as connection:
        waiting = dead_letters.list_jobs(connection, kind="x.wait")[0]
    answer = desk.post("administrator", f"/desk/jobs/{waiting.job_id}/retry")
    assert answer.status_code == 409
    assert leaves(desk, "job.retried") == 0, "what was refused leaves no leaf"


def test_a_webhook_is_disabled_enabled_and_replayed(desk: Desk) -> None:
    path = f"/desk/webhooks/{desk.world.webhook}"
    assert desk.post("administrator-one", f"{path}/disable").headers["location"] == f"{path}?said=disabled"
    assert "disabled" in desk.get("administrator-one", path).text
    assert desk.post("administrator-one", f"{path}/enable").status_code == 303
    nothing = desk.post("administrator-one", f"{path}/replay")
    assert nothing.status_code == 409
    assert desk.post("administrator-one", f"{path}/replay", since="2026-01-01T00:00").status_code == 303
    assert desk.post("supervisor", f"{path}/disable").status_code == 403


# -- accounts -------------------------------------------------------------------------------------------


def test_an_invitation_is_shown_once(desk: Desk) -> None:
    wanted = {"user_name": "new.one", "person_number": "number 7", "roles": "clerk", "operator": ONE}
    made = desk.post("administrator", "/desk/accounts/new", **wanted)
    assert made.status_code == 200
    found = re.search(r'class="token"[^>]*>([^<]{20,})<', made.text)
    assert found
    assert made.headers["cache-control"] == "no-store"
    listed = desk.get("administrator", "/desk/accounts?q=new.one").text
    assert "new.one" in listed
    assert found[1] not in listed
    assert desk.post("administrator", "/desk/accounts/new", **wanted).status_code == 409, "the name is taken"
    bad = desk.post("administrator", "/desk/accounts/new", user_name="X", person_number="1")
    assert (bad.status_code, 'id="user_name-mistake"' in bad.text) == (422, True)


def test_roles_are_changed_by_somebody_else_only(desk: Desk) -> None:
    clerk = desk.staff["clerk"].account.reference
    own = desk.staff["administrator"].account.reference
    assert (
        desk.post("administrator", f"/desk/accounts/{own}/roles", roles="auditor", version="1").status_code
        == 409
    )
    path = f"/desk/accounts/{clerk}"
    version = _version(desk.get("administrator", path).text)
    done = desk.post("administrator", f"{path}/roles", roles=["clerk"], version=version)
    assert done.headers["location"] == f"{path}?said=roles"
    assert desk.post("administrator", f"{path}/disable").status_code == 422, "not meant"
    assert desk.get("clerk", path).status_code == 403


def test_a_disabled_account_is_enabled_again_and_sessions_end_without_anything_else(desk: Desk) -> None:
    wanted = {"user_name": "back.again", "person_number": "E 90210", "roles": "clerk"}
    desk.post("administrator", "/desk/accounts/new", **wanted)
    listed = desk.get("administrator", "/desk/accounts?q=back.again").text
    found = re.search(r"/desk/accounts/(ACC-[0-9A-Z-]+)", listed)
    assert found is not None
    path = f"/desk/accounts/{found[1]}"
    ended = desk.post("administrator", f"{path}/end-sessions")
    assert (ended.status_code, ended.headers["location"]) == (303, f"{path}?said=sessions_ended")
    assert "Enable again" not in desk.get("administrator", path).text
    desk.post("administrator", f"{path}/disable", sure="true")
    assert "Enable again" in desk.get("administrator", path).text
    assert desk.post("administrator", f"{path}/enable").status_code == 422, "not meant"
    assert desk.post("clerk", f"{path}/enable", sure="true").status_code == 403
    assert desk.post("administrator", f"{path}/enable", sure="true").status_code == 303
    assert "Sign out everywhere" in desk.get("administrator", path).text


def test_an_operators_administrator_knows_of_no_other_accounts(desk: Desk) -> None:
    other = desk.staff["other"].account.reference
    assert desk.get("administrator-one", f"/desk/accounts/{other}").status_code == 404
    assert "administrator-one" in desk.get("administrator-one", "/desk/accounts").text
    text = desk.get("administrator-one", "/desk/accounts").text
    assert not re.search(r">\s*other\s*<", text)


def test_the_secret_of_a_client_is_shown_once(desk: Desk) -> None:
    made = desk.post("administrator", "/desk/clients/new", name="reports", scopes="registrations.read")
    assert 'class="token"' in made.text
    assert (
        desk.post("administrator", "/desk/clients/new", name="x", scopes="accounts.manage").status_code == 409
    )
    assert desk.post("administrator", "/desk/clients/new", name="x").status_code == 422


# -- rules, ledger, looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", ["cn", "pk", "mx"])
def test_rules_are_read_with_source_and_mark_a_section_at_a_time(desk: Desk, pack: str) -> None:
    page = desk.get("auditor", f"/desk/packs/{pack}")
    assert page.status_code == 200
    assert 'class="rule-source"' in page.text
    assert len(page.content) < 100_000
    assert desk.get("auditor", f"/desk/packs/{pack}?q=no+such+rule&section=99").status_code == 200
    assert "YYYY-MM-DD" in desk.get("auditor", f"/desk/packs/{pack}?on=yesterday").text


def test_no_address_opens_a_folder_as_rules(desk: Desk) -> None:
    assert desk.get("auditor", "/desk/packs/common").status_code == 404
    assert desk.get("auditor", "/desk/packs/..%2Fcommon").status_code in {404, 422}


def test_scenarios_run_now_and_say_what_came_out(desk: Desk) -> None:
    page = desk.get("auditor", "/desk/packs/pk/scenarios").text
    assert re.search(r"All \d+ scenarios came out as stated", page)
    assert "as stated" in page


def test_two_packs_are_compared(desk: Desk) -> None:
    found = desk.get("auditor", "/desk/packs/-/differences?before=cn&after=pk").text
    assert re.search(r"\d+ differences", found)
    assert (
        "The rules are the same." in desk.get("auditor", "/desk/packs/-/differences?before=cn&after=cn").text
    )
    today = date.today().isoformat()  # noqa: DTZ011 - as a person types it
    assert desk.get("auditor", f"/desk/packs/-/differences?before=x&after=y&on={today}").status_code == 200


def test_the_chain_is_drawn_and_told_in_a_table(desk: Desk) -> None:
    page = desk.get("auditor", "/desk/ledger").text
    assert page.count('class="chain-block"') == 3
    assert "chain-broken" not in page
    assert page.count("follows the one before") == 3
    assert "Batch 3" not in desk.get("auditor", "/desk/ledger?before=3").text


def test_a_checkpoint_that_nobody_signed_or_that_follows_nothing_is_shown_as_broken(desk: Desk) -> None:
    platform = desk.world.platform
    with reading(platform.engine) as connection:
        assert not any(block.is_signed for block in read_blocks(connection, ())), "of no known key"
    with platform.engine.connect() as connection:  # it is never committed
        root = bytes(32)
        insert_batch(
            connection,
            batch=99,
            first_index=999,
            size=1000,
            root=root,
            previous_root=root,
            sealed_at=desk.world.now,
            checkpoint="forged",
        )
        seen = read_blocks(connection, platform.ledger_keys)
    assert [(block.is_linked, block.is_signed) for block in seen[-2:]] == [(True, True), (False, False)]


def test_who_witnessed_a_checkpoint_is_checked_where_their_key_is_known(desk: Desk) -> None:
    platform, now = desk.world.platform, desk.world.now
    known, stranger, liar = (
        NoteSigner(name, Ed25519Signer.from_seed(bytes([place]) * 32))
        for place, name in enumerate(("w.example", "stranger.example", "liar.example"))
    )
    root = bytes(32)
    note = parse_note(platform.ledger_signer.sign(f"{platform.ledger_signer.name}\n1000\nroot\n"))
    for signer in (known, stranger):
        note = signer.cosign(note, now)
    forged = NoteSignature(liar.name, liar.cosigning_key.key_id, bytes(72))
    note = SignedNote(note.text, (*note.signatures, forged))
    with platform.engine.connect() as connection:  # it is never committed
        checkpoint = str(note)
        insert_batch(
            connection, batch=99, first_index=999, size=1000, root=root, previous_root=root,
            sealed_at=now, checkpoint=checkpoint,
        )  # fmt: skip
        keys = (known.cosigning_key, liar.cosigning_key)
        (*_, seen) = read_blocks(connection, platform.ledger_keys, witnesses=keys)
    assert seen.witnessed is not None
    assert seen.witnessed.en == (
        "w.example (verified), stranger.example (not verified), liar.example (wrong signature)"
    )
    assert seen.holding == 1


def test_what_differs_from_the_network_is_shown_with_how_to_repair_it(desk: Desk) -> None:
    platform, line = desk.world.platform, desk.world.lines[0]
    assert "Nothing was compared yet." in desk.get("other", "/desk/drift").text
    mine = Reconciliation("REC-ONE", ONE, desk.world.now, repair=False, stop_unknown=False)
    drifts = (
        Drift(line, DriftKind.STATUS, "active", "inactive"),
        Drift("svc-unknown", DriftKind.UNREGISTERED, None, "active"),
    )
    with platform.begin() as connection:
        reconciling.add_reconciliation(connection, replace(mine, reconciliation_id="REC-OLD"))
        newer = replace(mine, started_at=desk.world.now + timedelta(seconds=1))
        reconciling.add_reconciliation(connection, newer)
        reconciling.add_drifts(connection, "REC-ONE", drifts)
        found = {DriftKind.STATUS.value: 1, DriftKind.UNREGISTERED.value: 1}
        done = replace(newer, finished_at=desk.world.now, lines=9, services=10, found=found)
        reconciling.finish_reconciliation(connection, done)
    page = desk.get("supervisor", "/desk/drift").text
    assert f'href="/desk/lines/{line}"' in page
    assert "nobody registered it" in page
    assert f"shiming lines reconcile --operator {ONE} --repair" in page
    assert "--stop-unknown" in page
    assert "of=REC-OLD" in page
    assert "svc-unknown" not in desk.get("supervisor", "/desk/drift?of=REC-OLD").text
    assert "svc-unknown" not in desk.get("supervisor", "/desk/drift?kind=status_differs").text
    assert desk.get("other", "/desk/drift?of=REC-ONE").status_code == 404, "of another operator"
    assert desk.get("supervisor", "/desk/drift?as=csv").text.count("\n") == 3
    assert desk.get("auditor", "/desk/drift").status_code == 403


def test_an_order_that_nobody_takes_is_confirmed_by_hand(desk: Desk) -> None:
    platform = desk.world.platform
    with platform.begin() as connection:
        order = order_line(platform.provisioning, connection, desk.world.lines[1], now=desk.world.now)
    assert order
    path = f"/desk/service-orders/{order.order_id}"
    assert order.order_id in desk.get("supervisor", "/desk/service-orders").text
    assert desk.get("other", path).status_code == 404
    assert desk.post("supervisor", f"{path}/confirmation", reference="CALL-9").status_code == 422
    assert desk.post("compliance", f"{path}/confirmation", reference="CALL-9", sure="true").status_code == 403
    done = desk.post("supervisor", f"{path}/confirmation", reference="CALL-9", sure="true")
    assert (done.status_code, done.headers.get("location")) == (303, "/desk/service-orders?said=confirmed")
    assert desk.post("supervisor", f"{path}/confirmation", reference="CALL-9", sure="true").status_code == 409
    assert desk.post("administrator", f"{path}/retry").status_code == 409, "it has not failed"


def test_the_ledger_is_verified_without_script_and_while_one_watches(desk: Desk) -> None:
    plain = desk.post("auditor", "/desk/ledger/verification")
    assert "The ledger is whole." in plain.text
    events = desk.get("auditor", "/desk/ledger/verification/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    assert events.text.rstrip().rpartition("event: ")[2].startswith("result")
    assert "The ledger is whole." in events.text
    assert desk.post("clerk", "/desk/ledger/verification").status_code == 403
    assert desk.get("clerk", "/desk/ledger/verification/events").status_code == 403
    platform = desk.world.platform
    assert verify_ledger(platform.engine, platform.keys, platform.ledger_keys)


@pytest.mark.parametrize(
    ("leaf", "said"),
    [
        ("{first}", "The leaf is in the tree."),
        ("99-1", "The ledger has no such leaf."),
        ("nonsense", "This names no leaf of the ledger."),
        ("{first}:" + "0" * 64, "leaf"),
    ],
)
def test_a_leaf_is_proven_or_it_is_said_why_not(desk: Desk, leaf: str, said: str) -> None:
    with reading(desk.world.platform.engine) as connection:
        first = connection.execute(
            sa.select(ledger_leaves.c.lane, ledger_leaves.c.sequence).order_by(ledger_leaves.c.sequence)
        ).first()
    assert first
    named = leaf.format(first=f"{first.lane}-{first.sequence}")
    page = desk.get("auditor", f"/desk/ledger?leaf={named}").text
    assert said in page
    assert ("The path to the root" in page) == (leaf == "{first}")


def test_who_looked_is_shown_to_who_may_see_it(desk: Desk) -> None:
    page = desk.get("privacy", f"/desk/access-log?subject={SUBJECT}").text
    assert "EVD-0082-0C20-A1G7-D" in page
    assert "dispute" in page
    assert "This is no pseudonym." in desk.get("privacy", "/desk/access-log?subject=a b c!").text
    assert f"subject={SUBJECT}" in page.replace("&amp;", "&"), "links of the table keep the person"
    assert desk.get("compliance", f"/desk/access-log?subject={SUBJECT}").status_code == 403


def test_every_page_of_the_desk_speaks_chinese(desk: Desk) -> None:
    for path in ("/desk", "/desk/numbers", "/desk/registration-reviews"):
        page = desk.get("supervisor", path, **{"accept-language": "zh"}).text
        body = page.split('<div class="desk-body">')[1].split("<dialog")[0]
        words = re.sub(r"<[^>]*>|[A-Z]+-[0-9A-Z-]+", " ", body)
        assert not re.search(r"\b(the|and|of|is|not)\b", words), path
