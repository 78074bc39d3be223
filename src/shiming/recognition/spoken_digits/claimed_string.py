"""How well one claimed digit string explains a clip, from the frame-wise outputs of a CTC net. Pure.

`log_probabilities` is (steps, 12): 0 blank, 1..10 the digits 0..9, 11 a unit that is not a digit.

The score compares the claimed string with the best reading of the same sound, in which other units than
digits are allowed: log P(claimed) - log P(best reading), 0 or less (a little more is possible, because
the best path is not the most probable string). The recursion is vectorised over strings.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BLANK = 0
OTHER = 11
OTHER_SIGN = "?"
IMPOSSIBLE = -1e9

LogProbabilities = NDArray[np.float32]
Scores = NDArray[np.float64]


def labels_of(units: str) -> tuple[int, ...]:
    """Return the net's labels of digits and `?`.

    >>> labels_of("09?")
    (1, 10, 11)
    """
    return tuple(OTHER if unit == OTHER_SIGN else int(unit) + 1 for unit in units)


def units_heard(log_probabilities: LogProbabilities) -> str:
    """Return the best path's reading: digits, and `?` for each unit that is not a digit."""
    best = log_probabilities.argmax(axis=1)
    kept = [
        int(label)
        for index, label in enumerate(best)
        if label != BLANK and (index == 0 or label != best[index - 1])
    ]
    return "".join(OTHER_SIGN if label == OTHER else str(label - 1) for label in kept)


def log_likelihoods(log_probabilities: LogProbabilities, strings: Sequence[str]) -> Scores:
    """Return log P(string) of each string (digits and `?`), summed over all alignments."""
    longest = max((len(string) for string in strings), default=0)
    states = np.zeros((len(strings), 2 * longest + 1), dtype=np.int64)
    for row, string in enumerate(strings):
        states[row, 1 : 2 * len(string) : 2] = labels_of(string)
    emission = log_probabilities.astype(np.float64)[:, states]  # steps, strings, states
    may_skip = np.zeros(states.shape, dtype=bool)
    may_skip[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    reached = np.full(states.shape, IMPOSSIBLE)
    reached[:, :2] = emission[0, :, :2]
    for step in range(1, len(emission)):
        following = np.logaddexp(reached, _moved(reached, 1))
        following = np.where(may_skip, np.logaddexp(following, _moved(reached, 2)), following)
        reached = following + emission[step]
    rows, last = np.arange(len(strings)), 2 * np.array([len(string) for string in strings])
    ends = np.where(last > 0, reached[rows, np.maximum(last - 1, 0)], IMPOSSIBLE)
    return np.asarray(np.logaddexp(reached[rows, last], ends))


def _moved(reached: Scores, places: int) -> Scores:
    moved = np.full(reached.shape, IMPOSSIBLE)
    if reached.shape[1] > places:
        moved[:, places:] = reached[:, :-places]
    return moved


def edit_distance(left: str, right: str) -> int:
    """Return the least number of insertions, deletions and substitutions.

    >>> edit_distance("470913", "47?913"), edit_distance("12", "")
    (1, 2)
    """
    previous = list(range(len(right) + 1))
    for row, first in enumerate(left, start=1):
        current = [row]
        for column, second in enumerate(right, start=1):
            current.append(
                min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (first != second))
            )
        previous = current
    return previous[-1]
