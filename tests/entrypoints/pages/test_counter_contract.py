"""From the contract to the receipt at the counter: consent, the customer's yes, the line, the message."""

import re
from datetime import timedelta

import pytest

from shiming.accounts.model import Role
from tests.entrypoints.pages.counter_world import (
    ONE,
    TWO,
    Browser,
    Counter,
    agreement,
    customers_code,
    heading,
    path_of,
    reached,
    told_by_message,
)


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
    link, _ = told_by_message(counter, line)
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
        assert (home.get(wrong).status_code, "does not work" in home.get(wrong).text) == (404, True)


@pytest.mark.parametrize("sign", ["script", "paper"])
def test_a_preview_reaches_nobody_and_a_reader_is_reached_once(
    counter: Counter, clerk: Browser, sign: str
) -> None:
    address = counter.accepted(clerk)
    clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    clerk.post(f"{address}/receipt-message")
    line = re.findall(r"REG-[0-9A-Z-]+", clerk.get(f"{address}/receipt").text)[0]
    counter.switched_on(line)
    link, notice = told_by_message(counter, line)
    messenger = counter.browser()
    page = messenger.get(link)
    for more in ("", "/receipt.pdf", "/read"):
        assert messenger.http.head(f"{link}{more}").status_code == 405
    assert messenger.get(f"{link}/read").status_code == 405
    assert reached(counter, notice) == 0
    said = re.findall(r'data-when-shown="([^"]+)"', page.text)[0]
    for _ in range(2):
        if sign == "script":
            answer = messenger.http.post(said)
            assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
        else:
            assert messenger.get(f"{link}/receipt.pdf").status_code == 200
        assert reached(counter, notice) == 1
    assert messenger.post("/r/" + "A" * 43 + "/read").status_code == 404


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


def test_a_refusal_names_its_rule_and_the_next_step(counter: Counter, clerk: Browser) -> None:
    address = counter.accepted(clerk)
    counter.clock.at += timedelta(minutes=45)
    clerk = counter.staff()
    clerk.post(f"{address}/code", {"delivery": "link"})
    refused = clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    assert (refused.status_code, heading(refused)) == (409, "Activation")
    assert "SESSION_TOO_OLD" in refused.text
    assert f'action="{address}/restart"' in refused.text
