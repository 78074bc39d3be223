"""A minor with their guardian, and the actual user of a company's line: from the first page to the last."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect

from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import Channel
from shiming.registrations.model.enterprise_lines import ImportReport
from shiming.registrations.model.orders import Relation, RepresentativeRole, TermsAcceptance
from shiming.registrations.store.enterprise_lines import add_contract
from shiming.registrations.store.orders import find_order
from shiming.registrations.store.organisations import add_organisation
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from shiming.registrations.use_cases.enterprise_lines import list_lines
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.terms import find_terms_in_force
from tests.browser.counter_steps import MS, goes_on_to_the_receipt, opens
from tests.browser.home_steps import Shop, a_shop, is_seen, prove, shows_the_document, shows_themselves
from tests.browser.invented_people import is_born, papers_of
from tests.browser.live_world import OPERATOR, World
from tests.browser.looking import DESKTOP, PHONE, FakeCamera, Visit
from tests.registrations.enterprise_builders import (
    CONTRACT,
    ORGANISATION,
    a_card,
    a_contract,
    a_row,
    a_table,
    an_organisation,
)

# A camera in real time and two proofs by the real models: see test_counter_journey.
pytestmark = [pytest.mark.models, pytest.mark.long]
Visiting = Callable[..., Visit]
LINE_OF_A_USER = "+8613800138611"


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    """Somebody else of staff who talks to the API: signing an account in again ends its session."""
    with a_shop(world, "supervisor") as found:
        found.http.timeout = MS / 1000
        yield found


def opens_for_a_minor(seen: Visit) -> str:
    """Choose who the line is for on the first page, and open it; return the journey's address."""
    page = seen.go("/counter")
    page.locator("select[name=holder]").select_option("minor")
    page.wait_for_url("**holder=minor**", wait_until="load")
    expect(page.locator("main .notice")).to_contain_text("First the minor, then the guardian")
    seen.look("minor-start")
    return opens(page)


def keeps_the_paper(seen: Visit, camera: FakeCamera) -> None:
    """Photograph what shows the guardianship, and go on."""
    page = seen.page
    camera.show("back")  # any paper: people look at it
    page.locator("[data-do=open]").click()
    page.locator("[data-do=shoot]").click()
    seen.look("guardian-paper")
    page.locator("[data-do=send]").click()


def test_a_guardian_acts_for_a_minor_up_to_the_receipt(
    world: World, shop: Shop, visit: Visiting, camera: FakeCamera
) -> None:
    papers = papers_of("柯小林", 13, world.platform.today())
    is_born(world, papers)
    seen = visit(world, "clerk", size=DESKTOP)
    page, address = seen.page, opens_for_a_minor(seen)
    session = address.rpartition("/")[2]
    prove(shop.http, f"/v1/proofing-sessions/{session}", (papers.front, papers.back))
    page.goto(address)  # asks the authority by itself
    is_seen(page, "Proven: the person is the holder of the document")
    expect(page.locator(".notice")).to_contain_text("A guardian acts for this person")
    seen.look("minor-result")
    page.goto(f"{address}/contract")
    expect(page).to_have_url(f"{address}/result")  # nothing goes on without the guardian
    guardian = guardian_is_proven(seen, camera)
    keeps_the_paper(seen, camera)
    goes_on_to_the_receipt(seen, visit, reads_back=True, pictures="minor")
    with reading(world.platform.engine) as connection:
        order = find_order(connection, session)
    assert order is not None
    behalf = order.representative
    assert behalf is not None
    assert (behalf.role, behalf.relation) == (RepresentativeRole.GUARDIAN, Relation.PARENT)
    assert behalf.session_id == guardian
    assert behalf.authority_evidence is not None


def guardian_is_proven(seen: Visit, camera: FakeCamera) -> str:
    """Say who the guardian is, and let them hold document and themselves before the camera."""
    page = seen.page
    page.get_by_role("link", name="Go on with the guardian").click()
    is_seen(page, "A guardian acts for the minor")
    seen.look("guardian")
    page.get_by_text("mother or father").click()
    camera.show("front")
    page.get_by_role("button", name="Now the guardian's document").click()
    page.wait_for_url("**/guardian-parent/**/document")
    found = page.url.split("/")[-2]
    shows_the_document(page, camera)
    shows_themselves(page)
    is_seen(page, "The guardian is proven")
    seen.look("guardian-proven")
    return found


def a_company_with_a_line(world: World) -> None:
    """Record an organisation with everything that it has to bring, a contract, and one line without user."""
    platform = world.platform
    today = platform.today()
    desk = Desk(platform.registrations, platform.policy("", today), platform.clock.now(), today)
    with platform.begin() as connection:
        found = find_terms_in_force(connection, OPERATOR, platform.today())
        assert found is not None
        terms = TermsAcceptance(found.terms.version, found.content_hash, desk.now, Channel.SHOP)
        add_organisation(connection, an_organisation(power_of_attorney_until=desk.now.replace(year=2099)))
        add_contract(connection, a_contract(terms=terms))
    table = BytesIO(a_table([a_row(LINE_OF_A_USER, 1, iccid=a_card(1))]))
    report = import_enterprise_lines(desk, platform.engine, CONTRACT, stream=table, name="lines.csv")
    assert isinstance(report, ImportReport)
    assert report.entered == 1, report


def test_an_actual_user_proves_themselves_on_their_own_phone(
    world: World, visit: Visiting, camera: FakeCamera
) -> None:
    a_company_with_a_line(world)
    clerk = visit(world, "clerk")
    desk = clerk.go(f"/company/contracts/{CONTRACT}")
    desk.get_by_role("button", name="Show the links").click()
    desk.locator(".link-cards svg.qr").wait_for()
    clerk.look("company-links")
    link = re.sub(r"^https?://[^/]+", "", desk.locator(".link-cards code.link").inner_text())
    seen = visit(world, size=PHONE)
    camera.show("front")
    page = seen.go(link)
    seen.look("user-start")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/document")
    shows_the_document(page, camera)
    shows_themselves(page)
    is_seen(page, "It is you")
    seen.look("user-result")
    is_registered(world)
    page.goto(link)
    expect(page).to_have_url(re.compile("/result$"))  # the link is used, and shows what came of it
    desk.goto(f"/company/contracts/{CONTRACT}")
    expect(desk.locator("table .tag.good")).to_have_text("has its user")
    clerk.look("company-user")
    begins_again(desk, clerk)


def is_registered(world: World) -> None:
    """Look whether the line is registered for the organisation."""
    with reading(world.platform.engine) as connection:
        (entered,) = list_lines(connection, CONTRACT, limit=10)
        line = entered.line_id and find_line(connection, entered.line_id)
    assert line
    assert line.subject == ORGANISATION


def begins_again(desk: Page, clerk: Visit) -> None:
    """Ask for links once more: nobody is left who needs one."""
    desk.get_by_role("button", name="Show the links").click()
    expect(desk.locator("#made + p")).to_have_text("Every line has its user or a link that works.")
    clerk.look()
