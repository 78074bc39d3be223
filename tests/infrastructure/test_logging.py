import io
import json
import logging

import pytest

from shiming.infrastructure.logging import configure_logging, redact


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "+8613800138000", "13800138000", "E12345678", "EA1234567"]
)
def test_numbers_of_people_are_masked(number: str) -> None:
    assert number not in redact(f"asked for {number}, refused")
    assert number not in redact(f"({number})")


@pytest.mark.parametrize(
    "text", ["EVD-0081-0G3G-50C7-1", "2026-05-01T12:00:00+00:00", "took 1234 ms", "p1.AbC9"]
)
def test_references_and_figures_stay(text: str) -> None:
    assert redact(text) == text


def test_a_record_is_one_json_line_without_people() -> None:
    stream = io.StringIO()
    handler = configure_logging(level="INFO", stream=stream)
    logger = logging.getLogger("shiming.test")
    try:
        logger.info("holder %s", "11010519491231002X")
        try:
            raise ValueError("11010519491231002X")  # noqa: TRY301 - a careless library
        except ValueError:
            logger.exception("failed")
        configure_logging(level="INFO", stream=stream)  # replaces, does not double
        logger.info("once")
    finally:
        logging.getLogger("shiming").handlers.clear()
        logging.getLogger("shiming").propagate = True
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["INFO", "ERROR", "INFO"]
    assert "ValueError" in lines[1]["exception"]
    assert "11010519491231002X" not in stream.getvalue()
    assert handler not in logging.getLogger("shiming").handlers
