"""A proof by an actual user's link that gives them no line: no page says that it did."""

from collections.abc import Iterator
from io import BytesIO

import pytest

from shiming.jurisdictions.model import Channel
from shiming.registrations.model.enterprise_lines import ImportReport
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.store.enterprise_lines import add_contract
from shiming.registrations.store.organisations import (
    add_organisation,
    change_organisation,
    find_organisation,
)
from shiming.registrations.use_cases.actual_user_links import make_links
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from shiming.registrations.use_cases.enterprise_lines import find_contract
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.terms import find_terms_in_force
from tests.databases import ENGINES, a_database
from tests.entrypoints.pages.counter_world import ONE, Counter, a_counter, heading, path_of
from tests.registrations.enterprise_builders import (
    CONTRACT,
    ORGANISATION,
    a_card,
    a_contract,
    a_row,
    a_table,
    an_organisation,
)


@pytest.fixture(scope="module", params=ENGINES)
def counter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp(request.param)
    with a_database(request.param, folder / "database") as url, a_counter(folder, url) as found:
        yield found


def a_link(counter: Counter) -> str:
    """Return the path of a link to a line of an organisation."""
    platform = counter.platform
    today = platform.today()
    desk = Desk(platform.registrations, platform.policy("", today), platform.clock.now(), today)
    organisation = an_organisation(operator=ONE, power_of_attorney_until=desk.now.replace(year=2099))
    with platform.begin() as connection:
        found = find_terms_in_force(connection, ONE, platform.today())
        assert found is not None
        terms = TermsAcceptance(found.terms.version, found.content_hash, desk.now, Channel.SHOP)
        add_organisation(connection, organisation)
        add_contract(connection, a_contract(operator=ONE, terms=terms))
    table = BytesIO(a_table([a_row("+8613800130777", 1, iccid=a_card(777))]))
    report = import_enterprise_lines(desk, platform.engine, CONTRACT, stream=table, name="lines.csv")
    assert isinstance(report, ImportReport)
    assert report.entered == 1, report
    with platform.begin() as connection:
        contract = find_contract(connection, CONTRACT)
        assert contract is not None
        made = make_links(desk, connection, contract)
    assert isinstance(made, tuple)
    return f"/u/{made[0].token}"


def the_organisation_is(counter: Counter, state: OrganisationState) -> None:
    """Suspend the organisation, or take it back."""
    with counter.platform.begin() as connection:
        found = find_organisation(connection, ORGANISATION)
        assert found is not None
        assert change_organisation(connection, ORGANISATION, found.version, state=state.value)


def test_who_is_proven_and_not_recorded_hears_so(counter: Counter) -> None:
    link = a_link(counter)
    user = counter.browser()
    assert path_of(user.post(link, {"confirmed": "true"})) == f"{link}/document"
    api = link.replace("/u/", "/v1/actual-user-links/")
    as_json = {"accept": "application/json"}
    session = user.http.get(f"{api}/proof", headers=as_json).json()["id"]
    counter.give(f"/session/{session}")
    the_organisation_is(counter, OrganisationState.SUSPENDED)
    # as the page of the camera asks for it
    refused = user.http.post(f"{api}/decision", headers=as_json)
    assert (refused.status_code, "ORGANISATION_" in refused.text) == (409, True)
    shown = user.get(f"{link}/result")
    assert heading(shown) == "Everything is there"  # its script asks for the rest
    assert "You are recorded" not in shown.text
    for _ in range(2):
        told = user.post(f"{link}/result")
        assert told.status_code == 409
        assert heading(told) == "You are proven, but the line could not be given to you"
    the_organisation_is(counter, OrganisationState.COMPLETE)
    assert heading(user.follow(user.post(f"{link}/result"))) == "It is you"
    assert "You are recorded" in user.get(f"{link}/result").text
