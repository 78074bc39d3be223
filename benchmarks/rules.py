"""The whole chain of rules of a registration, in process: decisions a second, and its share of the work.

The chain is `decide_registration` under the built-in pack with facts that lack nothing, so every rule runs.
The transaction is what a server does with the same orders on PostgreSQL: read the facts, decide, write,
commit. The share is that of a busy server (eight clients), where it is greatest; with one client, which waits
for the disk, it is smaller. Rounds are interleaved; the median counts.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator

from benchmarks.registration import CLIENTS, registering
from benchmarks.registration_desk import a_busy_desk, wanted
from benchmarks.report import report
from shiming.registrations.model.registration import RegistrationFacts, SessionUsable
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.store.facts import read_facts
from shiming.registrations.use_cases.drafting import Wanted, parameters_of
from tests.registrations.builders import Desk

GOAL = 0.10
ROUNDS = 5
DECISIONS = 20_000
REGISTRATIONS = 1_000  # of a round
LINES_ASKED_FOR = 100  # different facts, read from the database


def main() -> None:
    """Measure and report."""
    decisions: list[float] = []
    registrations: dict[int, list[float]] = {1: [], CLIENTS: []}
    with a_busy_desk("postgresql", 2 * ROUNDS * REGISTRATIONS + LINES_ASKED_FOR) as (desk, _):
        sessions = iter(range(1, 2 * ROUNDS * REGISTRATIONS + LINES_ASKED_FOR + 1))
        asked = facts_of(desk, sessions)
        for _ in range(ROUNDS):
            decisions.append(deciding(asked))
            for clients, rates in registrations.items():
                done = registering(desk, sessions, REGISTRATIONS, clients=clients)
                rates.append(asyncio.run(done))
    report(
        "rules",
        share(registrations[CLIENTS], decisions),
        GOAL,
        "at_most",
        decisions_per_second=[round(rate) for rate in decisions],
        registrations_per_second={n: [round(rate) for rate in all_] for n, all_ in registrations.items()},
        share_with_one_client=round(share(registrations[1], decisions), 3),
        decision_microseconds=round(1e6 / statistics.median(decisions), 1),
    )


def share(registrations: list[float], decisions: list[float]) -> float:
    """Return the median share of the decision in the time of a registration."""
    return statistics.median(done / decided for done, decided in zip(registrations, decisions, strict=True))


def facts_of(desk: Desk, sessions: Iterator[int]) -> list[tuple[Wanted, RegistrationFacts]]:
    """Read the facts of some registrations, which are not carried out."""
    found = []
    with desk.engine.connect() as connection:
        for _ in range(LINES_ASKED_FOR):
            each = wanted(desk, next(sessions))
            facts = read_facts(connection, parameters_of(each.command, desk.policy, each.now)).facts
            found.append((each, facts))
    return found


def deciding(asked: list[tuple[Wanted, RegistrationFacts]]) -> float:
    """Decide; return decisions a second."""
    began = time.perf_counter()
    for _ in range(DECISIONS // len(asked)):
        for each, facts in asked:
            outcome = decide_registration(each.command, facts, each.policy, sandbox=False, now=each.now)
            assert isinstance(outcome, SessionUsable), outcome  # noqa: S101 - a refusal takes another path
    return DECISIONS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
