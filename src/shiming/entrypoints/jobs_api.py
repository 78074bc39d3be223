"""Jobs over HTTP: what waits, runs or gave up; retry or discard what gave up. Webhooks are beside it."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from sqlalchemy.engine import Engine

from shiming.entrypoints import webhooks_api
from shiming.entrypoints.job_permissions import MayManageJobs
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.job_queue import dead_letters
from shiming.infrastructure.job_queue.dead_letters import JobRecord
from shiming.infrastructure.job_queue.model import JobState
from shiming.infrastructure.job_queue.presence import workers_seen
from shiming.infrastructure.outbox import count_unrelayed

PREFIX = "/v1/jobs"
Operator = Annotated[Asking, asked(MayManageJobs)]
JobId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="Id of the job.")]

router = APIRouter()
router.include_router(webhooks_api.router)


class JobsPlatform(Protocol):
    """What these routes need of the wired program."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102


class JobShown(BaseModel):
    """A job; `references` say what it is about, never who."""

    id: str
    kind: str
    state: JobState
    references: dict[str, str | int | bool | None]
    attempts: int
    enqueued_at: datetime
    due_at: datetime
    failed_at: datetime | None
    error_code: str | None
    error_type: str | None


class JobList(Listing):
    """A page of jobs in the order of their ids."""

    items: list[JobShown]


class JobCount(BaseModel):
    """How many jobs of a kind are in a state."""

    kind: str
    state: JobState
    count: int


class WorkerShown(BaseModel):
    """A worker by its last sign of life."""

    id: str
    alive: bool
    in_hand: int
    seen_at: datetime


class JobsOverview(BaseModel):
    """How the work goes: counts of jobs, events that wait for the relay, workers."""

    counts: list[JobCount]
    events_unrelayed: int
    workers: list[WorkerShown]


@router.get(PREFIX, tags=["jobs"], responses=problem_responses(400))
def list_jobs(
    request: Request,
    asking: Operator,
    page: Annotated[PageAsked, paged("jobs")],
    state: Annotated[JobState, Query(description="Which jobs.")] = JobState.DEAD,
    kind: Annotated[str | None, Query(max_length=80, description="Such as webhook.deliver.")] = None,
) -> JobList:
    """List dead letters, or what waits or runs."""
    asking.allow(MayManageJobs())
    with reading(_platform(request).engine) as connection:
        found = dead_letters.list_jobs(
            connection,
            state=state,
            kind=kind,
            after=str(page.after[0]) if page.after else None,
            limit=page.size + 1,
        )
    return JobList(**page.listing([_shown(job) for job in found], key=lambda job: (job.id,)))


@router.get(f"{PREFIX}/overview", tags=["jobs"])
def show_overview(request: Request, asking: Operator) -> JobsOverview:
    """Return the counts of jobs, the length of the outbox, and the workers that are there or fell silent."""
    asking.allow(MayManageJobs())
    platform = _platform(request)
    with reading(platform.engine) as connection:
        counts = dead_letters.count_jobs(connection)
        seen = workers_seen(connection, now=platform.clock.now())
        unrelayed = count_unrelayed(connection)
    return JobsOverview(
        counts=[JobCount(kind=kind, state=state, count=number) for (kind, state), number in counts.items()],
        events_unrelayed=unrelayed,
        workers=[
            WorkerShown(id=each.worker, alive=each.alive, in_hand=each.in_hand, seen_at=each.seen_at)
            for each in seen
        ],
    )


@router.get(f"{PREFIX}/{{job_id}}", tags=["jobs"], responses=problem_responses(404))
def show_job(request: Request, asking: Operator, job_id: JobId) -> JobShown:
    """Return one job; one that is done is no longer there."""
    asking.allow(MayManageJobs())
    with reading(_platform(request).engine) as connection:
        return _shown(dead_letters.get_job(connection, job_id))


@router.post(f"{PREFIX}/{{job_id}}/retry", tags=["jobs"], responses=problem_responses(404, 409))
def retry_job(request: Request, asking: Operator, job_id: JobId) -> JobShown:
    """Run a dead letter again, with all its attempts before it."""
    asking.allow(MayManageJobs())
    platform = _platform(request)
    now = platform.clock.now()
    transact(platform.engine, lambda connection: dead_letters.retry(connection, job_id, now=now))
    with reading(platform.engine) as connection:
        return _shown(dead_letters.get_job(connection, job_id))


@router.delete(f"{PREFIX}/{{job_id}}", tags=["jobs"], status_code=204, responses=problem_responses(404, 409))
def discard_job(request: Request, asking: Operator, job_id: JobId) -> None:
    """Remove a dead letter for good; its work is not done."""
    asking.allow(MayManageJobs())
    transact(_platform(request).engine, lambda connection: dead_letters.discard(connection, job_id))


def _platform(request: Request) -> JobsPlatform:
    platform: JobsPlatform = request.app.state.platform
    return platform


def _shown(job: JobRecord) -> JobShown:
    return JobShown(
        id=job.job_id,
        kind=job.kind,
        state=job.state,
        references=dict(job.payload),
        attempts=job.attempts,
        enqueued_at=job.enqueued_at,
        due_at=job.due_at,
        failed_at=job.failed_at,
        error_code=job.error_code,
        error_type=job.error_type,
    )
