import logging

from tests.conftest import WATCH
from tests.log_watch import LogWatch, specimens


def test_the_watch_finds_people_and_lets_references_pass() -> None:
    watch, logger = LogWatch(), logging.getLogger("somebody.else")
    for text in ("holder 220503199006150586", "柯爱林 was here", "SES-0081-0G3G-50C7-1"):
        watch.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 1, text, (), None))
    assert len(watch.hits) == 2
    assert not any(specimens().search(hit) for hit in watch.hits)


def test_our_own_records_are_masked_but_a_name_is_found() -> None:
    watch, logger = LogWatch(), logging.getLogger("shiming.test")
    for text in ("holder 220503199006150586", "柯爱林 was here"):
        watch.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 1, text, (), None))
    assert len(watch.hits) == 1


def test_every_test_is_watched() -> None:
    assert WATCH in logging.getLogger().handlers
    assert WATCH in logging.getLogger("shiming").handlers
