"""What lines of text tell about how a document lies in a picture."""

from collections.abc import Sequence

import numpy as np

from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Floats, Line, Reading, TextReader, cut_out

_DIRECTION_ASPECT_MIN = 2.5  # a single Han character is square: its box tells no direction
_SAME_DIRECTION_DEGREES = 15.0
_LINES_READ_FOR_UPRIGHT = 3
_SURE_CONFIDENCE = 0.9
_SURE_LETTERS = 8


def direction_degrees(line: Line) -> float:
    """Return the angle of a line's text against the horizontal, clockwise positive, -180..180."""
    along = line.corners[1] - line.corners[0]
    return float(np.degrees(np.arctan2(along[1], along[0])))


def reading_direction(lines: Sequence[Line]) -> float:
    """Return the direction, -90..90, in which most text runs (either way round), 0 without long lines."""
    long_lines = [line for line in lines if line.width > _DIRECTION_ASPECT_MIN * line.height]
    if not long_lines:
        return 0.0
    angles = np.array([direction_degrees(line) for line in long_lines])
    weights = np.array([line.width for line in long_lines]) ** 2
    gaps = np.abs(_half_turn(angles[:, None] - angles[None]))
    near = gaps < _SAME_DIRECTION_DEGREES
    best = int(np.argmax(near @ weights))
    offsets = _half_turn(angles - angles[best])
    chosen = near[best]
    mean = angles[best] + float(np.average(offsets[chosen], weights=weights[chosen]))
    return float(_half_turn(np.array(mean)))


def _half_turn(degrees: np.ndarray) -> np.ndarray:
    """Bring angles of undirected lines to -90..90."""
    return (degrees + 90) % 180 - 90


def along_direction(lines: Sequence[Line], degrees: float) -> tuple[Line, ...]:
    """Turn lines round where needed so that all run in about the direction given."""
    return tuple(
        line.turned_round() if abs((direction_degrees(line) - degrees + 180) % 360 - 180) > 90 else line
        for line in lines
    )


def upright_direction(image: Image, lines: Sequence[Line], reader: TextReader) -> float:
    """Return the direction, -180..180, in which the text makes sense.

    The longest lines are read from both ends until one end is clearly better.
    """
    degrees = reading_direction(lines)
    score = 0.0
    ordered = sorted(along_direction(lines, degrees), key=lambda line: -line.width)
    for line in ordered[:_LINES_READ_FOR_UPRIGHT]:
        forwards = reader.read(cut_out(image, line))
        backwards = reader.read(cut_out(image, line.turned_round()))
        score += _sense(forwards) - _sense(backwards)
        if abs(score) > _SURE_CONFIDENCE * _SURE_LETTERS / 2:
            break
    if score >= 0:
        return degrees
    return (degrees + 360) % 360 - 180


def _sense(reading: Reading) -> float:
    """Return how much of a line was read surely; upside-down text gives few characters, all unsure."""
    return sum(max(0.0, letter.probability - 0.5) * 2 for letter in reading.letters)


def in_text_frame(points: Floats, degrees: float) -> Floats:
    """Rotate points (n, 2) about the origin so that text of this direction becomes horizontal."""
    turn = np.radians(-degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    return np.asarray(points @ rotation.T, np.float32)


def out_of_text_frame(points: Floats, degrees: float) -> Floats:
    """Undo `in_text_frame`."""
    return in_text_frame(points, -degrees)


def text_extent(lines: Sequence[Line], degrees: float, *, beside: float, above: float) -> Floats:
    """Return the corners (4, 2) of the rectangle around all lines, grown by shares of its sides."""
    points = in_text_frame(np.concatenate([line.corners for line in lines]), degrees)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = (high - low) * np.array((beside, above), np.float32)
    (left, top), (right, bottom) = low - margin, high + margin
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return out_of_text_frame(corners, degrees)


def clusters(lines: Sequence[Line], line_heights: float) -> list[tuple[Line, ...]]:
    """Group lines that run alike within so many line heights; short ones join; most text first."""
    long_lines = [line for line in lines if line.width > _DIRECTION_ASPECT_MIN * line.height]
    group = list(range(len(long_lines)))
    for i, first in enumerate(long_lines):
        for j in range(i):
            if group[i] != group[j] and _belong_together(first, long_lines[j], line_heights):
                old, new = group[i], group[j]
                group = [new if one == old else one for one in group]
    found = [
        [line for line, one in zip(long_lines, group, strict=True) if one == name] for name in set(group)
    ]
    for line in lines:
        if line.width <= _DIRECTION_ASPECT_MIN * line.height and found:
            gaps = [min(_gap(line, one) for one in members) for members in found]
            found[int(np.argmin(gaps))].append(line)
    return sorted(
        (tuple(members) for members in found), key=lambda members: -sum(one.width for one in members)
    )


def _belong_together(first: Line, second: Line, line_heights: float) -> bool:
    turn = abs(float(_half_turn(np.array(direction_degrees(first) - direction_degrees(second)))))
    near = line_heights * max(first.height, second.height)
    return turn < _SAME_DIRECTION_DEGREES and _gap(first, second) < near


def _gap(first: Line, second: Line) -> float:
    """Return the distance between the middles of two lines at their nearest."""
    steps = np.linspace(0, 1, 9)[:, None]
    paths = []
    for line in (first, second):
        start, end = (line.corners[0] + line.corners[3]) / 2, (line.corners[1] + line.corners[2]) / 2
        paths.append(start + (end - start) * steps)
    return float(np.linalg.norm(paths[0][:, None] - paths[1][None], axis=2).min())
