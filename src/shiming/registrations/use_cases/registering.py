"""Give a number to the person of a verified session, through the connection that everything else uses.

Servers register through `hot_path`, which does the same by a driver of its own.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import (
    LineRegistered,
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    RegistrationRefused,
    SessionUsable,
)
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.receipts import sign_receipt
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.store.facts import read_facts
from shiming.registrations.store.lines import find_line, find_receipt
from shiming.registrations.store.writing import Changed, write
from shiming.registrations.use_cases.drafting import (
    LEAF_KIND,
    draft_registration,
    leaf_facts,
    new_line,
    parameters_of,
)
from shiming.registrations.use_cases.representation import read_representation
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import Text, Unavailable
from shiming.vocabulary.permissions import asks, inside

#: Each time the facts had changed before they were acted on; the second look nearly always finds a refusal.
LOOKS_MAX = 8


@asks(MayRegisterLine)
def register_line(
    tools: RegistrationTools,
    connection: Connection,
    command: RegisterLine,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> LineRegistered | RegistrationRefused:
    """Give a number to the person of a verified session; the same session and number again is the same act.

    (1) read the facts; (2) the rules decide; (3) write it all, or nothing when a fact has changed meanwhile:
    then read again, and let the rules say what it means. The receipt is signed.
    """
    for _ in range(LOOKS_MAX):
        facts = read_facts(connection, parameters_of(command, policy, now)).facts
        used_by = facts.session and facts.session.consumed_by
        former = find_line(connection, used_by) if used_by else None
        if former is not None and is_same(former, command):
            return LineRegistered(issue_receipt(tools, connection, former), repeated=True)
        facts = with_representation(connection, facts, policy, now)
        session = decide_registration(command, facts, policy, sandbox=tools.sandbox, now=now)
        if isinstance(session, RegistrationRefused):
            record_refusal(tools, connection, command, session, now=now)
            return session
        written = write_registration(tools, connection, command, session, facts, policy=policy, now=now)
        if written is not None:
            return written[1]
    raise too_busy()


@inside("shared by the ways of registering that use the connection of everything else")
def write_registration(
    tools: RegistrationTools,
    connection: Connection,
    command: RegisterLine,
    session: SessionUsable,
    facts: RegistrationFacts,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> tuple[Line, LineRegistered] | None:
    """Write a registration with its leaf, in a savepoint; None: a fact has changed, nothing is written."""
    line = new_line(tools, command, session, facts, policy=policy, now=now)
    try:
        with connection.begin_nested():
            leaf = record(
                connection,
                tools.privacy.keys,
                kind=LEAF_KIND,
                facts=leaf_facts(line, session, policy),
                now=now,
                operator=line.operator,
            )
            draft, content = draft_registration(line, session, facts, policy=policy, leaf=leaf)
            active = write(connection, draft)
    except Changed:
        return None
    return line, LineRegistered(sign_receipt(content, tools.signer), active=active)


@inside("shared by the ways of registering that use the connection of everything else")
def with_representation(
    connection: Connection, facts: RegistrationFacts, policy: RegistrationPolicy, now: datetime
) -> RegistrationFacts:
    """Add what is known of who acts for the holder, where somebody does."""
    if policy.rules is None or facts.order is None or facts.order.representative is None:
        return facts
    acting = read_representation(connection, facts.order, policy=policy.rules, now=now)
    return replace(facts, representation=acting)


@inside("shared by the ways of registering")
def is_same(former: Line, command: RegisterLine) -> bool:
    """Say whether a session was used up by the very registration that is asked for again."""
    return (former.number, former.operator) == (command.number, command.operator)


@inside("shared by the ways of registering and of reading")
def issue_receipt(tools: RegistrationTools, connection: Connection, line: Line) -> dict[str, object]:
    """Return the signed receipt of a line that exists."""
    content = find_receipt(connection, line)
    if content is None:
        message = f"line {line.line_id} has no registration"
        raise LookupError(message)
    return sign_receipt(content, tools.signer)


@inside("shared by the ways of registering")
def record_refusal(
    tools: RegistrationTools,
    connection: Connection,
    command: RegisterLine,
    refused: RegistrationRefused,
    *,
    now: datetime,
) -> None:
    """Record the refusal of a session that exists; what was typed for no session is no record."""
    codes = [refusal.code.value for refusal in refused.refusals]
    if RefusalCode.SESSION_UNKNOWN in codes:
        return
    facts: dict[str, Fact] = {
        "session": command.session_id,
        "operator": command.operator,
        "codes": ",".join(codes),
    }
    record(
        connection,
        tools.privacy.keys,
        kind="registration.refused",
        facts=facts,
        now=now,
        operator=command.operator,
    )


@inside("shared by the ways of registering")
def too_busy() -> Unavailable:
    """Return the error for a registration whose facts changed each time it looked."""
    return Unavailable(
        "SESSION_IN_USE",
        Text(zh="相关记录正被其他办理使用。", en="Other registrations keep changing the same records."),
        Text(zh="请稍后重试；尚未写入任何内容。", en="Try again in a moment; nothing was written."),
    )
