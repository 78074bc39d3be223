"""Pages of a company by HTTP on both engines: papers, handler, contract, lines, and their users by a link."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.entrypoints.pages.counter_world import TWO, Browser, Counter, heading, path_of, value_of
from tests.entrypoints.pages.home_orders import FIRST_AT_HOME, proven
from tests.registrations.enterprise_builders import an_organisation
from tests.registrations.stock_builders import an_iccid

PICTURE = Path(__file__).parents[3] / "specimens" / "documents"


def test_an_organisation_gets_its_lines_and_their_users_prove_themselves(
    counter: Counter, clerk: Browser
) -> None:
    counter.people += 1
    wrong = clerk.post("/company", {"code": "91330106MA27XL0A1X", "name": "示例"})
    assert wrong.status_code == 409
    made = clerk.post("/company", {"code": an_organisation().code, "name": "杭州示例有限公司"})
    company = path_of(made)
    assert clerk.get(company).text.count("! missing") == 5
    _papers(counter, clerk, company)
    assert "! missing" not in clerk.get(company).text
    assert counter.staff(TWO).get(company).status_code == 404
    contract = path_of(clerk.post(f"{company}/contracts", {"lines": "3"}))
    _handler_agrees(clerk, contract)
    sent_code = clerk.post(f"{contract}/count", {"lines": "3"})
    link = re.search(r"/v1/confirmations/[A-Za-z0-9_-]{43}", sent_code.text)
    assert link is not None
    code = clerk.http.get(link[0], headers={"accept": "application/json"}).json()["code"]
    asked = counter.browser().get(link[0]).text
    assert "3 new lines" in asked
    assert "杭州示例有限公司" in asked
    assert path_of(clerk.post(f"{contract}/confirmation", {"lines": "3", "code": code})) == contract
    first = FIRST_AT_HOME + 500
    rows = [f"+{first + index},mobile,voice,A{index},,{an_iccid(8000 + index)}" for index in range(2)]
    report = _upload(clerk, f"{contract}/import", "table", _table([*rows, "+861,mobile,voice,A9,,"]))
    assert report.text.count("<tr>") == 2  # the heading, and the row that was passed over
    links = clerk.post(f"{contract}/links", {"form": "csv"})
    assert links.headers["cache-control"] == "no-store"
    tokens = re.findall(r"/u/[A-Za-z0-9_-]{43}", links.text)
    assert len(tokens) == 2
    _user_proves(counter, tokens[0])
    assert clerk.get(contract).text.count("has its user") == 1


def _handler_agrees(clerk: Browser, contract: str) -> None:
    asked = clerk.get(contract)
    assert "The terms in force are not agreed to yet" in asked.text
    version = {"version": value_of(asked.text, "version")}
    assert clerk.post(f"{contract}/terms", version).status_code == 422  # not ticked
    assert path_of(clerk.post(f"{contract}/terms", {**version, "agree": "true"})) == contract
    assert "not agreed to yet" not in clerk.get(contract).text


def _papers(counter: Counter, clerk: Browser, company: str) -> None:
    picture = next(PICTURE.glob("*.jpg")).read_bytes()
    assert _upload(clerk, f"{company}/licence", "image", picture).headers["hx-redirect"] == company
    clerk.post(f"{company}/legal-representative", {"name": "王小明"})
    second = path_of(clerk.post(f"{company}/people/handler"))
    assert path_of(clerk.get(second)) == f"{second}/document"
    counter.give(f"/session/{second.rsplit('/', 1)[1]}", counter.people + 70)
    assert heading(clerk.follow(clerk.post(f"{second}/decision"))) == "Proven"
    assert path_of(clerk.post(second)) == company
    today = date.today()  # noqa: DTZ011 - as the platform's own day
    days = {"begins": str(today - timedelta(days=1)), "until": str(today + timedelta(days=60))}
    assert _upload(clerk, f"{company}/power-of-attorney", "image", picture, days).status_code == 204
    clerk.post(f"{company}/responsible-person", {"name": "李小红"})


def _user_proves(counter: Counter, link: str) -> None:
    counter.people += 1
    user = counter.browser()
    start = user.get(link)
    assert "杭州示例有限公司" in start.text
    assert user.post(link).status_code == 422  # not ticked
    assert path_of(user.post(link, {"confirmed": "true"})) == f"{link}/document"
    api = link.replace("/u/", "/v1/actual-user-links/")
    session = user.http.get(f"{api}/proof", headers={"accept": "application/json"}).json()["id"]
    assert proven(counter, user, session, link) == "It is you"
    assert path_of(user.get(link)) == f"{link}/result"
    assert path_of(user.get(api)) == link  # the address in the message leads browsers to the page


def _table(rows: list[str]) -> bytes:
    return "\n".join(["number,kind,product,user,contact,iccid", *rows]).encode()


def _upload(
    browser: Browser, path: str, name: str, content: bytes, texts: dict[str, str] | None = None
) -> Any:
    """Send a file as the page's script does."""
    kind = "text/csv" if name == "table" else "image/jpeg"
    headers = {
        "x-csrf-token": browser.csrf,
        "hx-request": "true",
        "accept": "text/html",
        "accept-language": "en",
    }
    answer = browser.http.post(path, files={name: ("f", content, kind)}, data=texts, headers=headers)
    assert answer.status_code in {200, 204}, answer.text
    return answer
