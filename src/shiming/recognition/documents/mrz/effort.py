"""A limit on how often one picture is looked at: the worst case must end in time too."""

from collections.abc import Sequence

from shiming.recognition.documents.mrz.alphabet import ZONE_ALPHABET
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Line, Reading, TextReader

#: A search takes 0.4 s on one core of 2026, a reading of a row 0.08 s: some six seconds together. No zone
#: that could be read needed more than 25 readings.
SEARCHES_MAX, READINGS_MAX = 6, 40


class EffortSpent(Exception):
    """The limit is reached."""


class CountedReader:
    """A text reader that stops after so many searches and readings; one a picture."""

    def __init__(
        self, reader: TextReader, *, searches_max: int = SEARCHES_MAX, readings_max: int = READINGS_MAX
    ) -> None:
        self._reader = reader
        self.searches_left, self.readings_left = searches_max, readings_max

    def find_lines(self, image: Image, side_px: int) -> Sequence[Line]:
        """Find lines; raises EffortSpent."""
        self.searches_left -= 1
        if self.searches_left < 0:
            raise EffortSpent
        return self._reader.find_lines(image, side_px)

    def read_prose(self, strip: Image) -> Reading:
        """Read a line that may be anything; raises EffortSpent."""
        return self._read(strip, None)

    def read_zone_row(self, strip: Image) -> Reading:
        """Read a line in the alphabet of the zone; raises EffortSpent."""
        return self._read(strip, ZONE_ALPHABET)

    def _read(self, strip: Image, alphabet: dict[str, str] | None) -> Reading:
        self.readings_left -= 1
        if self.readings_left < 0:
            raise EffortSpent
        return self._reader.read(strip, alphabet)
