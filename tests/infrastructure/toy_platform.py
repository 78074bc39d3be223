"""The platform of the toy routes."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock, SystemClock
from tests.infrastructure.http_peers import TableGatekeeper


@dataclass
class ToyPlatform:
    data_folder: Path
    engine: Engine
    gatekeeper: TableGatekeeper = field(default_factory=TableGatekeeper)
    clock: Clock = field(default_factory=SystemClock)
    made: list[str] = field(default_factory=list)
    work_s: float = 0.0
