"""What other rules would mean for the lines of a store, held against holdings that a test plants."""

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from shiming.entrypoints.pack_commands import app, in_words, store_url
from shiming.entrypoints.pack_simulation import Held, Simulation, holders_in, simulate
from shiming.infrastructure.database import create_tables, open_database, reading, unit_of_work
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import CapScope, HolderKind, Policy, ProductClass
from shiming.jurisdictions.pack_reader import policy_on
from shiming.registrations.store.iot_cards import iot_cards
from shiming.registrations.store.tables import lines
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import A_DAY, CAP, a_pack, a_policy, a_value
from tests.privacy.builders import NOW

VOICE, IOT = ProductClass.VOICE.value, ProductClass.IOT_GENERAL.value
HOLDINGS = {
    "p1.five_here_and_two_there": {Held("cn-mobile", VOICE): 5, Held("cn-unicom", VOICE): 2},
    "p1.four": {Held("cn-mobile", VOICE): 4},
    "p1.one": {Held("cn-mobile", VOICE): 1},
    "p1.nine_of_old": {Held("cn-mobile", VOICE): 9},
    "ORG-1": {Held("cn-mobile", VOICE): 40, Held("cn-mobile", IOT): 3},
}


@lru_cache  # reading a pack takes half a second
def a_cap_of(most: int) -> Policy:
    return a_policy(CAP, a_value(CAP, value=most))


def effect(outcome: Simulation, name: str = "cards") -> tuple[int, int]:
    cap = outcome.caps[name]
    return cap.holders_affected, cap.lines_affected


def test_the_same_rules_affect_nobody_however_much_they_hold() -> None:
    outcome = simulate(a_policy(), a_policy(), HOLDINGS.items())
    assert (outcome.holders, outcome.lines) == (5, 64)
    assert (outcome.holders_affected, outcome.lines_affected) == (0, 0)
    assert outcome.caps["cards"].holders_above_before == outcome.caps["cards"].holders_above_after > 0


def test_a_lower_cap_affects_who_holds_more() -> None:
    # five at one operator: two above three; four: one; nine of old: six above, of which four already were
    outcome = simulate(a_policy(), a_cap_of(3), HOLDINGS.items())
    people = {name: held for name, held in HOLDINGS.items() if name.startswith("p1.")}
    assert effect(simulate(a_policy(), a_cap_of(3), people.items())) == (3, 2 + 1 + 2)
    assert outcome.holders_affected >= 3


def test_a_higher_cap_affects_nobody() -> None:
    assert simulate(a_policy(), a_cap_of(50), HOLDINGS.items()).lines_affected == 0


def test_to_count_in_the_whole_country_adds_what_lies_at_several_operators() -> None:
    scope = "caps.cards.scope"
    national = a_policy(scope, a_value(scope, value=CapScope.NATIONAL.value))
    people = {name: held for name, held in HOLDINGS.items() if name.startswith("p1.")}
    assert effect(simulate(a_policy(), national, people.items())) == (1, 2)


def test_who_may_not_hold_a_product_any_more() -> None:
    holders = "products.voice.holders"
    people_only = a_policy(holders, a_value(holders, value=[HolderKind.PERSON.value]))
    outcome = simulate(a_policy(), people_only, HOLDINGS.items())
    (found,) = outcome.products.values()
    assert (found.product, found.holder) == (VOICE, HolderKind.ORGANISATION)
    assert (found.holders_affected, found.lines_affected) == (1, 40)
    assert outcome.holders_affected == 1


def test_a_product_that_no_rule_knows_is_counted_and_left_alone() -> None:
    outcome = simulate(a_policy(), a_cap_of(1), [("p1.x", {Held("cn-mobile", "telegraph"): 7})])
    assert (outcome.lines, outcome.lines_affected) == (7, 0)


held = st.dictionaries(
    st.builds(Held, st.sampled_from(["a", "b"]), st.sampled_from([each.value for each in ProductClass])),
    st.integers(1, 12),
    min_size=1,
)


@given(st.dictionaries(st.sampled_from(["p1.a", "p1.b", "ORG-1"]), held), st.sampled_from([0, 1, 3, 5, 12]))
def test_a_stricter_cap_affects_the_difference_of_what_lies_above(
    holdings: dict[str, Any], most: int
) -> None:
    now, then = a_policy(), a_cap_of(most)
    outcome = simulate(now, then, holdings.items())
    above = [simulate(a_cap_of(1_000), policy, holdings.items()).caps["cards"] for policy in (now, then)]
    expected = max(0, above[1].lines_affected - above[0].lines_affected)
    assert outcome.caps["cards"].lines_affected == expected
    assert outcome.holders_affected <= len(holdings)


