"""What happens in the clips of people at hand, labelled by one person from pictures of every frame.

Times in seconds. `ignored` holds squints, winks and half blinks: neither hits nor errors. Turns are the
person's own side. Small natural movements: nobody was asked to turn or to blink.
"""

from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """The labelled events of one clip."""

    blinks: tuple[Interval, ...] = ()
    ignored: tuple[Interval, ...] = ()
    turns: tuple[tuple[str, float, float], ...] = ()


TRUTH = {
    "d6": ClipTruth(
        blinks=(
            (1.63, 1.70),
            (6.87, 7.00),
            (7.30, 7.52),
            (12.60, 12.70),
            (13.00, 13.17),
            (15.00, 15.10),
            (15.57, 15.73),
            (31.00, 31.07),
            (31.50, 31.57),
            (31.93, 32.05),
        ),
        ignored=(
            (1.43, 1.50),
            (2.00, 2.07),
            (4.30, 4.47),
            (8.63, 8.73),
            (10.37, 10.47),
            (12.70, 13.30),
            (17.27, 17.40),
            (21.20, 21.30),
            (25.27, 25.37),
            (26.50, 26.67),
            (28.53, 28.60),
            (33.53, 33.60),
        ),
    ),
    "d10": ClipTruth(blinks=((7.37, 7.53), (11.07, 11.20)), ignored=((11.20, 11.35), (12.17, 12.27))),
    "d12": ClipTruth(
        blinks=((1.92, 2.04), (5.42, 5.50)),
        ignored=((3.68, 3.80), (1.10, 1.20)),
        turns=(("turn_left", 1.35, 2.15), ("turn_right", 3.05, 3.80), ("turn_left", 6.40, 7.00)),
    ),
    "d18": ClipTruth(blinks=((3.10, 3.30), (6.15, 6.27))),
    "d20": ClipTruth(),
}
