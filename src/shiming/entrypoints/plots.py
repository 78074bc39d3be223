"""Pictures of measurements for people: an annotated photo, a clip's timeline. Drawn with Pillow."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from shiming.recognition.measurements import ClipEventKind, ClipMeasurement
from shiming.vocabulary.errors import BadInput, Text

INK, PAPER, GRID = (32, 36, 44), (255, 255, 255), (222, 226, 232)
# Okabe-Ito colours: distinguishable with any colour vision
COLOURS = {
    ClipEventKind.TURN_LEFT: (0, 114, 178),
    ClipEventKind.TURN_RIGHT: (230, 159, 0),
    ClipEventKind.BLINK: (0, 158, 115),
    ClipEventKind.EYES_CLOSED: (0, 120, 90),
    ClipEventKind.MOUTH_OPEN: (204, 121, 167),
    ClipEventKind.SPEECH: (86, 180, 233),
}
ALARM = (213, 94, 0)
WIDTH, LEFT, RIGHT, BAND = 1100, 150, 20, 130
LINES_MAX = 40


@dataclass(frozen=True, slots=True)
class Series:
    """One signal over time with the range that its band shows."""

    name: str
    values: Sequence[float]
    low: float
    high: float


def font(size: int = 15) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


def save(picture: Image.Image, target: Path) -> None:
    """Write a PNG; raises `BadInput` PLOT_NOT_WRITTEN when the path cannot be written."""
    try:
        picture.save(target)
    except (OSError, ValueError) as error:
        raise BadInput(
            "PLOT_NOT_WRITTEN",
            Text(zh="无法写入图片文件。", en="The plot cannot be written there."),
            advice=Text(zh="请用 .png 结尾的可写路径。", en="Use a writable path that ends in .png."),
        ) from error


def picture_of(pixels: Any, file: Path) -> Image.Image:
    """Return a picture from BGR pixels, or the file itself, upright; a clip gives an empty sheet."""
    if pixels is not None:
        return Image.fromarray(pixels[:, :, ::-1])
    try:
        with Image.open(file) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except OSError:
        return Image.new("RGB", (240, 240), GRID)


def annotated(
    picture: Image.Image, boxes: Sequence[tuple[int, int, int, int]], notes: Sequence[str]
) -> Image.Image:
    """Return the picture with boxes drawn on it and the notes in a column beside it."""
    scale = min(1.0, 760 / max(picture.size))
    shown = picture.convert("RGB").resize((round(picture.width * scale), round(picture.height * scale)))
    draw = ImageDraw.Draw(shown)
    for x, y, width, height in boxes:
        corners = [value * scale for value in (x, y, x + width, y + height)]
        draw.rectangle(corners, outline=ALARM, width=3)
    sheet = Image.new("RGB", (shown.width + 460, max(shown.height, 30 + 22 * len(notes))), PAPER)
    sheet.paste(shown, (0, 0))
    writer = ImageDraw.Draw(sheet)
    for row, note in enumerate(notes[:LINES_MAX]):
        writer.text((shown.width + 16, 12 + 22 * row), note, fill=INK, font=font())
    return sheet


def notes_of(measurement: dict[str, Any], *, prefix: str = "") -> list[str]:
    """Flatten the figures of a measurement to lines `name: value`; texts of readings stay out."""
    lines: list[str] = []
    for key, value in measurement.items():
        if isinstance(value, dict) and key not in {"fields", "field_confidence"}:
            lines += notes_of(value, prefix=f"{prefix}{key}.")
        elif isinstance(value, bool | int | str) or value is None:
            lines.append(f"{prefix}{key}: {value}")
        elif isinstance(value, float):
            lines.append(f"{prefix}{key}: {value:.3g}")
    return lines


def timeline(clip: ClipMeasurement) -> Image.Image:
    """Return the clip's signals over time with its events as coloured stretches."""
    signals = clip.timeline
    bands = (
        Series("yaw, degrees\n(+ own left)", signals.yaw_degrees, -45, 45),
        Series("eye openness", signals.eye_openness, 0, 0.5),
        Series("mouth opening", signals.mouth_opening, 0, 0.4),
    )
    kinds = sorted({event.kind for event in clip.events})
    height = 60 + BAND * len(bands) + 24 * (len(kinds) + 1)
    sheet = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    duration = max(clip.duration_s, 0.001)
    for row, series in enumerate(bands):
        _draw_band(draw, series, signals.times_s, duration, top=20 + BAND * row)
    top = 30 + BAND * len(bands)
    for row, kind in enumerate(kinds):
        draw.text((8, top + 24 * row), kind.value, fill=INK, font=font())
        for event in clip.events:
            if event.kind == kind:
                start, end = (_x(moment, duration) for moment in (event.start_s, event.end_s))
                draw.rectangle(
                    (start, top + 24 * row + 3, max(end, start + 3), top + 24 * row + 17),
                    fill=COLOURS.get(kind, ALARM),
                )
    for second in range(int(duration) + 1):
        draw.text((_x(second, duration), height - 24), f"{second} s", fill=INK, font=font(13))
    return sheet


def _x(moment_s: float, duration_s: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(moment_s, duration_s) / duration_s


def _draw_band(
    draw: ImageDraw.ImageDraw, series: Series, times_s: Sequence[float], duration_s: float, *, top: int
) -> None:
    span = BAND - 20

    def level(value: float) -> float:
        inside = min(max(value, series.low), series.high)
        return top + span * (series.high - inside) / (series.high - series.low)

    draw.rectangle((LEFT, top, WIDTH - RIGHT, top + span), outline=GRID)
    draw.line((LEFT, level(0), WIDTH - RIGHT, level(0)), fill=GRID)
    draw.text((8, top + 8), series.name, fill=INK, font=font())
    points = list(zip(times_s, series.values, strict=False))
    for (start, before), (end, after) in pairwise(points):
        if not (isnan(before) or isnan(after)):
            draw.line(
                (_x(start, duration_s), level(before), _x(end, duration_s), level(after)), fill=INK, width=2
            )
