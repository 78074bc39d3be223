"""The counter's first pages: what is opened once, by whom, and what does not fit."""

import re

import pytest

from shiming.accounts.model import Role
from tests.entrypoints.pages.counter_world import (
    FIRST,
    TWO,
    Browser,
    Counter,
    heading,
    path_of,
    value_of,
)
from tests.registrations.stock_builders import an_iccid


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
