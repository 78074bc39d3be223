"""Numbers and cards at the desk; over real HTTP, without script."""

from tests.entrypoints.pages.desk_builders import ONE, TWO, a_number
from tests.entrypoints.pages.desk_site import Desk
from tests.registrations.stock_builders import an_iccid, an_imsi


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
