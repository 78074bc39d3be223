"""One visit: what the tour knows of its visitor, in the folder that is deleted with it."""

import threading
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request

from shiming.entrypoints.tour_case import WaitingCase
from shiming.entrypoints.tour_world import TourAccount

if TYPE_CHECKING:
    from shiming.entrypoints.pages.tour.visitor_card import VisitorCard
    from shiming.entrypoints.wiring import Platform

CAMERA_COOKIE = "shiming_tour_camera"


class Camera(StrEnum):
    """What pages of the tour see when they open the camera."""

    SPECIMEN = "specimen"  # the specimen card, then the animated specimen person with its voice
    STRANGER = "stranger"  # another person's card, then the specimen person: must be refused
    MADE_CARD = "made_card"  # a card made for the visitor, then their own camera
    OWN = "own"  # the visitor's own camera for everything


@dataclass(slots=True)
class Visit:
    """The installation of the tour and what its visitor did; the paths lie in the tour's folder."""

    platform: "Platform"
    folder: Path
    population: Path
    accounts: tuple[TourAccount, ...]
    case: WaitingCase | None = None  # none: nobody is put into the reviewer's queue
    card: "VisitorCard | None" = None
    sims_shown: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _rehearsed: str = ""

    def __post_init__(self) -> None:
        self._rehearsed = self.platform.settings.sandbox_challenge

    def use(self, camera: Camera) -> None:
        """Ask what a recorded person can answer of it, and something drawn of a person who is there."""
        recorded = camera in {Camera.SPECIMEN, Camera.STRANGER}
        challenge = self._rehearsed if recorded else ""
        self.platform.settings = replace(self.platform.settings, sandbox_challenge=challenge)


def visit_of(request: Request) -> Visit:
    """Return the visit that this process serves."""
    visit: Visit = request.app.state.visit
    return visit


def camera_of(request: Request) -> Camera | None:
    """Return the camera that was chosen; None before anything was."""
    chosen = request.cookies.get(CAMERA_COOKIE, "")
    return Camera(chosen) if chosen in set(Camera) else None
