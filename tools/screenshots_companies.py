"""Pictures of a company: its papers, its handler, contract, lines, and links for their users."""

import re
from datetime import timedelta
from itertools import count

from playwright.sync_api import FilePayload
from stdnum.cn import uscc

from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.store.organisations import change_organisation, list_organisations
from tests.entrypoints.pages.counter_world import ONE, Browser, path_of, value_of
from tests.entrypoints.pages.home_orders import FIRST_AT_HOME, proven
from tests.registrations.stock_builders import an_iccid
from tools.screenshots_furnished import Stage
from tools.screenshots_specimens import FRONT
from tools.screenshots_studio import PHONE

_FIRST = FIRST_AT_HOME + 500
_HEAD = "number,kind,product,user,contact,iccid"
_LINES = "9"  # more than are entered
_NAME = "杭州示例有限公司"


def walk_companies(stage: Stage) -> None:
    """Picture a company from its code to the users of its lines."""
    clerk = stage.counter.staff()
    body = "91330106000000777"
    made = clerk.post("/company", {"code": body + str(uscc.calc_check_digit(body)), "name": _NAME})
    company = path_of(made)
    stage.take("organisations", "/company", clerk)
    stage.take("company-new", company, clerk)
    _papers(stage, clerk, company)
    stage.take("company", company, clerk)
    contract = path_of(clerk.post(f"{company}/contracts", {"lines": _LINES}))
    stage.take("company-contract-new", contract, clerk)
    version = value_of(clerk.get(contract).text, "version")
    clerk.post(f"{contract}/terms", {"version": version, "agree": "true"})
    _count(stage, clerk, contract)
    _lines(stage, clerk, contract)


def _papers(stage: Stage, clerk: Browser, company: str) -> None:
    counter = stage.counter
    _upload(clerk, f"{company}/licence", "image", FRONT.read_bytes())
    clerk.post(f"{company}/legal-representative", {"name": "王小明"})
    second = path_of(clerk.post(f"{company}/people/handler"))
    counter.people += 1
    counter.give(f"/session/{second.rsplit('/', 1)[1]}", counter.people + 70)
    clerk.post(f"{second}/decision")
    stage.take("company-handler", second, clerk)
    clerk.post(second)
    today = counter.clock.now().date()
    days = {"begins": str(today - timedelta(days=1)), "until": str(today + timedelta(days=60))}
    _upload(clerk, f"{company}/power-of-attorney", "image", FRONT.read_bytes(), days)
    clerk.post(f"{company}/responsible-person", {"name": "李小红"})


def _count(stage: Stage, clerk: Browser, contract: str) -> None:
    page = stage.page(clerk)

    def asks() -> None:
        stage.counter.clock.at += timedelta(seconds=31)  # another code comes only after a while
        page.goto(contract)
        page.locator("#lines").fill(_LINES)
        page.locator("form[action$='/count'] button").click()
        page.locator("svg.qr").wait_for()

    stage.studio.take(page, "company-count", again=asks)
    link = re.search(r"/v1/confirmations/[A-Za-z0-9_-]{43}", page.content())
    page.context.close()
    if link is None:
        raise SystemExit("no link for the handler")
    stage.take("company-confirmation", link[0], met_in=PHONE)
    code = clerk.http.get(link[0], headers={"accept": "application/json"}).json()["code"]
    clerk.post(f"{contract}/confirmation", {"lines": _LINES, "code": code})


def _lines(stage: Stage, clerk: Browser, contract: str) -> None:
    page = stage.page(clerk)
    first = f"{_HEAD}\n{_row(0)}"
    again = f"{first}\n{_row(1)}\n+861,mobile,voice,A9,,"
    _upload(clerk, f"{contract}/import", "table", first.encode())

    def imports() -> None:
        page.goto(contract)
        table = FilePayload(name="lines.csv", mimeType="text/csv", buffer=again.encode())
        page.locator("#table-file").set_input_files(table)
        page.locator("form:has(#table-file) button").click()
        page.locator("#passed-over").wait_for()

    stage.studio.take(page, "company-report", again=imports, at="#passed-over")
    made = clerk.post(f"{contract}/links", {"form": "csv"}).text
    tokens = re.findall(r"/u/[A-Za-z0-9_-]{43}", made)
    _users(stage, clerk, contract, tokens)
    page.context.close()


def _links(stage: Stage, clerk: Browser, contract: str) -> None:
    """Enter another line each time: a link is shown once."""
    page, indexes = stage.page(clerk), count(2)

    def shows() -> None:
        _upload(clerk, f"{contract}/import", "table", f"{_HEAD}\n{_row(next(indexes))}".encode())
        page.goto(contract)
        page.locator("button[name=form][value=page]").click()
        page.locator(".link-cards svg.qr").first.wait_for()

    stage.studio.take(page, "company-links", again=shows, at=".link-cards")
    page.context.close()


def _row(index: int) -> str:
    return f"+{_FIRST + index},mobile,voice,A{index},,{an_iccid(8100 + index)}"


def _users(stage: Stage, clerk: Browser, contract: str, links: list[str]) -> None:
    counter = stage.counter
    stage.take("user-start", links[0], met_in=PHONE)
    user = counter.browser()
    user.post(links[0], {"confirmed": "true"})
    api = links[0].replace("/u/", "/v1/actual-user-links/")
    session = user.http.get(f"{api}/proof", headers={"accept": "application/json"}).json()["id"]
    said = proven(counter, user, session, links[0])
    if said != "It is you":
        raise SystemExit(f"the user of a line: {said}")
    stage.take("user-result", links[0], met_in=PHONE)
    stage.take("company-contract", contract, clerk)
    _links(stage, clerk, contract)
    _not_registered(stage, links[1])


def _not_registered(stage: Stage, link: str) -> None:
    """Prove a user whose organisation was suspended meanwhile."""
    counter = stage.counter
    user = counter.browser()
    user.post(link, {"confirmed": "true"})
    api = link.replace("/u/", "/v1/actual-user-links/")
    session = user.http.get(f"{api}/proof", headers={"accept": "application/json"}).json()["id"]
    counter.people += 1
    counter.give(f"/session/{session}")
    _suspend(stage)
    page = stage.page(user)

    def asks() -> None:
        page.goto(f"{link}/result")
        page.locator("h1").wait_for()
        page.wait_for_load_state("networkidle")

    stage.studio.take(page, "user-not-registered", met_in=PHONE, again=asks)
    page.context.close()


def _suspend(stage: Stage) -> None:
    with stage.counter.platform.begin() as connection:
        found = next(
            each for each in list_organisations(connection, ONE, after=None, limit=99) if each.name == _NAME
        )
        change_organisation(
            connection, found.organisation_id, found.version, state=OrganisationState.SUSPENDED.value
        )


def _upload(
    browser: Browser, path: str, name: str, content: bytes, texts: dict[str, str] | None = None
) -> None:
    """Send a file as the page's script does."""
    kind = "text/csv" if name == "table" else "image/jpeg"
    headers = {"x-csrf-token": browser.csrf, "hx-request": "true", "accept": "text/html"}
    browser.http.post(
        path, files={name: ("f", content, kind)}, data=texts, headers=headers
    ).raise_for_status()
