"""Pictures in memory for the outside."""

import io

from PIL import Image as PilImage

from shiming.recognition.measurements import Image

JPEG_QUALITY = 92


def jpeg(picture: Image) -> bytes:
    """Encode BGR pixels."""
    target = io.BytesIO()
    PilImage.fromarray(picture[:, :, ::-1]).save(target, "JPEG", quality=JPEG_QUALITY)
    return target.getvalue()
