"""What the review pages need of the wired program."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request

from shiming.identity_proofing.use_cases.review_pictures import LookTools
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.picked_frames import pick_frames
from shiming.recognition.measurements import Image


def look_tools(request: Request) -> LookTools:
    """Return what a look works with."""
    platform: Any = request.app.state.platform
    return LookTools(platform.privacy, _picked)


def operator_name(request: Request, operator: str) -> str:
    """Return the name of an operator as copies show it."""
    platform: Any = request.app.state.platform
    return str(platform.operator_name(operator))


def _picked(clip: bytes, shares: Sequence[float]) -> Sequence[Image]:
    return pick_frames(clip, shares, ClipLimits())
