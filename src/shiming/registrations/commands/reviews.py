"""`shiming reviews`: enhanced reviews of lines above a cap, and holders who are above one."""

from pathlib import Path
from typing import Annotated, Protocol, cast

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Caller, Forbidden, Gatekeeper
from shiming.registrations.commands.line_platform import (
    LISTED_MAX,
    AsJson,
    LinePlatform,
    print_json,
    print_refused,
    print_table,
)
from shiming.registrations.commands.secret_files import read_secret
from shiming.registrations.model.ordering import OrderRefused, Review, ReviewDecision
from shiming.registrations.permissions.orders import MayDecideReview, MayManageOrders
from shiming.registrations.use_cases import orders, places, reviews
from shiming.vocabulary.permissions import Permission

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Enhanced reviews of lines above a cap.")

Session = Annotated[str, typer.Argument(help="Reference of the proofing session, SES-...")]
UserName = Annotated[str, typer.Option("--as", help="User name of who acts.")]
PasswordFile = Annotated[Path | None, typer.Option(help="File with the password; without: asked for.")]


class StaffPlatform(LinePlatform, Protocol):
    """What commands need where it matters which person acts."""

    @property
    def gatekeeper(self) -> Gatekeeper: ...  # noqa: D102 - named by its type

    def sign_in_staff(self, user_name: str, password: str) -> Caller:
        """Return who signed in; raise BadInput when nobody did."""
        ...


@app.command("ask")
def ask_review(
    context: typer.Context,
    session: Session,
    user_name: UserName,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask for the enhanced review that REVIEW_REQUIRED names.

    Example: shiming reviews ask SES-0082-0C20-A1G7-D --as wang.fang
    """
    platform: StaffPlatform = context.obj()
    caller = _sign_in(platform, user_name, password_file)
    _allow(platform, caller, MayManageOrders(caller.operator or ""))

    def work(connection: Connection) -> Review:
        order = orders.hold_order(connection, session, operator=caller.operator)
        now, by = platform.clock.now(), caller.person_key
        return reviews.ask_review(platform.registrations, connection, order, by=by, now=now)

    _print_reviews((transact(platform.engine, work),), as_json=as_json)


@app.command("list")
def list_reviews(context: typer.Context, as_json: AsJson = False) -> None:
    """List the reviews that wait for a decision, oldest first.

    Example: shiming reviews list
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = reviews.list_waiting(connection, operator=None, limit=LISTED_MAX)
    _print_reviews(found, as_json=as_json)


@app.command("decide")
def decide_review(
    context: typer.Context,
    review: Annotated[str, typer.Argument(help="Reference of the review, REV-...")],
    decision: Annotated[ReviewDecision, typer.Option(help="How it ends.")],
    why: Annotated[str, typer.Option(help="Reason as a code, such as family_lines_shown.")],
    user_name: UserName,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Let one more line pass, or not; never by who asked.

    Example: shiming reviews decide REV-0082-0C20-A1G7-D --decision passed --why family_lines_shown
    --as li.na
    """
    platform: StaffPlatform = context.obj()
    caller = _sign_in(platform, user_name, password_file)
    with reading(platform.engine) as connection:
        found = reviews.find_review(connection, review)
    if found is None or caller.operator not in {None, found.operator}:
        raise reviews.review_unknown()
    _allow(platform, caller, MayDecideReview(found.operator))
    outcome = transact(
        platform.engine,
        lambda connection: reviews.decide_review(
            platform.registrations,
            connection,
            review,
            decision,
            by=caller.person_key,
            why=why,
            policy=platform.registration_policy,
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, OrderRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
    else:
        _print_reviews((outcome,), as_json=as_json)


def over_cap(context: typer.Context, as_json: AsJson = False) -> None:
    """List holders with more lines than the cap of today: to be verified again, none is cut.

    Example: shiming lines over-cap
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = places.list_over_cap(
            connection, platform.registration_policy, operator=None, limit=LISTED_MAX
        )
    if as_json:
        items = [
            {"subject": each.subject, "cap": each.cap_name, "scope": each.cap_scope, "lines": each.active}
            for each in found
        ]
        print_json({"items": items})
        return
    rows = ((each.subject, each.cap_name, each.cap_scope, each.active) for each in found)
    print_table(("holder", "cap", "scope", "lines"), rows)


def _sign_in(platform: StaffPlatform, user_name: str, password_file: Path | None) -> Caller:
    if password_file is not None:
        return platform.sign_in_staff(user_name, read_secret(password_file))
    return platform.sign_in_staff(user_name, cast("str", typer.prompt("Password", hide_input=True, err=True)))


def _allow(platform: StaffPlatform, caller: Caller, question: Permission) -> None:
    if not platform.gatekeeper.allow(caller, question):
        raise Forbidden(question.code)


def _print_reviews(found: tuple[Review, ...], *, as_json: bool) -> None:
    items = [
        {
            "id": review.review_id,
            "session": review.session_id,
            "operator": review.operator,
            "asked_at": review.asked_at.isoformat(),
            "decision": review.decision and review.decision.value,
            "why": review.why,
        }
        for review in found
    ]
    if as_json:
        print_json({"items": items})
    else:
        print_table(tuple(items[0]) if items else ("id",), (tuple(item.values()) for item in items))
