"""What came of a proof at the counter, what leads on from there, and who acts for somebody."""

from datetime import timedelta

import pytest

from shiming.entrypoints.pages.counter.journey import SHOWN, Step, bar_of
from shiming.identity_proofing.model.evidence import FaceVotes
from shiming.registrations.model.orders import AwaitedRepresentative, RepresentativeRole
from tests.entrypoints.pages.counter_world import (
    Browser,
    Counter,
    KnowsEverybody,
    heading,
    path_of,
)


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
    assert result.text.count("<code>NO_CLIP</code>") == 1, "three checks lack it: it is said once"


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
    assert "Ask the authority again" in result.text
    assert heading(clerk.follow(clerk.post(f"{address}/decision"))).startswith("Proven")


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


@pytest.mark.parametrize("current", SHOWN)
def test_the_bar_has_one_current_step(current: Step) -> None:
    states = [state for _, state in bar_of(current, current)]
    assert states.count("current") == 1
    assert states.index("current") == SHOWN.index(current)
    assert "coming" not in states[: states.index("current")]


def test_the_bar_of_a_look_back_shows_what_is_done_already() -> None:
    assert dict(bar_of(Step.RESULT, Step.RECEIPT))["contract"] == "done"
    assert dict(bar_of(Step.OVER, Step.CONTRACT))["document"] == "done"