def plant(engine: Engine) -> None:
    """Write the holdings as lines, with an ended one that nobody may count."""
    rows = [
        _line(f"{subject}-{operator}-{product}-{number}", operator, subject, product, "active")
        for subject, held_there in HOLDINGS.items()
        for (operator, product, _), count in held_there.items()
        for number in range(count)
    ]
    rows.append(_line("ended", "cn-mobile", "p1.four", VOICE, "terminated"))
    with unit_of_work(engine) as connection:
        connection.execute(lines.insert(), rows)


def _line(line_id: str, operator: str, subject: str, product: str, status: str) -> dict[str, Any]:
    return {
        "line_id": line_id[-40:],
        "operator": operator,
        "number": line_id[-60:],
        "product_class": product,
        "cap_scope": f"operator:{operator}",
        "subject": subject,
        "session_id": line_id[-60:],
        "status": status,
        "registered_at": NOW,
        "terminated_at": NOW if status == "terminated" else None,
    }


def test_a_store_is_read_holder_by_holder(database: Engine) -> None:
    plant(database)
    with reading(database) as connection:
        found = {subject: dict(held_there) for subject, held_there in holders_in(connection)}
    assert found == HOLDINGS


def test_cards_that_a_person_uses_count_under_their_cap(database: Engine) -> None:
    plant(database)
    row = {"operator": "cn-mobile", "state": "sold", "contract": "THG-1", "imported_at": NOW}
    cards = [
        row
        | {"iccid": f"8986{at}", "imsi": f"460{at}", "number": f"+86{at}", "actual_user": "p1.four"}
        | {"line_id": f"ORG-1-cn-mobile-{IOT}-{at}"}
        for at in range(3)
    ]
    with unit_of_work(database) as connection:
        connection.execute(iot_cards.insert(), cards)
    cap = "caps.iot_general_cards.lines_per_holder_max"
    lower = a_policy(cap, a_value(cap, value=2))
    with reading(database) as connection:
        outcome = simulate(a_policy(), lower, holders_in(connection))
    assert effect(outcome, "iot_general_cards") == (1, 1)
    assert (outcome.holders, outcome.lines) == (5, 64)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    engine = open_database(f"sqlite:///{tmp_path / 'shiming.db'}")
    create_tables(engine, schema)
    plant(engine)
    engine.dispose()
    return tmp_path


def run(*arguments: str) -> str:
    platform = SimpleNamespace(settings=SimpleNamespace(pack="cn"))
    done = CliRunner().invoke(app, list(arguments), obj=lambda: platform)
    if isinstance(done.exception, BadInput):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_tells_numbers_and_names_nobody(store: Path) -> None:
    arguments = ["simulate", "cn", "--over", str(store), "--on", A_DAY.isoformat()]
    assert "Affected: 0 holders, 0 lines." in run(*arguments)
    lower = [*arguments, "--set", f"{CAP}=3"]
    assert "goes from 5 (at one operator) to 3 (at one operator): 3 holders, 5 lines" in run(*lower)
    assert "由5 (同一经营者)改为3 (同一经营者)：3个持有人，5条线路" in run(*lower, "--language", "zh")
    report = json.loads(run(*lower, "--json"))
    assert (report["holders"], report["lines_affected"]) == (5, 5)
    assert "p1." not in json.dumps(report)


def test_rules_of_another_country_over_these_lines(store: Path) -> None:
    arguments = ["simulate", "pk", "--over", f"sqlite:///{store / 'shiming.db'}", "--on", A_DAY.isoformat()]
    report = json.loads(run(*arguments, "--json"))
    assert (report["before"]["pack"], report["after"]["pack"]) == ("cn", "pk")
    assert json.loads(run(*arguments, "--against", "pk", "--json"))["lines_affected"] == 0


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="STORE_UNKNOWN"):
        run("simulate", "cn", "--over", str(tmp_path))
    with pytest.raises(BadInput, match="STORE_UNKNOWN"):
        store_url(f"sqlite:///{tmp_path}/none.db")
    assert store_url("postgresql://somewhere/x") == "postgresql://somewhere/x"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("language", "word"), [("zh", "无上限"), ("en", "none")])
def test_a_cap_that_one_side_does_not_have(language: str, word: str) -> None:
    cap = "caps.spare"
    with_cap = policy_on(a_pack(cap, _a_cap()), A_DAY)
    assert word in "\n".join(in_words(simulate(a_policy(), with_cap, ()), language))


def _a_cap() -> dict[str, Any]:
    names = ("lines_per_holder_max", "scope", "at_cap", "reservation_minutes")
    return {name: a_value(f"caps.cards.{name}") for name in names}


@pytest.mark.parametrize(("language", "word"), [("zh", "不得再持有"), ("en", "no longer for a holder")])
def test_a_product_in_words(language: str, word: str) -> None:
    holders = "products.voice.holders"
    after = a_policy(holders, a_value(holders, value=[HolderKind.PERSON.value]))
    held_there = Counter({Held("cn-mobile", VOICE): 2})
    assert word in "\n".join(in_words(simulate(a_policy(), after, [("ORG-1", held_there)]), language))
