"""Some hundred feeds with faults made at random; `tests.audio.feeds.fuzz` tries any number."""

from hypothesis import HealthCheck, given, settings

from tests.audio.feeds.fuzz import Made, check, feeds


@given(feeds())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_item_is_lost_without_a_word(made: Made) -> None:
    check(made)
