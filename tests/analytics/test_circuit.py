"""The circuit breaker: how long Umami is left alone, and what closes it again."""

from portal.analytics.circuit import LONGEST_SECONDS, Circuit


def test_each_failure_doubles_the_pause_up_to_five_minutes():
    circuit = Circuit()
    assert not circuit.open
    pauses = [circuit.failed() for _ in range(12)]
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == LONGEST_SECONDS == 300.0
    assert circuit.open


def test_only_a_stored_event_closes_it():
    circuit = Circuit()
    circuit.failed()
    circuit.failed()
    circuit.stored()
    assert not circuit.open
    assert circuit.failed() == 1.0
