"""`shiming demo`: the main job on shipped specimens, told as a story.

Everything is real but the people: a photographed specimen card, an animated public-domain portrait, a made
voice, a pretended authority in a process of its own. The data folder is a sandbox, deleted at the end.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shiming.entrypoints.demo_counter import take_order
from shiming.entrypoints.demo_processes import SPECIMENS, sandbox_authority, status_in_the_network
from shiming.entrypoints.law_stories import law
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.settings import Settings
from shiming.vocabulary.errors import Text, Unavailable

if TYPE_CHECKING:
    from rich.console import Console

    from shiming.identity_proofing.use_cases.steps import Decided

OPERATOR, NUMBER = "cn-mobile", "+8613800138000"

app = typer.Typer(add_completion=False)
app.command()(law)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, for the printed story and for programs."""

    decided: "Decided"
    stranger: "Decided"
    registered: Mapping[str, Any]
    status: str  # of the line, once the network has been asked
    ledger_whole: bool
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        line = self.registered["line"]
        return {
            "decision": self.decided.receipt["decision"],
            "stranger": self.stranger.receipt["decision"],
            "line": {"number": line["number"], "status": self.status, "operator": line["operator"]},
            "ledger": {"verified": self.ledger_whole},
            "seconds": round(self.seconds, 2),
        }

    @property
    def as_it_should_be(self) -> bool:
        """Say whether the person was verified, the stranger was not, and the line stands."""
        found = self.to_json()
        return (
            found["decision"]["outcome"] == "Verified"
            and found["stranger"]["outcome"] != "Verified"
            and found["line"]["status"] == "active"
            and self.ledger_whole
        )


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Prove a specimen person, refuse a stranger's card, register a line, let a network activate it.

    Nothing is kept: the data folder is a temporary sandbox. Example: shiming demo --json

    `shiming demo law` walks the rules about holders and lines instead.
    """
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    console = Console(quiet=as_json)
    require_specimens()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shiming-demo-") as folder:
        platform = Platform(sandbox_settings(Path(folder)))
        with sandbox_authority(folder) as address:
            story = act(platform, address, folder, console, started)
    if as_json:
        typer.echo(json.dumps(story.to_json(), ensure_ascii=False))
    raise typer.Exit(0 if story.as_it_should_be else 1)


def act(platform: Platform, authority: str, folder: str, console: "Console", started: float) -> Story:
    """Run the main job step by step."""
    cases = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
    say(console, 1, "The applicant", "shows a resident identity card and looks into the camera.")
    with working(console, "reading the card, the clip and the digits, asking the authority"):
        decided = prove(platform, cases, SPECIMENS / cases["document_front"], authority)
    tell_decision(console, decided)
    say(console, 2, "A stranger", "shows another person's card with the same clip.")
    with working(console, "the same checks"):
        other = SPECIMENS / "documents" / "other_person_front.jpg"
        stranger = prove(platform, {**cases, "document_back": None}, other, authority)
    tell_decision(console, stranger)
    say(console, 3, "One line", f"is ordered, confirmed and registered: {NUMBER} at {OPERATOR}.")
    registered = register(platform, decided.session.id)
    with working(console, "the operator's network takes the order and calls back"):
        status = status_in_the_network(platform, folder, OPERATOR, registered["line"].get("id", ""))
    whole = seal_and_verify(platform)
    tell_line(console, registered, status, whole=whole)
    seconds = time.monotonic() - started
    console.print(
        f"\nDone in {seconds:.0f} s. Next: shiming --help, or the guide in docs/how-to/first-proof.md"
    )
    return Story(decided, stranger, registered, status, whole, seconds)


def prove(platform: Platform, cases: Mapping[str, Any], document: Path, authority: str) -> "Decided":
    """Give a challenge that fits the specimen clip, and prove."""
    from shiming.identity_proofing.commands import connector
    from shiming.identity_proofing.model.challenge import Language
    from shiming.identity_proofing.rules.challenge_document import challenge_document
    from shiming.identity_proofing.use_cases import challenges, proving
    from shiming.jurisdictions.model import Channel, Gesture, Route

    policy = platform.policy(platform.default_pack, platform.today())
    port = connector(authority, policy)
    tools = platform.proofing_tools(port)
    application = challenges.Application(Channel.SHOP, Route.STANDARD, operator=OPERATOR)
    with platform.begin() as connection:
        session = challenges.open_session(tools, connection, application, policy)
        given = challenges.give_chosen_challenge(
            tools,
            connection,
            session,
            policy,
            language=Language(cases["digits_language"]),
            steps=tuple(Gesture(name) for name in cases["gestures"]),
            digits=cases["digits"],
        )
    submission = proving.Submission(
        application=application,
        on=platform.today(),
        document=document,
        document_back=SPECIMENS / cases["document_back"] if cases["document_back"] else None,
        clip=SPECIMENS / cases["clip"],
        challenge=challenge_document(given),
    )
    try:
        return proving.prove(tools, platform.begin, submission, policy)
    finally:
        if port:
            port.close()


def register(platform: Platform, session_id: str) -> Mapping[str, Any]:
    """Register the number for the proven person."""
    from shiming.registrations.model.registration import LineRegistered, RegisterLine
    from shiming.registrations.use_cases.registering import register_line

    take_order(platform, OPERATOR, NUMBER, session_id)
    command = RegisterLine.parse(operator=OPERATOR, number=NUMBER, session_id=session_id)
    with platform.begin() as connection:
        outcome = register_line(
            platform.registrations,
            connection,
            command,
            policy=platform.registration_policy,
            now=platform.clock.now(),
        )
    if isinstance(outcome, LineRegistered):
        return outcome.receipt
    codes = ", ".join(refusal.code for refusal in outcome.refusals)
    return {"line": {"number": NUMBER, "status": f"refused: {codes}", "operator": OPERATOR}}


def sandbox_settings(folder: Path) -> Settings:
    """Return settings of a throw-away sandbox."""
    data = folder / "data"
    return Settings(data_folder=data, database_url=f"sqlite:///{data / 'shiming.db'}", sandbox=True)


def require_specimens() -> None:
    """Refuse with advice where the specimens are not beside the sources."""
    if not (SPECIMENS / "cases.json").is_file():
        raise Unavailable(
            "SPECIMENS_MISSING",
            Text(zh="找不到样本文件。", en="The specimens are not here."),
            advice=Text(
                zh="请在源码目录中运行 `make demo`。", en="Run `make demo` in a checkout of the sources."
            ),
        )


# -- the printed story -----------------------------------------------------------------------------


def say(console: "Console", number: int, who: str, what: str) -> None:
    """Print the heading of a step."""
    console.print(f"\n[bold cyan]{number}. {who}[/] {what}")


def working(console: "Console", what: str) -> Any:
    """Show that work is going on."""
    return console.status(what)


def tell_decision(console: "Console", decided: "Decided") -> None:
    """Print a decision with the outcome of each check."""
    from rich.table import Table

    marks = {"passed": "[green]passed[/]", "failed": "[bold red]failed[/]"}
    table = Table("check", "found", "figures", box=None, pad_edge=False)
    for check in decided.receipt["checks"]:
        figures = [
            f"{name} {value:g}"
            for name, value in check["measurements"].items()
            if isinstance(value, float) and not name.startswith("time_")
        ]
        found = marks.get(check["outcome"], f"[yellow]{check['outcome']}[/]")
        table.add_row(check["check"], found, "[dim]" + ", ".join(figures[:3]) + "[/]")
    console.print(table)
    decision = decided.receipt["decision"]
    colour = "green" if decision["outcome"] == "Verified" else "red"
    console.print(f"[bold {colour}]{decision['outcome']}[/] under pack {decided.receipt['pack']['id']}")
    for reason in decision["reasons"]:
        console.print(f"  {reason['code']}: {reason['text']['en']} ({reason['citation']})")


def seal_and_verify(platform: Platform) -> bool:
    """Put everything under a signed root, as the worker does each second, and recompute all of it."""
    from shiming.privacy.model import LedgerVerified
    from shiming.privacy.use_cases.sealing import seal_ledger
    from shiming.privacy.use_cases.verifying import verify_ledger

    seal_ledger(platform.engine, platform.keys, platform.ledger_signer, platform.clock)
    found = verify_ledger(platform.engine, platform.keys, platform.ledger_keys)
    return isinstance(found, LedgerVerified) and found.sealed == found.leaves > 0


def tell_line(console: "Console", registered: Mapping[str, Any], status: str, *, whole: bool) -> None:
    """Print the registered line and the state of the ledger."""
    line = registered["line"]
    console.print(
        f"[bold green]{line['number']}[/] was {line['status']}, and is {status} since {line['operator']}'s "
        "network (a sandbox) confirmed it."
    )
    for rule in (rule for rule in registered.get("rules", ()) if rule["rule"] == "line_cap"):
        console.print(f"  at most {rule['cap']} lines of this person at one operator ({rule['citation']})")
    state = "sealed and whole" if whole else "[bold red]broken[/]"
    console.print(f"  evidence is encrypted, the ledger is {state}")
