"""Companies, lines, reviews, disputes and cases at the desk; over real HTTP, without script."""

from shiming.infrastructure.database import reading
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.use_cases import organisations, stops
from tests.entrypoints.pages.desk_builders import a_number
from tests.entrypoints.pages.desk_site import Desk, version_of


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
    version = version_of(desk.get("compliance", path).text)
    done = desk.post("compliance", f"{path}/suspension", version=version, **fields)
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?said=suspended")
    assert _state(desk) is OrganisationState.SUSPENDED
    page = desk.get("compliance", done.headers["location"]).text
    assert "data-done" in page
    assert "Fraud is suspected" in page
    assert desk.post("compliance", f"{path}/resumption", version=version_of(page)).status_code == 303
    assert _state(desk) is OrganisationState.DRAFT


def _state(desk: Desk) -> OrganisationState:
    with reading(desk.world.platform.engine) as connection:
        found = organisations.find_organisation(connection, desk.world.companies[0])
    assert found
    return found.state


def test_who_may_not_suspend_is_refused(desk: Desk) -> None:
    path = f"/desk/companies/{desk.world.companies[0]}/suspension"
    answer = desk.post("supervisor", path, why="fraud_suspected", version="1", sure="true")
    assert answer.status_code == 403


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
    version = version_of(desk.get("compliance", path).text)
    found = desk.post("compliance", path, step="assess", finding="used_by_others", version=version)
    assert found.headers["location"] == f"{path}?said=assess"
    stale = desk.post("compliance", path, step="dismiss", version=version)
    assert stale.status_code == 409
    assert desk.post("clerk", path, step="dismiss", version=version).status_code == 403
