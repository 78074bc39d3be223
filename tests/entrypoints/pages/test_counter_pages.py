"""The counter's pages: what leads where, what is done once, who may not look, what a refusal says."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shiming.accounts.model import Role
from shiming.entrypoints.pages.counter.journey import SHOWN, Step, bar_of
from shiming.identity_proofing.model.evidence import FaceVotes
from shiming.registrations.model.orders import AwaitedRepresentative, RepresentativeRole
from shiming.registrations.use_cases.notices import NoticeTools, send_due_notices
from tests.databases import ENGINES, a_database
from tests.entrypoints.pages.counter_world import (
    FIRST,
    ONE,
    TWO,
    Browser,
    Counter,
    KnowsEverybody,
    a_counter,
    agreement,
    customers_code,
    heading,
    path_of,
    value_of,
)
from tests.registrations.stock_builders import an_iccid
from tests.registrations.test_notices import KeepingChannel


@pytest.fixture(scope="module", params=ENGINES)
def counter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp(request.param)
    with a_database(request.param, folder / "database") as url, a_counter(folder, url) as found:
        yield found


@pytest.fixture
def clerk(counter: Counter) -> Browser:
    return counter.staff()


def test_a_customer_is_served_from_the_first_page_to_the_receipt(counter: Counter, clerk: Browser) -> None:
    address = counter.opened(clerk)
    assert path_of(clerk.get(address)) == f"{address}/document"
    counter.give(address)
    deciding = clerk.follow(clerk.get(address))
    assert heading(deciding) == "The authority is asked"
    result = clerk.follow(clerk.post(f"{address}/decision"))
    assert heading(result) == "Proven: the person is the holder of the document"
    assert "**明" in result.text
    assert "王小明" not in result.text
    contract = clerk.get(f"{address}/contract")
    assert heading(contract) == "Contract"
    confirming = clerk.follow(clerk.post(f"{address}/contract", agreement(contract.text)))
    assert heading(confirming) == "The customer's yes"
    registered = clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    assert path_of(registered) == f"{address}/activation"
    assert "The network switches the line on" in clerk.follow(registered).text
    receipt = clerk.get(f"{address}/receipt")
    assert "still to answer" in heading(receipt)
    line = re.search(r"REG-[0-9A-Z-]+", receipt.text)
    assert line
    counter.switched_on(line[0])
    assert clerk.part(f"{address}/activation/state").headers["hx-redirect"] == f"{address}/receipt"
    assert heading(clerk.get(f"{address}/receipt")) == "The line works"
    assert clerk.get(f"{address}/receipt.svg").headers["content-type"] == "image/svg+xml"
    pdf = clerk.get(f"/v1/registrations/{line[0]}/receipt.pdf", accept="application/pdf")
    assert pdf.content.startswith(b"%PDF")
    clerk.post(f"{address}/done")
    assert not {each.name for each in clerk.http.cookies.jar} & {
        "shiming_counter_name",
        "shiming_counter_link",
    }


def test_the_receipt_goes_to_the_new_line_and_opens_without_an_account(
    counter: Counter, clerk: Browser
) -> None:
    address = counter.accepted(clerk)
    assert path_of(clerk.post(f"{address}/receipt-message")) == address  # no line yet
    clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    page = clerk.get(f"{address}/receipt").text
    assert "Send the receipt to the new line" in page
    waiting = clerk.follow(clerk.post(f"{address}/receipt-message"))
    assert "The line is not active yet" in waiting.text
    line = re.findall(r"REG-[0-9A-Z-]+", page)[0]
    counter.switched_on(line)
    channel, platform = KeepingChannel(), counter.platform
    tools = NoticeTools(platform.registrations.privacy, channel, "https://shiming.example")
    send_due_notices(tools, platform.engine, now=counter.clock.now())
    (told,) = [each for each in channel.messages.values() if each.line_id == line]
    link = re.findall(r"https://shiming\.example(/r/[A-Za-z0-9_-]{43})", told.text.en)[0]
    assert "Sent to the new line" in clerk.get(f"{address}/receipt").text
    home = counter.browser()
    opened = home.get(link)
    assert (heading(opened), "****" in opened.text) == ("The receipt of your line", True)
    assert {opened.headers[name] for name in ("cache-control", "referrer-policy")} == {
        "no-store",
        "no-referrer",
    }
    paper = home.get(f"{link}/receipt.pdf")
    assert (paper.content[:4], paper.headers["cache-control"]) == (b"%PDF", "no-store")
    for wrong in ("/r/" + "A" * 43, "/r/" + "A" * 43 + "/receipt.pdf"):
        assert (home.get(wrong).status_code, "does not work" in home.get(wrong).text) == (409, True)


def test_a_program_has_the_receipt_sent_and_learns_no_link(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    line = re.findall(r"REG-[0-9A-Z-]+", clerk.get(f"{address}/receipt").text)[0]
    said = {
        who: by.http.post(
            f"/v1/registrations/{line}/receipt-message",
            headers={"x-csrf-token": by.csrf, "accept": "application/json"},
        )
        for who, by in (
            ("clerk", clerk),
            ("stranger", counter.staff(TWO)),
            ("auditor", counter.staff(ONE, Role.AUDITOR)),
        )
    }
    assert {who: answer.status_code for who, answer in said.items()} == {
        "clerk": 201,
        "stranger": 404,
        "auditor": 403,
    }
    assert said["clerk"].json().keys() == {"line", "notice", "state", "expires_at"}
    assert counter.staff(TWO).post(f"{address}/receipt-message").status_code == 404


def test_a_form_sent_twice_opens_one(counter: Counter, clerk: Browser) -> None:
    form = counter.form(clerk)
    first, second = clerk.post("/counter", form), clerk.post("/counter", form)
    assert first.headers["location"] == second.headers["location"]
    other = clerk.post(
        "/counter", {**form, "identifier": other_number(form["identifier"]), "iccid": an_iccid(999)}
    )
    assert other.status_code == 303
    assert other.headers["location"] != first.headers["location"]


def other_number(number: str) -> str:
    return FIRST[:-4] + f"{(int(number[-4:]) + 1) % 10_000:04d}"


def test_a_number_or_a_card_that_somebody_else_took_is_chosen_anew(counter: Counter, clerk: Browser) -> None:
    form = counter.form(clerk)
    assert clerk.post("/counter", form).status_code == 303
    again = counter.form(clerk, identifier=form["identifier"])
    taken = clerk.post("/counter", again)
    assert taken.status_code == 409
    assert "NUMBER_RESERVED" in taken.text
    assert again["iccid"] in taken.text  # what was typed stays
    assert value_of(taken.text, "identifier") != form["identifier"]
    card = clerk.post("/counter", counter.form(clerk, iccid=form["iccid"]))
    assert (card.status_code, "SIM_TAKEN" in card.text) == (409, True)
    assert counter.platform  # nothing was opened by either


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iccid": "123"}, "ICCID"),
        ({"identifier": ""}, "No number is chosen."),
        ({"offer": "iot_small.mobile"}, "Not offered here"),
        ({"holder": "nobody"}, "Not offered here"),
        ({"operator": "", "key": "x"}, "This is not in the right form."),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_lost(
    counter: Counter, clerk: Browser, changed: dict[str, str], said: str
) -> None:
    answer = clerk.post("/counter", counter.form(clerk, **changed))
    assert answer.status_code == 422
    assert said in answer.text or changed.get("key")


def test_free_numbers_are_looked_for_by_their_last_digits(clerk: Browser) -> None:
    found = clerk.part("/counter/numbers?kind=mobile&ending=77")
    numbers = re.findall(r'value="(\+\d+)"', found.text)
    assert numbers
    assert all(number.endswith("77") for number in numbers)
    assert "mistake" in clerk.part("/counter/numbers?kind=mobile&ending=ab").text
    assert path_of(clerk.get("/counter/numbers?ending=77")) == "/counter"


def test_another_operators_journey_is_not_found(counter: Counter, clerk: Browser) -> None:
    address = counter.proven(clerk)
    stranger = counter.staff(TWO)
    for page in ("", "/document", "/person", "/result", "/contract", "/activation", "/receipt", "/number"):
        answer = stranger.get(f"{address}{page}")
        assert answer.status_code == 404, page
        assert "SESSION_UNKNOWN" in answer.text
    for action in ("/decision", "/restart", "/leave", "/done", "/activation", "/contract", "/code"):
        assert stranger.post(f"{address}{action}").status_code == 404, action
    assert stranger.get("/counter/SES-0000-0000-0000-0").status_code == 404


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_who_serves_nobody_sees_no_counter(counter: Counter, clerk: Browser, role: Role) -> None:
    address = counter.opened(clerk)
    other = counter.staff(None, role)
    for page in ("/counter", address, f"{address}/result"):
        assert other.get(page).status_code == 403


def test_nothing_can_be_given_after_the_decision(counter: Counter, clerk: Browser) -> None:
    address = counter.proven(clerk)
    for page in ("document", "person", "decision"):
        assert path_of(clerk.get(f"{address}/{page}")) == address
    twice = clerk.post(f"{address}/decision")
    assert path_of(twice) == f"{address}/result"
    assert heading(clerk.get(f"{address}/result")).startswith("Proven")


def test_an_expired_session_says_so_and_goes_on_with_its_number_and_card(
    counter: Counter, clerk: Browser
) -> None:
    address = counter.opened(clerk)
    before = counter.order(address)
    assert before
    counter.clock.at += timedelta(hours=2)
    clerk = counter.staff()  # the clerk's own session is over too
    over = clerk.get(address)
    assert heading(over) == "This session is over"
    assert path_of(clerk.get(f"{address}/document")) == address
    again = clerk.post(f"{address}/restart")
    new = path_of(again)
    assert new != address
    after = counter.order(new)
    assert after
    assert (after.identifier, after.iccid) == (before.identifier, before.iccid)
    assert counter.order(address) is None
    assert path_of(clerk.get(new)) == f"{new}/document"


def test_a_doubt_offers_the_step_again_and_other_ways(counter: Counter, clerk: Browser) -> None:
    address = counter.opened(clerk)
    counter.give(address, clip=None, face_clip_document=None, digits=None)
    result = clerk.follow(clerk.post(f"{address}/decision"))
    assert heading(result) == "One step once more"
    assert f'href="{address}/person"' in result.text
    assert f'href="{address}/other-way"' in result.text
    assert "attempts are left." in result.text


def test_evidence_that_contradicts_opens_nothing(counter: Counter, clerk: Browser) -> None:
    address = counter.opened(clerk)
    counter.give(address, face_clip_document=FaceVotes(0.01, 0.02))
    result = clerk.follow(clerk.post(f"{address}/decision"))
    assert heading(result) == "Not proven"
    assert "FACE_MISMATCH" in result.text
    assert path_of(clerk.get(f"{address}/contract")) == address
    assert path_of(clerk.get(address)) == f"{address}/result"


def test_an_authority_that_is_silent_is_asked_again(counter: Counter, clerk: Browser) -> None:
    address = counter.opened(clerk)
    counter.give(address)
    counter.app.state.authority = KnowsEverybody(answers=False)
    result = clerk.follow(clerk.post(f"{address}/decision"))
    counter.app.state.authority = KnowsEverybody()
    assert heading(result) == "People must look at it"
    assert heading(clerk.follow(clerk.post(f"{address}/decision"))).startswith("Proven")


def test_a_wrong_code_counts_and_the_right_one_registers_once(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    code = customers_code(clerk, address)
    wrong = clerk.post(f"{address}/confirmation", {"code": str((int(code) + 1) % 10**6).zfill(6)})
    assert (wrong.status_code, "2 attempts are left." in wrong.text) == (409, True)
    assert clerk.post(f"{address}/confirmation", {"code": "abc"}).status_code == 422
    first = clerk.post(f"{address}/confirmation", {"code": code})
    second = clerk.post(f"{address}/confirmation", {"code": code})
    assert path_of(first) == f"{address}/activation"
    assert path_of(second) == address
    assert path_of(clerk.get(f"{address}/contract")) == address
    assert path_of(clerk.get(f"{address}/number")) == address


def test_a_yes_on_the_customers_own_phone_is_seen_at_the_counter(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    assert "Waiting for the customer" in clerk.part(f"{address}/confirmation").text
    token = next(each.value for each in clerk.http.cookies.jar if each.name == "shiming_counter_link")
    assert token not in clerk.get(f"{address}/contract").text
    counter.browser().http.post(f"/v1/confirmations/{token}/yes")
    assert "said yes" in clerk.part(f"{address}/confirmation").text
    assert path_of(clerk.get(address)) == f"{address}/activation"
    assert path_of(clerk.post(f"{address}/activation")) == f"{address}/activation"
    assert path_of(clerk.post(f"{address}/activation")) == address


def test_another_code_comes_only_after_a_while(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    soon = clerk.post(f"{address}/code", {"delivery": "link"})
    assert (soon.status_code, "CONFIRMATION_CODE_TOO_SOON" in soon.text) == (409, True)
    counter.clock.at += timedelta(seconds=31)
    assert "This is a new code" in clerk.follow(clerk.post(f"{address}/code", {"delivery": "link"})).text
    none = clerk.post(f"{address}/code", {"delivery": "own_line"})
    assert "CONFIRMATION_NO_OWN_LINE" in none.text


def test_a_contract_without_consent_is_not_recorded(counter: Counter, clerk: Browser) -> None:
    address = counter.proven(clerk)
    form = agreement(clerk.get(f"{address}/contract?terms=zh").text)
    assert form["language"] == "zh"
    del form["not_passed_on"]
    assert clerk.post(f"{address}/contract", form).status_code == 422
    form["not_passed_on"] = "true"
    other = clerk.post(f"{address}/contract", {**form, "content_hash": "sha256:" + "0" * 64})
    assert (other.status_code, "TERMS_CONTENT_DIFFERS" in other.text) == (409, True)
    order = counter.order(address)
    assert order
    assert order.terms is None


def test_another_number_takes_the_customers_yes_back(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    page = clerk.get(f"{address}/number").text
    before = counter.order(address)
    assert before
    numbers = re.findall(r'value="(\+\d+)"', page)
    form = {"identifier": numbers[-1], "iccid": before.iccid or "", "sim_form": "esim"}
    assert path_of(clerk.post(f"{address}/number", form)) == address
    after = counter.order(address)
    assert after
    assert after.identifier != before.identifier
    assert after.confirmation is None
    assert clerk.post("/counter", counter.form(clerk, identifier=numbers[0])).status_code == 303  # it is free


def test_what_is_given_up_is_free_again(counter: Counter, clerk: Browser) -> None:
    address = counter.proven(clerk)
    order = counter.order(address)
    assert order
    assert path_of(clerk.post(f"{address}/leave")) == "/counter"
    assert counter.order(address) is None
    assert heading(clerk.get(address)) == "This session is over"
    number = order.identifier.reveal("test") if order.identifier else ""
    again = counter.form(clerk, identifier=number, iccid=order.iccid or "")
    assert clerk.post("/counter", again).status_code == 303


def test_a_refusal_names_its_rule_and_the_next_step(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    counter.clock.at += timedelta(minutes=45)
    clerk = counter.staff()
    clerk.post(f"{address}/code", {"delivery": "link"})
    refused = clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    assert (refused.status_code, heading(refused)) == (409, "Activation")
    assert "SESSION_TOO_OLD" in refused.text
    assert f'action="{address}/restart"' in refused.text


def test_who_is_acted_for_is_led_to_the_one_who_acts(counter: Counter, clerk: Browser) -> None:
    principal = counter.proven(clerk, holder="proxy")
    elsewhere = counter.staff()  # another browser at another counter: no cookie of the first one
    assert f'href="{principal}/representative"' in elsewhere.get(f"{principal}/result").text
    assert "Go on with their proof" not in elsewhere.get(f"{principal}/representative").text
    acting = path_of(clerk.post(f"{principal}/representative", {"role": "proxy"}))
    assert f'href="{acting}"' in elsewhere.get(f"{principal}/representative").text
    restarted = counter.order(path_of(clerk.post(f"{principal}/restart")))
    assert restarted is not None
    assert restarted.awaited == AwaitedRepresentative(RepresentativeRole.PROXY)
    minor = counter.opened(clerk, holder="minor")
    counter.give(minor, document=a_minors_document())
    result = clerk.follow(clerk.post(f"{minor}/decision"))
    assert "guardian" in result.text
    assert path_of(clerk.get(f"{minor}/contract")) == minor


def a_minors_document() -> object:
    from tests.identity_proofing.proofing_builders import a_document  # noqa: PLC0415

    return a_document(age_years=12)


def test_no_page_of_the_counter_takes_identity_data(counter: Counter, clerk: Browser) -> None:
    address = counter.opened(clerk)
    pages = [clerk.get("/counter"), clerk.get(f"{address}/document"), clerk.get(f"{address}/number")]
    counter.give(address)
    clerk.post(f"{address}/decision")
    pages += [clerk.get(f"{address}/{name}") for name in ("result", "contract")]
    names = {
        name
        for page in pages
        for name in re.findall(r'<(?:input|textarea|select)[^>]* name="([^"]+)"', page.text)
    }
    assert all(page.status_code == 200 for page in pages)
    assert names <= {
        *("csrf_token", "key", "operator", "offer", "holder", "channel", "identifier", "iccid", "sim_form"),
        *("ending", "back", "version", "content_hash", "language", "agreed", "not_passed_on"),
    }


@pytest.mark.parametrize("current", SHOWN)
def test_the_bar_has_one_current_step(current: Step) -> None:
    states = [state for _, state in bar_of(current, current)]
    assert states.count("current") == 1
    assert states.index("current") == SHOWN.index(current)
    assert "coming" not in states[: states.index("current")]


def test_the_bar_of_a_look_back_shows_what_is_done_already() -> None:
    assert dict(bar_of(Step.RESULT, Step.RECEIPT))["contract"] == "done"
    assert dict(bar_of(Step.OVER, Step.CONTRACT))["document"] == "done"
