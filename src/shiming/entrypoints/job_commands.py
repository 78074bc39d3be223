"""`shiming jobs`: what waits, what runs, what gave up; retry or discard what gave up."""

import json
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.job_queue import dead_letters
from shiming.infrastructure.job_queue.dead_letters import JobRecord
from shiming.infrastructure.job_queue.model import JobState
from shiming.infrastructure.job_queue.presence import WorkerSeen, workers_seen
from shiming.infrastructure.outbox import count_unrelayed
from shiming.vocabulary.errors import Text

LISTED = 50

jobs = typer.Typer(no_args_is_help=True, add_completion=False, help="Jobs and dead letters.")
app = jobs

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
JobId = Annotated[str, typer.Argument(help="Id of the job, as `shiming jobs list` shows it.")]


class JobsPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@jobs.command("list")
def list_jobs(
    context: typer.Context,
    state: Annotated[JobState, typer.Option(help="Which jobs.")] = JobState.DEAD,
    kind: Annotated[str | None, typer.Option(help="Only of this kind, such as webhook.deliver.")] = None,
    after: Annotated[str | None, typer.Option(help="Continue behind this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=dead_letters.PAGE_MAX, help="At most so many.")] = LISTED,
    as_json: AsJson = False,
) -> None:
    """List dead letters (or what waits or runs), with the counts of all and the workers that are there.

    Example: shiming jobs list --state dead
    """
    platform: JobsPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = dead_letters.list_jobs(connection, state=state, kind=kind, after=after, limit=limit)
        counts = dead_letters.count_jobs(connection)
        seen = workers_seen(connection, now=platform.clock.now())
        unrelayed = count_unrelayed(connection)
    if as_json:
        shown = {
            "jobs": [job.to_json() for job in found],
            "counts": [
                {"kind": of, "state": at.value, "count": number} for (of, at), number in counts.items()
            ],
            "workers": [_worker_json(each) for each in seen],
            "events_unrelayed": unrelayed,
        }
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    _print_jobs(found)
    _print_state(counts, seen, unrelayed, platform.language)


@jobs.command()
def show(context: typer.Context, job: JobId, as_json: AsJson = False) -> None:
    """Show one job: its references, attempts and last error.

    Example: shiming jobs show 5f0c7f1e-...
    """
    platform: JobsPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = dead_letters.get_job(connection, job).to_json()
    if as_json:
        typer.echo(json.dumps({"job": found}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False)
    for name, value in found.items():
        if value is not None:
            table.add_row(name, str(value))
    Console().print(table)


@jobs.command()
def retry(context: typer.Context, job: JobId, as_json: AsJson = False) -> None:
    """Run a dead letter again, with all its attempts before it.

    Example: shiming jobs retry 5f0c7f1e-...
    """
    platform: JobsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        dead_letters.retry(connection, job, now=platform.clock.now())
    text = Text(zh=f"{job} 将重新执行。", en=f"{job} runs again.")
    typer.echo(json.dumps({"retried": job}) if as_json else text.in_language(platform.language))


@jobs.command()
def discard(context: typer.Context, job: JobId, as_json: AsJson = False) -> None:
    """Remove a dead letter for good; its work is not done.

    Example: shiming jobs discard 5f0c7f1e-...
    """
    platform: JobsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        dead_letters.discard(connection, job)
    text = Text(zh=f"{job} 已放弃。", en=f"{job} is discarded.")
    typer.echo(json.dumps({"discarded": job}) if as_json else text.in_language(platform.language))


def _print_jobs(found: tuple[JobRecord, ...]) -> None:
    if not found:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("job", "kind", "references", "attempts", "last error", "at")
    for job in found:
        references = " ".join(str(value) for value in job.payload.values())
        error = " ".join(filter(None, (job.error_code, job.error_type)))
        at = job.failed_at or job.due_at
        table.add_row(
            job.job_id, job.kind, references, str(job.attempts), error, at.isoformat(timespec="seconds")
        )
    Console().print(table)


def _print_state(
    counts: dict[tuple[str, JobState], int], seen: tuple[WorkerSeen, ...], unrelayed: int, language: str
) -> None:
    totals = {state: sum(n for (_, at), n in counts.items() if at is state) for state in JobState}
    alive = sum(each.alive for each in seen)
    silent = len(seen) - alive
    waiting, running, dead = (totals[state] for state in JobState)
    text = Text(
        zh=f"等待 {waiting}，执行中 {running}，死信 {dead}；待转发事件 {unrelayed}；"
        f"工作进程 {alive} 个，失联 {silent} 个。",
        en=f"{waiting} wait, {running} run, {dead} are dead letters; {unrelayed} events wait for the relay; "
        f"{alive} workers are there, {silent} fell silent.",
    )
    typer.echo(text.in_language(language))


def _worker_json(seen: WorkerSeen) -> dict[str, Any]:
    return {
        "id": seen.worker,
        "alive": seen.alive,
        "in_hand": seen.in_hand,
        "started_at": seen.started_at.isoformat(),
        "seen_at": seen.seen_at.isoformat(),
    }
