"""Open sessions, give out challenges, take their answers in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from shiming.identity_proofing import store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.challenge import Challenge, ChallengeOrigin, Language
from shiming.identity_proofing.model.evidence import ChallengeEvidence
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.permissions import MayConductSession
from shiming.identity_proofing.rules.challenge_document import challenge_content, parse_challenge
from shiming.identity_proofing.rules.challenge_drawing import draw_challenge
from shiming.identity_proofing.rules.recording import record_challenge
from shiming.identity_proofing.rules.requirements import live_evidence_wanted
from shiming.identity_proofing.rules.sessions import begin_session, take_route
from shiming.identity_proofing.rules.vouching import route_offered
from shiming.identity_proofing.use_cases.tools import CHALLENGE, SESSION, ProofingTools
from shiming.infrastructure.canonical_json import content_hash
from shiming.jurisdictions.model import Channel, DigitsMode, Gesture, Policy, Route
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside


@dataclass(frozen=True, slots=True)
class Application:
    """How somebody applies: where, on which route, as which category of person, with which operator."""

    channel: Channel
    route: Route
    category: str = "adult"
    operator: str | None = None


@asks(MayConductSession)
def open_session(
    tools: ProofingTools, connection: Connection, application: Application, policy: Policy
) -> Session:
    """Open a session and return it."""
    require_known(application, policy)
    session = begin_session(
        tools.new_reference(SESSION),
        policy,
        channel=application.channel,
        route=application.route,
        subject=application.category,
        now=tools.clock.now(),
    )
    store.add_session(connection, session, application.operator)
    facts = {"session": session.id, "channel": session.channel.value, "pack": session.pack_hash}
    tools.record(connection, kind="proofing.opened", facts=facts, operator=application.operator or "")
    return session


@asks(MayConductSession)
def session_for_challenge(
    tools: ProofingTools,
    connection: Connection,
    application: Application,
    policy: Policy,
    session_id: str | None,
) -> Session:
    """Return the session to go on with, on the route asked for now, or a new one."""
    if session_id is None:
        return open_session(tools, connection, application, policy)
    require_known(application, policy)
    session = store.get_session(connection, session_id)
    if session.state.is_final or tools.clock.now() >= session.expires_at:
        raise BadInput(
            "SESSION_CLOSED",
            Text(zh="这次办理已经结束。", en="This session is over."),
            advice=Text(zh="请重新办理。", en="Start a new session."),
        )
    going_on = take_route(session, application.route, policy)
    store.go_on_with(connection, going_on, application.operator)
    return going_on


@inside("checked by every use case that opens a session")
def require_known(application: Application, policy: Policy) -> None:
    """Refuse a channel, a route or a category of person that the pack has no rules for."""
    known = (
        (application.channel, policy.channels, "channel"),
        (application.route, policy.routes, "route"),
        (application.category, policy.documents, "subject"),
    )
    for value, rules, what in known:
        if value not in rules:
            raise BadInput(
                "POLICY_WITHOUT_RULES",
                Text(zh="规则包没有这一项的规则。", en=f"The pack has no rules for this {what}: {value}."),
                advice=Text(zh=f"可选：{'、'.join(rules)}。", en=f"Choose among: {', '.join(rules)}."),
            )
    if not route_offered(policy, application.channel, application.route):
        raise refused("REFEREE_NOT_FORESEEN")


@inside("checked by every use case that takes live evidence or asks for it")
def require_live_evidence(policy: Policy, channel: Channel, route: Route) -> None:
    """Refuse a clip or digits where no check of the pack needs them: what is not needed is not collected."""
    if not live_evidence_wanted(policy, channel, route):
        raise refused("LIVE_EVIDENCE_NOT_ASKED")


@asks(MayConductSession)
def give_challenge(
    tools: ProofingTools, connection: Connection, session: Session, policy: Policy, language: Language
) -> Challenge:
    """Draw a challenge for a session, remember it, and return it."""
    require_live_evidence(policy, session.channel, session.route)
    if tools.rehearsed is not None:
        steps, digits = tools.rehearsed.steps, tools.rehearsed.digits
        return give_chosen_challenge(
            tools, connection, session, policy, language=language, steps=steps, digits=digits
        )
    challenge = draw_challenge(
        policy,
        session.route,
        challenge_id=tools.new_reference(CHALLENGE),
        session_id=session.id,
        language=language,
        randomness=tools.random,
        now=tools.clock.now(),
        recent_digits=store.recent_digits(connection),
    )
    store.add_challenge(connection, challenge)
    return challenge


@asks(MayConductSession)
def give_chosen_challenge(
    tools: ProofingTools,
    connection: Connection,
    session: Session,
    policy: Policy,
    *,
    language: Language,
    steps: tuple[Gesture, ...],
    digits: str,
) -> Challenge:
    """Record a challenge that somebody chose, for an evaluation or a training; it stays marked as chosen."""
    now, mode = tools.clock.now(), policy.routes[session.route].digits.value
    challenge = Challenge(
        id=tools.new_reference(CHALLENGE),
        session_id=session.id,
        origin=ChallengeOrigin.CHOSEN,
        route=session.route,
        steps=steps,
        digits=digits,
        digits_mode=mode if digits else DigitsMode.NONE,
        language=language,
        drawn_at=now,
        expires_at=now + timedelta(seconds=policy.challenge.life_seconds.value),
    )
    store.add_challenge(connection, challenge)
    return challenge


@inside("reads for `prove` and for the steps, which ask")
def read_challenge(tools: ProofingTools, document: Mapping[str, Any], policy: Policy) -> Challenge:
    """Read a challenge document as it came back from the applicant's side."""
    return parse_challenge(document, policy, tools.clock.now())


@inside("taken by `prove` and by the steps, which ask")
def receive_challenge(
    connection: Connection, challenge: Challenge, session_id: str, received_at: datetime
) -> ChallengeEvidence:
    """Compare a challenge with what is remembered, and use it up: this is its one answer."""
    record = store.find_challenge(connection, challenge.id) if challenge.id else None
    evidence = record_challenge(
        challenge, record, content_hash(challenge_content(challenge)), session_id, received_at
    )
    if record and not store.use_challenge(connection, record.id, received_at):
        return replace(evidence, used_before=True)
    return evidence
