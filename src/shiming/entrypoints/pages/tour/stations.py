"""Where each place of the tour begins, and what its camera shows."""

from dataclasses import dataclass

from shiming.entrypoints.pages.tour.visit import Camera


@dataclass(frozen=True, slots=True)
class Station:
    """`path` None: an online order is made, and its link opened. `camera` None: what the visitor chose."""

    path: str | None
    camera: Camera | None = None


STATIONS = {
    "counter": Station("/counter"),
    "refused": Station("/counter", Camera.STRANGER),
    "home": Station(None),
    "equal": Station(None),
    "review": Station("/desk/reviews"),
    "second": Station("/desk/reviews"),
    "admin": Station("/desk"),
    "audit": Station("/desk/ledger"),
}


def camera_at(station: Station, chosen: Camera | None) -> Camera:
    """Return the camera of a place: its own, else what the visitor chose; never a stranger's card."""
    if station.camera is not None:
        return station.camera
    return chosen if chosen not in {None, Camera.STRANGER} and chosen is not None else Camera.SPECIMEN
