"""`shiming challenge` and `shiming prove`; `receipts` and `sandbox` are mounted from their packages.

The root command passes a function in `context.obj` that returns the wired platform; what is needed of it
stands in `command_line.ProofingPlatform`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from shiming.identity_proofing import prove_options as options
from shiming.identity_proofing.command_line import (
    NOT_VERIFIED,
    OWN_PACK,
    AsJson,
    OnDay,
    bad_option,
    platform_of,
    print_json,
    read_day,
    read_object,
    read_token,
    require_file,
    user_language,
    waiting,
)
from shiming.identity_proofing.receipt_commands import app as receipts
from shiming.identity_proofing.sandbox_commands import app as sandbox

if TYPE_CHECKING:  # the commands import what they need when they run: --help stays fast
    from shiming.identity_proofing.connectors.osia import OsiaAuthority
    from shiming.identity_proofing.model.challenge import Language
    from shiming.identity_proofing.model.evidence import StaffReview
    from shiming.identity_proofing.use_cases.challenges import Application
    from shiming.identity_proofing.use_cases.proving import Submission
    from shiming.identity_proofing.use_cases.steps import Decided
    from shiming.jurisdictions.model import Gesture, Policy

__all__ = ["app", "receipts", "sandbox"]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Prove a person.")


@app.command()
def challenge(
    context: typer.Context,
    *,
    pack: options.PackName = OWN_PACK,
    channel: options.ChannelName = "shop",
    route: options.RouteName = "standard",
    subject: options.Category = "adult",
    language: Annotated[
        str, typer.Option("--language", help="Language of spoken digits: cmn or eng.")
    ] = "cmn",
    session: Annotated[
        str | None, typer.Option("--session", help="Go on with this session after a Retry.")
    ] = None,
    gestures: Annotated[
        str | None,
        typer.Option(
            "--gestures", help="Evaluation and training only: turn_left,blink,turn_right,mouth_open."
        ),
    ] = None,
    digits: Annotated[
        str | None, typer.Option("--digits", help="Evaluation and training only: the digits to ask for.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw what an applicant is asked to do: gestures and digits, valid once and for a short time.

    With --gestures or --digits the challenge is chosen, not drawn: the receipt says so, and nothing is
    registered with it outside of the sandbox.

    Example: shiming challenge --pack cn --json > challenge.json
    """
    from shiming.identity_proofing.rules.challenge_document import challenge_document
    from shiming.identity_proofing.use_cases import challenges

    platform = platform_of(context)
    policy = platform.policy(pack, platform.today())
    tools, spoken = platform.proofing_tools(), _language(language)
    application = _application(channel, route, subject)
    chosen = (_gestures(gestures or ""), _digits(digits or "")) if gestures or digits else None
    with platform.begin() as connection:
        opened = challenges.session_for_challenge(tools, connection, application, policy, session)
        if chosen:
            given = challenges.give_chosen_challenge(
                tools, connection, opened, policy, language=spoken, steps=chosen[0], digits=chosen[1]
            )
        else:
            given = challenges.give_challenge(tools, connection, opened, policy, spoken)
    document = challenge_document(given)
    if as_json:
        print_json(document)
    else:
        _print_challenge(document)


@app.command()
def prove(
    context: typer.Context,
    *,
    document: options.DocumentPhoto,
    document_back: options.DocumentBack = None,
    clip: options.LiveClip = None,
    challenge_file: options.ChallengeFile = None,
    digits: options.SpokenDigits = None,
    tapped: options.TappedDigits = None,
    declared_name: options.DeclaredName = None,
    declared_number: options.DeclaredNumber = None,
    authority: options.AuthorityAddress = "none",
    authority_ca: options.AuthorityCa = None,
    client_cert: options.ClientCertificate = None,
    token_file: options.TokenFile = None,
    pack: options.PackName = OWN_PACK,
    channel: options.ChannelName = "shop",
    route: options.RouteName = "standard",
    subject: options.Category = "adult",
    operator: options.OperatorCode = None,
    session: options.SessionToGoOnWith = None,
    review: options.StaffReviews = None,
    on: OnDay = None,
    as_json: AsJson = False,
) -> None:
    """Prove that a living person holds a document: Verified, NotVerified, NeedsReview or Retry, and why.

    A challenge is used up by its first answer. A challenge written by hand (a JSON object without `id`:
    `{"steps": ["turn_left", "blink"], "digits": "470913"}`) is accepted for evaluation and training; it
    counts as chosen, and the receipt says so. Without an authority nobody is verified where the pack asks
    for one. Exit code: 0 Verified, 1 anything else, 2 bad input, 3 something is unavailable.

    Example: shiming prove --document front.jpg --document-back back.jpg --clip clip.mp4
    --challenge challenge.json --authority https://authority.example --json
    """
    from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
    from shiming.identity_proofing.use_cases import proving

    platform = platform_of(context)
    day = read_day(on) or platform.today()
    policy = platform.policy(pack, day)
    port = connector(authority, policy, ca=authority_ca, certificate=client_cert, token_file=token_file)
    tools = platform.proofing_tools(port)
    submission = proving.Submission(
        application=_application(channel, route, subject, operator),
        on=day,
        document=document,
        document_back=document_back,
        clip=clip,
        challenge=read_object(challenge_file) if challenge_file else None,
        digits=digits,
        tapped=tapped,
        declared=DeclaredIdentity(declared_name, declared_number),
        reviews=tuple(_review(text, tools.clock.now()) for text in review or ()),
        session_id=session,
    )
    _require_files(submission)
    with waiting(user_language()):
        decided = proving.prove(tools, platform.begin, submission, policy)
    _tell(decided, as_json=as_json)


