"""Who holds a line, read and judged: what is asked about lines that exist before they are changed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import EntryKind, EntryRequirement, Policy, ProductClass
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.holding import Act, ActKind, Capacity, HeldLine, Witness
from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import DonorConfirmation, LineOrder
from shiming.registrations.model.registration import (
    VERIFIED,
    CapReached,
    PoolNumber,
    RegistrationPolicy,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.receipts import sign_receipt
from shiming.registrations.rules.entry import decide_entry
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.registrations.rules.sims import is_card_free
from shiming.registrations.rules.stops import no_rule
from shiming.registrations.rules.velocity import day_of, decide_velocity
from shiming.registrations.store import holding as store
from shiming.registrations.store.cap_counters import (
    CounterKey,
    places_kept,
)
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.orders import change_order, find_order
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.store.sims import standing_of
from shiming.registrations.store.stops import stops_of
from shiming.registrations.store.terms import find_in_force
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside
from shiming.vocabulary.refusals import Refusal

_FEATURE = "transfers decides and asks the permission"
_HANDED = frozenset({ActKind.REGISTERED.value, ActKind.CHANGE_OF_HOLDER.value})


@inside(_FEATURE)
def find_held(connection: Connection, line_id: str) -> HeldLine | None:
    """Return a line as its holder has it; None when there is no such line."""
    line = find_line(connection, line_id)
    if line is None:
        return None
    acts = store.acts_of(connection, line)
    since = max((act.at for act in acts if act.kind in _HANDED), default=line.registered_at)
    stops = frozenset(stop.reason for stop in stops_of(connection, line) if stop.is_open)
    place = store.place_of(connection, line) if line.kind.has_place else None
    return HeldLine(line, since, len(acts), stops, place)


@inside(_FEATURE)
def check_proof(
    tools: RegistrationTools,
    connection: Connection,
    session_id: str,
    *,
    operator: str,
    policy: RegistrationPolicy,
    now: datetime,
) -> SessionUsable | SessionNotUsable:
    """Say whether a session proves a person, freshly, for this operator, and has served nothing yet."""
    return decide_session_usable(
        find_proven_session(connection, session_id),
        operator=operator,
        policy=policy,
        sandbox=tools.sandbox,
        now=now,
    )


@inside(_FEATURE)
def judge_entry(
    connection: Connection,
    held: HeldLine,
    order: LineOrder,
    witness: Witness,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> tuple[Refusal, ...]:
    """Return what the entry of this order demands and is not there."""
    recorded = store.is_identity_recorded(connection, witness.session_id, witness.usable.subject)
    rules, today = rules_of(policy), date.fromisoformat(day_of(now, policy.time_zone))
    terms = find_in_force(connection, held.line.operator, today)
    lacking = decide_entry(
        order,
        held.line.number,
        rules,
        identity_recorded=recorded,
        pool=PoolNumber(),
        now=now,
        terms_in_force=None if terms is None else terms.content_hash,
    )
    if order.iccid is None or EntryRequirement.SIM not in rules.entries[order.entry].requirements.value:
        return lacking
    card = standing_of(connection, order.iccid)
    if is_card_free(card, operator=order.operator, session_id=order.session_id, now=now):
        return lacking
    return (*lacking, Refusal(OrderRefusal.SIM_TAKEN, no_rule(rules)))


@inside(_FEATURE)
def judge_capacity(
    connection: Connection,
    line: Line,
    subject: str,
    order: LineOrder | None,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> Capacity:
    """Say whether a person may take this line as well: the cap of its product, places kept, velocity."""
    cap = policy.cap_of(ProductClass(line.product_class))
    if cap is None:
        return Capacity((), None)
    key = CounterKey(subject, cap.scope_of(line.operator), cap.name)
    counter = store.read_counter(connection, key)
    session_id = "" if order is None else order.session_id
    kept = places_kept(connection, key, session_id=session_id, now=now)
    reviewed = order is not None and order.review is not None
    counted = decide_line_cap(counter.active, cap.policy, places_kept=kept)
    refusals: list[Refusal] = []
    if isinstance(counted, CapReached) and not (counted.reviewable and reviewed):
        code = OrderRefusal.REVIEW_REQUIRED if counted.reviewable else RefusalCode.CAP_REACHED
        refusals.append(Refusal(code, counted.citation))
    refusals += decide_velocity(counter, cap.policy, now=now, time_zone=policy.time_zone)
    most = cap.policy.lines_per_holder_max.value
    allowed = max(most, counter.active + 1) if reviewed else most
    return Capacity(tuple(refusals), cap, counter, allowed)


@inside(_FEATURE)
def find_proven_person(connection: Connection, session_id: str) -> str | None:
    """Return whom a session proved, if it proved somebody."""
    session = find_proven_session(connection, session_id)
    return session.subject if session is not None and session.outcome == VERIFIED else None


@inside(_FEATURE)
def find_order_for_line(
    connection: Connection, line: Line, session_id: str, entry: EntryKind
) -> LineOrder | None:
    """Return the order of a session if it is of this entry and about this line."""
    order = find_order(connection, session_id)
    wanted = (entry, line.operator, line.number)
    return order if order and (order.entry, order.operator, order.identifier) == wanted else None


@inside(_FEATURE)
def find_order_of_session(connection: Connection, session_id: str) -> LineOrder | None:
    """Return the order of a session, held until the transaction ends."""
    return find_order(connection, session_id, for_update=True)


@inside(_FEATURE)
def keep_donor_confirmation(connection: Connection, session_id: str, agreed: DonorConfirmation) -> None:
    """Keep on an order that the operator which gives the number up has agreed."""
    change_order(
        connection,
        session_id,
        donor_reference=agreed.reference,
        donor_identifier=agreed.identifier.reveal("store"),
        donor_until=agreed.until,
    )


@inside(_FEATURE)
def find_act_receipt(
    tools: RegistrationTools, connection: Connection, line: Line, act: int
) -> dict[str, Any] | None:
    """Return the signed receipt of one act of a line."""
    content = store.find_act_receipt(connection, line, act)
    return None if content is None else sign_receipt(content, tools.signer)


@inside(_FEATURE)
def list_acts(connection: Connection, line: Line) -> tuple[Act, ...]:
    """Return the history of a line, oldest first."""
    return store.acts_of(connection, line)


@inside(_FEATURE)
def list_lines_in_use(connection: Connection, operator: str, *, after: str, limit: int) -> tuple[Line, ...]:
    """Return lines of an operator that have not ended, in the order of their references."""
    return store.list_held(connection, operator, after=after, limit=limit)


@inside("shared by the verbs of holding")
def rules_of(policy: RegistrationPolicy) -> Policy:
    """Return the whole rules behind a policy of registration."""
    if policy.rules is None:
        message = "lines that exist are changed under a whole policy only"
        raise LookupError(message)
    return policy.rules
