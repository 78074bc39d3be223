"""Announcing new terms: everybody once, by a date, in batches, from wherever it stopped; on both engines."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shiming.infrastructure.database import reading, unit_of_work
from shiming.jurisdictions.model import Channel, EntryKind
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.model.terms import PublishedTerms, Terms
from shiming.registrations.store.notices import notices
from shiming.registrations.store.tables import lines
from shiming.registrations.store.terms import add_terms
from shiming.registrations.use_cases.notices import record_delivery
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.terms_upgrade import CampaignHolder, CampaignState, CampaignStep, TermsCampaign
from shiming.transfers.use_cases import terms_upgrades as campaigns
from shiming.vocabulary.errors import BadInput, Text
from tests.privacy.builders import NOW
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OPERATOR,
    RECEIVER,
    TransferDesk,
    a_transfer_desk,
    codes,
)

SOON, THEN = LATER + timedelta(days=5), LATER + timedelta(days=40)


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[TransferDesk]:
    desk = a_transfer_desk(tmp_path, database_url)
    with unit_of_work(desk.engine) as connection:
        terms = Terms(OPERATOR, "2026-12", THEN.date(), Text(zh="协议", en="Terms"), ())
        add_terms(connection, PublishedTerms(terms, "sha256:0", NOW))
    yield desk
    desk.engine.dispose()


def draft(desk: TransferDesk, version: str = "2026-12", **dates: datetime) -> TermsCampaign | TransferRefused:
    when = {"notify_by": SOON, "takes_effect_at": THEN, **dates}
    found: TermsCampaign | TransferRefused = desk.run(
        lambda c: campaigns.draft_campaign(
            desk.tools,
            c,
            operator=OPERATOR,
            terms_version=version,
            notify_by=when["notify_by"],
            takes_effect_at=when["takes_effect_at"],
            policy=desk.policy,
            now=LATER,
        )
    )
    return found


def step(desk: TransferDesk, campaign_id: str, what: CampaignStep) -> TermsCampaign | TransferRefused:
    found: TermsCampaign | TransferRefused = desk.run(
        lambda c: campaigns.step_campaign(desk.tools, c, campaign_id, what, policy=desk.policy, now=LATER)
    )
    return found


def started(desk: TransferDesk) -> str:
    campaign = draft(desk)
    assert isinstance(campaign, TermsCampaign)
    running = step(desk, campaign.campaign_id, CampaignStep.START)
    assert isinstance(running, TermsCampaign)
    assert running.state is CampaignState.RUNNING
    return campaign.campaign_id


def holders(desk: TransferDesk, many: int, lines_each: int = 1) -> None:
    """Write lines straight into the table: a campaign only reads them."""
    rows = [
        {
            "line_id": f"REG-{person:05d}-{index}",
            "operator": OPERATOR,
            "number": f"+86138{person:06d}{index:02d}",
            "kind": "mobile",
            "product_class": "voice",
            "cap_scope": "",
            "subject": f"p1.{person}",
            "session_id": f"SES-{person}-{index}",
            "position": 1,
            "status": LineStatus.ACTIVE.value,
            "registered_at": NOW,
        }
        for person in range(many)
        for index in range(lines_each)
    ]
    with unit_of_work(desk.engine) as connection:
        connection.execute(lines.insert(), rows)


def run(desk: TransferDesk, **more: Any) -> int:
    return campaigns.run_campaigns(desk.tools, desk.engine, **{"now": LATER, "batch": 50, **more})


def test_everybody_is_told_once_however_many_lines_they_have(counter: TransferDesk) -> None:
    holders(counter, 300, lines_each=2)
    campaign_id = started(counter)
    assert run(counter) == 300
    assert run(counter) == 0
    with reading(counter.engine) as connection:
        reach = campaigns.reach_of(connection, campaign_id)
        told = connection.execute(notices.select()).all()
    assert (reach.holders, reach.accepted, reach.not_reached) == (300, 0, 300)
    assert len({row.subject for row in told}) == len(told) == 300
    assert reach.campaign.all_queued


def test_a_campaign_goes_on_where_it_was_stopped(counter: TransferDesk) -> None:
    holders(counter, 120)
    started(counter)
    looks = iter([False, True])
    assert run(counter, stopping=lambda: next(looks)) == 50
    assert run(counter) == 70


def test_lines_that_are_pending_or_over_are_not_told(counter: TransferDesk) -> None:
    counter.line(GIVER, 1, active=False)
    ended = counter.line(RECEIVER, 2)
    counter.desk.terminate(ended, now=LATER)
    started(counter)
    assert run(counter) == 0


def test_who_was_not_reached_is_named_by_line_only(counter: TransferDesk) -> None:
    holders(counter, 3)
    campaign_id = started(counter)
    run(counter)
    with reading(counter.engine) as connection:
        by_subject = {row.subject: row.notice_id for row in connection.execute(notices.select())}
    privacy = counter.tools.registrations.privacy
    for subject, state, why in (
        ("p1.0", NoticeState.DELIVERED, None),
        ("p1.1", NoticeState.FAILED, "REJECTED"),
    ):
        with unit_of_work(counter.engine) as connection:
            record_delivery(privacy, connection, by_subject[subject], state, now=LATER, failure=why)
    missed = list(campaigns.walk_not_reached(counter.engine, campaign_id, batch=1))
    assert [(each.line_id, each.state) for each in missed] == [
        ("REG-00001-0", "failed"),
        ("REG-00002-0", "queued"),
    ]
    accepted = accept(counter, campaign_id, "REG-00002-0")
    assert accepted.accepted_at == LATER
    assert accept(counter, campaign_id, "REG-00002-0") == accepted
    with reading(counter.engine) as connection:
        reach = campaigns.reach_of(connection, campaign_id)
    assert (reach.accepted, reach.not_reached) == (1, 1)
    assert [each.line_id for each in campaigns.walk_not_reached(counter.engine, campaign_id)] == [
        "REG-00001-0"
    ]


def accept(desk: TransferDesk, campaign_id: str, line_id: str) -> CampaignHolder:
    found: CampaignHolder = desk.run(
        lambda c: campaigns.accept_new_terms(desk.tools, c, campaign_id, line_id, session_id=None, now=LATER)
    )
    return found


def test_terms_that_are_accepted_on_an_order_count_for_the_campaign(counter: TransferDesk) -> None:
    line_id = counter.line()
    campaign_id = started(counter)
    run(counter)
    accepted = TermsAcceptance("2026-12", "sha256:0", LATER, Channel.SHOP)
    counter.prove("SES-A", GIVER)
    counter.order(line_id, "SES-A", EntryKind.SIM_REPLACEMENT, terms=accepted)
    for session_id in ("SES-A", "SES-A", "SES-0"):  # twice is once; a session without an order is nothing
        counter.run(lambda c, of=session_id: campaigns.follow_acceptance(counter.tools, c, of, now=LATER))
    with reading(counter.engine) as connection:
        assert campaigns.reach_of(connection, campaign_id).accepted == 1


def test_only_who_was_asked_can_accept(counter: TransferDesk) -> None:
    line_id = counter.line()
    campaign = draft(counter)
    assert isinstance(campaign, TermsCampaign)
    for _ in range(2):
        with pytest.raises(BadInput, match="HOLDER_NOT_IN_CAMPAIGN"):
            accept(counter, campaign.campaign_id, line_id)
        step(counter, campaign.campaign_id, CampaignStep.START)


def test_a_campaign_is_done_when_its_terms_take_effect(counter: TransferDesk) -> None:
    counter.line()
    campaign_id = started(counter)
    assert run(counter) == 1
    with reading(counter.engine) as connection:
        assert campaigns.get_campaign(connection, campaign_id).state is CampaignState.RUNNING
    assert run(counter, now=THEN) == 0
    with reading(counter.engine) as connection:
        assert campaigns.get_campaign(connection, campaign_id).state is CampaignState.DONE
    assert codes(step(counter, campaign_id, CampaignStep.CANCEL)) == {"TERMS_CAMPAIGN_STATE"}


def test_a_cancelled_campaign_tells_nobody(counter: TransferDesk) -> None:
    counter.line()
    campaign_id = started(counter)
    step(counter, campaign_id, CampaignStep.CANCEL)
    assert run(counter) == 0


def test_a_version_has_one_campaign_and_must_be_published_and_in_time(counter: TransferDesk) -> None:
    assert codes(draft(counter, takes_effect_at=SOON)) == {"TERMS_NOTICE_TOO_SHORT"}
    assert draft(counter) == draft(counter)
    with pytest.raises(BadInput, match="TERMS_UNKNOWN"):
        draft(counter, "2027-01")
    with reading(counter.engine) as connection, pytest.raises(BadInput, match="CAMPAIGN_UNKNOWN"):
        campaigns.get_campaign(connection, "TCM-0")