def _tell(decided: "Decided", *, as_json: bool) -> NoReturn:
    """Print what was decided, for programs or for people, and end with its exit code."""
    result = {**_outcome(decided.receipt), "receipt": decided.receipt, "session": decided.session.id}
    if as_json:
        print_json(result)
    else:
        _print_story(decided.receipt)
    raise typer.Exit(0 if result["outcome"] == "Verified" else NOT_VERIFIED)


def _review(text: str, at: datetime) -> "StaffReview":
    """Read what one member of staff found: `REFERENCE:same`, `REFERENCE:different` or `REFERENCE:forged`."""
    from shiming.identity_proofing.model.evidence import StaffReview

    staff, _, finding = text.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", staff) or finding not in {"same", "different", "forged"}:
        raise bad_option("--review", "STAFF:same, STAFF:different, STAFF:forged")
    return StaffReview(staff, same_person=finding == "same", document_genuine=finding != "forged", at=at)


def _application(channel: str, route: str, subject: str, operator: str | None = None) -> "Application":
    from shiming.identity_proofing.use_cases.challenges import Application
    from shiming.jurisdictions.model import Channel, Route

    if channel not in set(Channel):
        raise bad_option("--channel", ", ".join(Channel))
    if route not in set(Route):
        raise bad_option("--route", ", ".join(Route))
    return Application(Channel(channel), Route(route), subject, operator)


def _language(text: str) -> "Language":
    from shiming.identity_proofing.model.challenge import Language

    if text not in set(Language):
        raise bad_option("--language", ", ".join(Language))
    return Language(text)


def _gestures(text: str) -> "tuple[Gesture, ...]":
    from shiming.jurisdictions.model import Gesture

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if any(name not in set(Gesture) for name in names):
        raise bad_option("--gestures", ", ".join(Gesture))
    return tuple(Gesture(name) for name in names)


def _digits(text: str) -> str:
    from shiming.recognition.spoken_digits.measurement import parse_expected

    return parse_expected(text) if text else ""


def connector(
    address: str,
    policy: "Policy",
    *,
    ca: Path | None = None,
    certificate: Path | None = None,
    token_file: Path | None = None,
) -> "OsiaAuthority | None":
    """Return the connector to an authority, as patient as the pack says; None where none is to be asked."""
    if address == "none":
        return None
    if not address.startswith(("https://", "http://")):
        raise bad_option("--authority", "https://..., none")
    from shiming.identity_proofing.connectors.osia import OsiaAuthority
    from shiming.infrastructure.http_client import HttpService, ResilientClient

    rules = policy.authority
    service = HttpService(
        base_url=address.rstrip("/"),
        token=read_token(token_file),
        ca_file=ca,
        client_certificate=certificate,
        connect_timeout_s=rules.timeout_seconds.value,
        read_timeout_s=rules.timeout_seconds.value,
        total_s_max=policy.time_limits.authority_seconds.value,
        attempts_max=rules.retries.value + 1,
        breaker_failures_max=rules.failures_before_pause.value,
        breaker_reset_s=rules.pause_seconds.value,
    )
    return OsiaAuthority(ResilientClient(service))


def _require_files(submission: "Submission") -> None:
    for file in submission.files.values():
        require_file(file)


def _outcome(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a program looks at first: outcome, reasons, what comes next, checks."""
    return {**receipt["decision"], "checks": receipt["checks"]}


def _print_challenge(document: Mapping[str, Any]) -> None:
    language = user_language()
    typer.echo(f"{document['id']}  (session {document['session']}, until {document['expires_at']})")
    for number, step in enumerate(document["steps"], start=1):
        typer.echo(f"{number}. {step['instruction'][language]}")
    if document["digits"]:
        typer.echo(f"{document['digits_instruction'][language]}: {' '.join(document['digits'])}")


def _print_story(receipt: Mapping[str, Any]) -> None:
    from shiming.identity_proofing.receipts.explaining import explain_receipt

    typer.echo("\n".join(explain_receipt(receipt, user_language())))
