"""How well a picture can be read: sharpness, light, glare, size, cut edges, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from shiming.recognition.images import reduced
from shiming.recognition.measurements import Image, ImageQuality
from shiming.vocabulary.errors import Text

_MEASURED_WIDTH_PX = 640
_SATURATED = 250


@dataclass(frozen=True, slots=True)
class AdviceLevels:
    """From where on advice is given. Advice helps to take a better picture; it decides nothing."""

    sharpness_min: float = 60.0
    brightness_min: float = 60.0
    brightness_max: float = 235.0
    contrast_min: float = 18.0
    glare_share_max: float = 0.02
    object_width_px_min: int = 480


_LEVELS = AdviceLevels()
_EDGES_ZH = {"left": "左", "right": "右", "top": "上", "bottom": "下"}


def measure_quality(
    picture: Image,
    subject: Image,
    *,
    object_width_px: int,
    cut_edges: tuple[str, ...] = (),
    levels: AdviceLevels = _LEVELS,
) -> ImageQuality:
    """Measure the upright `subject` (a card, a face) that was found in `picture`."""
    grey = _grey(subject)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    brightness, contrast = float(grey.mean()), float(grey.std())
    quality = ImageQuality(
        width=picture.shape[1],
        height=picture.shape[0],
        sharpness=round(sharpness, 1),
        brightness=round(brightness, 1),
        contrast=round(contrast, 1),
        glare_share=round(glare_share(subject), 4),
        object_width_px=object_width_px,
        cut_edges=cut_edges,
    )
    return replace(quality, advice=tuple(_advice(quality, levels)))


def glare_share(subject: Image) -> float:
    """Return the share of pixels that are burnt out in all colours, in patches and not in thin print."""
    small = reduced(subject, _MEASURED_WIDTH_PX)
    burnt = (small.min(axis=2) >= _SATURATED).astype(np.uint8)
    patches = cv2.morphologyEx(burnt, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return float(patches.mean())


def _grey(subject: Image) -> Image:
    width = _MEASURED_WIDTH_PX
    height = max(8, round(subject.shape[0] * width / subject.shape[1]))
    how = cv2.INTER_AREA if subject.shape[1] > width else cv2.INTER_LINEAR
    return np.asarray(
        cv2.cvtColor(cv2.resize(subject, (width, height), interpolation=how), cv2.COLOR_BGR2GRAY), np.uint8
    )


def _advice(quality: ImageQuality, levels: AdviceLevels) -> Iterator[Text]:
    found = (
        (quality.sharpness < levels.sharpness_min, TOO_BLURRED),
        (quality.brightness < levels.brightness_min, TOO_DARK),
        (quality.brightness > levels.brightness_max, TOO_BRIGHT),
        (quality.contrast < levels.contrast_min, TOO_PALE),
        (quality.glare_share > levels.glare_share_max, GLARE),
        (quality.object_width_px < levels.object_width_px_min, TOO_SMALL),
    )
    yield from (text for seen, text in found if seen)
    yield from (cut_off(edge) for edge in quality.cut_edges)


def cut_off(edge: str) -> Text:
    """Return the advice for a card that leaves the picture at one edge."""
    return Text(
        zh=f"证件的{_EDGES_ZH[edge]}边不在画面内, 请把整张证件拍进画面。",
        en=f"The card is cut off at the {edge} edge; bring the whole card into the picture.",
    )


TOO_BLURRED = Text(
    zh="图片模糊, 请拿稳手机, 对焦后再拍。",
    en="The picture is blurred; hold the phone still and let it focus.",
)
TOO_DARK = Text(zh="光线太暗, 请到明亮处拍摄。", en="The picture is too dark; take it in brighter light.")
TOO_BRIGHT = Text(zh="曝光过度, 请避开强光。", en="The picture is overexposed; avoid strong light.")
TOO_PALE = Text(
    zh="画面对比度太低, 请擦净镜头并避免雾面反光。",
    en="The picture is pale; clean the lens and avoid haze on the card.",
)
GLARE = Text(
    zh="证件上有反光, 请平放证件并换个角度。",
    en="There is glare on the card; put the card flat and change the angle.",
)
TOO_SMALL = Text(zh="证件在画面中太小, 请靠近一些。", en="The card is too small in the picture; move closer.")
