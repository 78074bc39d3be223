"""Jobs: what waits and runs, what comes again, what gave up; run a dead letter again, or discard it."""

from typing import Annotated, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from shiming.entrypoints.job_permissions import MayManageJobs
from shiming.entrypoints.jobs_api import JobId
from shiming.entrypoints.pages.desk.desk_page import Refused, Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.job_queue import dead_letters
from shiming.infrastructure.job_queue.dead_letters import JobRecord
from shiming.infrastructure.job_queue.model import JobState
from shiming.infrastructure.job_queue.presence import workers_seen
from shiming.infrastructure.outbox import count_unrelayed
from shiming.infrastructure.schedules import job_schedules
from shiming.privacy.use_cases.ledger import record
from shiming.vocabulary.errors import Text

router = page_router()
Administrator = Annotated[Asking, asked(MayManageJobs)]
JOB_RETRIED, JOB_DISCARDED = "job.retried", "job.discarded"
_TONES = {JobState.DEAD: "bad", JobState.WAITING: "waiting", JobState.RUNNING: "good"}

#: Why a dead letter is discarded, as the code that stands in the ledger.
DISCARD_REASONS = {
    "done_by_hand": Text(zh="已人工完成", en="It was done by hand"),
    "obsolete": Text(zh="已无需执行", en="It is not needed any more"),
    "repeated": Text(zh="已有相同任务", en="The same work waits already"),
    "cannot_work": Text(zh="无法成功执行", en="It can never work"),
}

TABLE: Table[JobRecord] = Table(
    "jobs",
    Text(zh="任务", en="Jobs"),
    (
        Column(
            "kind",
            Text(zh="种类", en="Kind"),
            lambda job: job.kind,
            href=lambda job: f"/desk/jobs/{job.job_id}",
        ),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda job: word(job.state),
            look="state",
            tone=lambda job: _TONES[job.state],
        ),
        Column("attempts", Text(zh="尝试次数", en="Attempts"), lambda job: job.attempts, look="number"),
        Column("error", Text(zh="最近错误", en="Last error"), lambda job: job.error_code, look="code"),
        Column("due", Text(zh="执行时间", en="Due"), lambda job: job.due_at),
        Column("failed", Text(zh="失败时间", en="Failed"), lambda job: job.failed_at),
    ),
    filters=(Choice("state", Text(zh="状态", en="State"), options(JobState), lambda job: job.state.value),),
    search=Text(zh="种类、错误代码", en="Kind or code of the error"),
    empty=Text(zh="没有任务。", en="There is no job."),
    order="due",
)


class DiscardForm(BaseModel):
    """Why, and that it is meant."""

    model_config = ConfigDict(extra="ignore")
    why: Literal["done_by_hand", "obsolete", "repeated", "cannot_work"]
    sure: bool


@router.get("/desk/jobs")
def list_jobs(request: Request, asking: Administrator) -> Response:
    """Show the queue, the schedules and the workers."""
    asking.allow(MayManageJobs())
    platform = request.app.state.platform

    def fetch(after: str | None, limit: int) -> tuple[JobRecord, ...]:
        with reading(platform.engine) as connection:
            return dead_letters.list_jobs(connection, after=after, limit=limit)

    rows = gather(fetch, lambda job: job.job_id)
    with reading(platform.engine) as connection:
        facts = {
            "workers": workers_seen(connection, now=platform.clock.now()),
            "unrelayed": count_unrelayed(connection),
            "schedules": connection.execute(job_schedules.select().order_by(job_schedules.c.name)).all(),
        }
    return table_page(request, asking, "desk/jobs.html", Shown(TABLE, rows), facts)


@router.get("/desk/jobs/{job_id}")
def show_job(request: Request, asking: Administrator, job_id: JobId) -> Response:
    """Show one job."""
    asking.allow(MayManageJobs())
    return _shown(request, asking, _get(request, job_id))


@router.post("/desk/jobs/{job_id}/retry")
def retry_job(request: Request, asking: Administrator, job_id: JobId) -> Response:
    """Run a dead letter again."""
    asking.allow(MayManageJobs())
    job, now = _get(request, job_id), request.app.state.platform.clock.now()

    def work(connection: Connection) -> None:
        dead_letters.retry(connection, job.job_id, now=now)
        _note(request, asking, connection, JOB_RETRIED, job)

    if refused := tried(lambda: transact(request.app.state.platform.engine, work)):
        return _shown(request, asking, job, refused=refused)
    return see_other("/desk/jobs", said="retried")


@router.post("/desk/jobs/{job_id}/discard")
def discard_job(
    request: Request,
    asking: Administrator,
    job_id: JobId,
    wanted: Annotated[Filled[DiscardForm], form(DiscardForm)],
) -> Response:
    """Remove a dead letter for good; its work is not done, and the ledger says why."""
    asking.allow(MayManageJobs())
    job = _get(request, job_id)
    if wanted.value is None:
        return _shown(request, asking, job, wanted=wanted)
    why = wanted.value.why

    def work(connection: Connection) -> None:
        dead_letters.discard(connection, job.job_id)
        _note(request, asking, connection, JOB_DISCARDED, job, why=why)

    if refused := tried(lambda: transact(request.app.state.platform.engine, work)):
        return _shown(request, asking, job, refused=refused)
    return see_other("/desk/jobs", said="discarded")


def _note(
    request: Request, asking: Asking, connection: Connection, kind: str, job: JobRecord, **more: str
) -> None:
    """Write the leaf: who did what with which job."""
    platform = request.app.state.platform
    facts = {"job": job.job_id, "job_kind": job.kind, "by": asking.caller.reference, **more}
    record(connection, platform.keys, kind=kind, facts=facts, now=platform.clock.now())


def _get(request: Request, job_id: str) -> JobRecord:
    with reading(request.app.state.platform.engine) as connection:
        return dead_letters.get_job(connection, job_id)


def _shown(
    request: Request,
    asking: Asking,
    job: JobRecord,
    *,
    refused: Refused | None = None,
    wanted: Filled[DiscardForm] | None = None,
) -> Response:
    facts = {
        "job": job,
        "state": word(job.state),
        "tone": _TONES[job.state],
        "is_dead": job.state is JobState.DEAD,
        "reasons": DISCARD_REASONS,
        "refused": refused,
        **(wanted.again() if wanted else {}),
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/job.html", facts, status=status)
