"""What a policy may not say: values that are right one by one and wrong together."""

from collections.abc import Iterator

from shiming.jurisdictions.model import (
    CheckName,
    Cited,
    DigitsMode,
    Gesture,
    Policy,
    Route,
    StopActor,
    StopReason,
)

SIDES = (Gesture.TURN_LEFT, Gesture.TURN_RIGHT)
#: Who must be able to set a stop, because nobody else does: the clocks of holders, a principal in person.
_SET_BY = {
    StopReason.HANDOVER_MISSED: StopActor.SYSTEM,
    StopReason.DOCUMENT_EXPIRED: StopActor.SYSTEM,
    StopReason.DISPUTE: StopActor.HOLDER,
}
_LIFTED_BY = {
    StopReason.HANDOVER_MISSED: StopActor.SYSTEM,
    StopReason.DOCUMENT_EXPIRED: StopActor.SYSTEM,
    StopReason.DISPUTE: StopActor.COMPLIANCE,
}


def inconsistencies(policy: Policy) -> Iterator[str]:
    """Yield each contradiction as `path: what is wrong`."""
    yield from _unequal_levels(policy)
    yield from _crossed_bounds(policy)
    yield from _documents(policy)
    yield from _channels(policy)
    yield from _routes(policy)
    yield from _referee(policy)
    yield from _stops(policy)


def _unequal_levels(policy: Policy) -> Iterator[str]:
    """Every way to prove oneself leads to the same level: nobody gets less for needing another way."""
    level = policy.assurance_level.value
    levels = {f"routes.{name}.level": route.level.value for name, route in policy.routes.items()}
    levels["assisted_review.level"] = policy.assisted_review.level.value
    yield from (f"{path}: {other} instead of {level}" for path, other in levels.items() if other != level)


def _crossed_bounds(policy: Policy) -> Iterator[str]:
    challenge, thresholds, clip = policy.challenge, policy.thresholds, policy.clip_limits
    quality = policy.document_quality
    ordered: dict[str, tuple[Cited[int] | Cited[float], Cited[int] | Cited[float]]] = {
        "challenge.gestures_min": (challenge.gestures_min, challenge.gestures_max),
        "challenge.digits_distance_min": (challenge.digits_distance_min, challenge.digits_length),
        "challenge.response_seconds_min": (challenge.response_seconds_min, challenge.response_seconds_max),
        "challenge.clip_seconds_min": (challenge.clip_seconds_min, challenge.clip_seconds_max),
        "time_limits.clip_seconds_max": (policy.time_limits.clip_seconds_max, clip.duration_seconds_max),
        "thresholds.face_similarity_review_min": (
            thresholds.face_similarity_review_min,
            thresholds.face_similarity_min,
        ),
        "thresholds.face_second_similarity_review_min": (
            thresholds.face_second_similarity_review_min,
            thresholds.face_second_similarity_min,
        ),
        "thresholds.digits_score_retry_min": (
            thresholds.digits_score_retry_min,
            thresholds.digits_score_accept_min,
        ),
        "document_quality.brightness_min": (quality.brightness_min, quality.brightness_max),
        "clip_limits.short_side_px_min": (clip.short_side_px_min, clip.long_side_px_max),
        "clip_limits.frame_rate_min": (clip.frame_rate_min, clip.frame_rate_max),
    }
    for path, (least, most) in ordered.items():
        if least.value > most.value:
            yield f"{path}: {least.value} is more than {most.value}"


def _documents(policy: Policy) -> Iterator[str]:
    for subject, rules in policy.documents.items():
        path = f"documents.{subject}"
        accepted = set(rules.accepted.value)
        if set(rules.sides_required.value) != accepted:
            yield f"{path}.sides_required: not the same documents as in accepted"
        if not accepted.issuperset(rules.manual_entry_forbidden.value):
            yield f"{path}.manual_entry_forbidden: a document that is not accepted"
        nameless = sorted({subject, *accepted} - set(policy.names))
        if nameless:
            yield f"{path}: without a name in [names]: {', '.join(nameless)}"
        unknown = sorted(accepted - set(policy.authority.identifier_types.value))
        if unknown:
            yield f"authority.identifier_types: missing {', '.join(unknown)}"


def _channels(policy: Policy) -> Iterator[str]:
    for channel, rules in policy.channels.items():
        if not rules.required_checks.value:
            yield f"channels.{channel}.required_checks: empty; no check is a refusal, not a pass"


def _routes(policy: Policy) -> Iterator[str]:
    asked = {check for rules in policy.channels.values() for check in rules.required_checks.value}
    for name, way in policy.routes.items():
        sides = [side in way.gestures.value for side in SIDES]
        if policy.challenge.both_sides_required.value and any(sides) and not all(sides):
            yield f"routes.{name}.gestures: one side only, and both are required"
        replaced = way.checks_replaced.value
        if not way.gestures.value and CheckName.GESTURES in asked and CheckName.GESTURES not in replaced:
            yield f"routes.{name}.checks_replaced: no gestures, and nothing stands in for them"
        silent = way.digits.value is DigitsMode.NONE
        if silent and CheckName.DIGITS in asked and CheckName.DIGITS not in replaced:
            yield f"routes.{name}.checks_replaced: no digits, and nothing stands in for them"
        if CheckName.AUTHORITY in replaced:
            yield f"routes.{name}.checks_replaced: nothing stands in for the authority"


def _referee(policy: Policy) -> Iterator[str]:
    """Nobody is let pass by one person: the route asks for the referee and for staff wherever it is open."""
    way, rules = policy.routes.get(Route.REFEREE), policy.referee
    for name, other in policy.routes.items():
        if name is not Route.REFEREE and CheckName.TRUSTED_REFEREE in other.checks_replaced.value.values():
            yield f"routes.{name}.checks_replaced: a referee vouches on the route referee alone"
    if way is None and rules is None:
        return
    if way is None or rules is None:
        yield "referee: the route and the section stand together or not at all"
        return
    if unknown := sorted(set(rules.categories.value) - set(policy.documents)):
        yield f"referee.categories: without documents: {', '.join(unknown)}"
    replaced = way.checks_replaced.value
    for channel in rules.channels.value:
        if channel not in policy.channels:
            continue  # not offered at all
        asked = {replaced.get(check, check) for check in policy.channels[channel].required_checks.value}
        if missing := sorted({CheckName.TRUSTED_REFEREE, CheckName.ASSISTED_REVIEW} - asked):
            yield f"routes.referee.checks_replaced: without {', '.join(missing)} in the channel {channel}"


def _stops(policy: Policy) -> Iterator[str]:
    for reason, actor in _SET_BY.items():
        rule = policy.stops.get(reason)
        if rule is None:
            yield f"stops.{reason}: missing"
            continue
        if actor not in rule.set_by.value:
            yield f"stops.{reason}.set_by: without {actor}, who sets it"
        if _LIFTED_BY[reason] not in rule.lifted_by.value:
            yield f"stops.{reason}.lifted_by: without {_LIFTED_BY[reason]}, who lifts it"
