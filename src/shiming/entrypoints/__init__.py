"""The outside doors and the wiring; the only place that builds objects."""
