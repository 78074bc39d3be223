"""The card that was ordered goes into the line when it is registered."""

from sqlalchemy.engine import Engine

from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.sims import SimRefusal
from shiming.registrations.model.sims import SimRefused
from shiming.registrations.use_cases.sims import assign_ordered_sim
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import Text, Unavailable


def put_in_ordered_sim(tools: RegistrationTools, engine: Engine, line_id: str, *, policy: Policy) -> None:
    """Put it in, once; Unavailable - a dead letter in the end - when the card cannot go into this line."""
    outcome = transact(
        engine, lambda connection: assign_ordered_sim(tools, connection, line_id, policy=policy)
    )
    if not isinstance(outcome, SimRefused):
        return
    codes = [refusal.code for refusal in outcome.refusals]
    if set(codes) & {SimRefusal.LINE_ENDED, SimRefusal.LINE_HAS_SIM}:
        return  # the line went on meanwhile: it ended, or its card was replaced already
    raise Unavailable(
        "SIM_NOT_PUT_IN",
        Text(zh="订单中的SIM卡无法配给该号码。", en="The ordered card cannot go into its line."),
        Text(
            zh="请办理换卡，或更正库存后重试。", en="Replace the card, or mend the stock, then retry the job."
        ),
        {"codes": ",".join(code.value for code in codes)},
    )
