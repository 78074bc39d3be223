"""How what was read from an upload is written down to be held until the decision."""

import io
import json
from datetime import date
from typing import Any

import numpy as np

from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.recognition.measurements import Image


def image_bytes(image: Image) -> bytes:
    """Return an image as it is held."""
    buffer = io.BytesIO()
    np.save(buffer, image, allow_pickle=False)
    return buffer.getvalue()


def image_of(content: bytes) -> Image:
    """Return the image that was held."""
    image: Image = np.load(io.BytesIO(content), allow_pickle=False)
    return image


def identity_bytes(identity: ClaimedIdentity) -> bytes:
    """Return an identity as it is held; only ever encrypted."""
    values = {name: getattr(identity, name) for name in ClaimedIdentity.__slots__}
    return json.dumps(values, default=lambda day: {"date": day.isoformat()}).encode()


def identity_of(content: bytes) -> ClaimedIdentity:
    """Return the identity that was held."""
    values = json.loads(content, object_hook=_day_or_object)
    return ClaimedIdentity(**values)


def _day_or_object(found: dict[str, Any]) -> Any:
    return date.fromisoformat(found["date"]) if set(found) == {"date"} else found
