"""`shiming worker`: do the jobs of this installation until told to stop."""

import json
import signal
import threading
from dataclasses import replace
from typing import Annotated, Protocol

import typer

from shiming.infrastructure.job_queue.worker import STOP_MAX_S, WorkerTools, run_worker
from shiming.infrastructure.logging import configure_logging
from shiming.vocabulary.errors import Text

app = typer.Typer(add_completion=False)


class WorkerPlatform(Protocol):
    """What the command needs of the wired program; `context.obj()` returns it."""

    @property
    def worker_tools(self) -> WorkerTools: ...  # noqa: D102 - named by its type
    @property
    def language(self) -> str: ...  # noqa: D102


@app.command()
def worker(
    context: typer.Context,
    stop_within: Annotated[
        float, typer.Option(min=0, help="Seconds to finish what is in hand when told to stop.")
    ] = STOP_MAX_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines for programs.")] = False,
) -> None:
    """Seal, erase, relay and deliver until SIGTERM or Ctrl-C; what is not done by then is given back.

    Any number of workers may run beside each other, on one machine or several.
    Example: shiming worker
    """
    platform: WorkerPlatform = context.obj()
    tools = replace(platform.worker_tools, stop_max_s=stop_within)
    stop = threading.Event()
    stop_at_signals(stop)
    configure_logging()
    _say({"worker": "started"}, Text(zh="工作进程已启动。", en="The worker is at work."), platform, as_json)
    given_back = run_worker(tools, stop)
    text = Text(zh=f"已停止；交回 {given_back} 项任务。", en=f"Stopped; {given_back} jobs were given back.")
    _say({"worker": "stopped", "given_back": given_back}, text, platform, as_json)


def stop_at_signals(stop: threading.Event) -> None:
    """Set `stop` at SIGTERM or Ctrl-C; a second one ends the process at once, as it would without this."""

    def told(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)


def _say(facts: dict[str, object], text: Text, platform: WorkerPlatform, as_json: bool) -> None:
    typer.echo(json.dumps(facts) if as_json else text.in_language(platform.language), err=not as_json)
