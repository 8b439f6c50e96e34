"""Speed has one definition, and it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.meters.clock import PhaseTimer, per_second
from bench.meters.tokenising import Stopwatch


class FakeClock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


steps = st.lists(st.tuples(st.floats(0.001, 10), st.integers(1, 50), st.integers(0, 4000)), min_size=1, max_size=20)


@given(steps, st.integers(0, 5))
def test_throughput_times_seconds_is_documents(work, warm):
    clock = FakeClock()
    timer = PhaseTimer(clock)
    timer.resume()
    for i, (seconds, documents, tokens) in enumerate(work):
        clock.time += seconds
        timer.count(documents, tokens)
        if i + 1 == warm < len(work):
            timer.warmed_up()
    timer.pause()
    speed = timer.speed()
    warmed = warm if 0 < warm < len(work) else 0
    assert speed.documents == sum(d for _, d, _ in work[warmed:])
    assert speed.warmup_documents == sum(d for _, d, _ in work[:warmed])
    assert speed.tokens == sum(t for _, _, t in work[warmed:])
    assert speed.seconds == pytest.approx(sum(s for s, _, _ in work[warmed:]))
    assert speed.seconds + speed.warmup_seconds == pytest.approx(timer.seconds)
    for amount in (speed.documents, speed.tokens):
        rate = per_second(amount, speed.seconds)
        assert rate is None if amount == 0 else rate * speed.seconds == pytest.approx(amount)


def test_time_between_pause_and_resume_does_not_count():
    clock = FakeClock()
    timer = PhaseTimer(clock)
    timer.resume()
    clock.time += 2
    timer.pause()
    clock.time += 50
    timer.resume()
    clock.time += 1
    timer.count(6)
    timer.pause()
    assert timer.seconds == pytest.approx(3)
    assert timer.speed().seconds == pytest.approx(3)


def test_nothing_counted_is_no_speed():
    assert PhaseTimer(FakeClock()).speed() is None


def test_no_tokens_is_unknown_not_zero():
    timer = PhaseTimer(FakeClock())
    timer.count(3)
    assert timer.speed().tokens is None
    assert per_second(None, 1.0) is None
    assert per_second(0, 1.0) is None


def test_work_from_a_cache_has_no_speed():
    clock = FakeClock()
    timer = PhaseTimer(clock)
    timer.resume()
    clock.time += 2
    timer.recalled()
    timer.count_if_silent(5)
    timer.pause()
    assert timer.speed() is None
    assert timer.seconds == pytest.approx(2)


@pytest.mark.parametrize("steps", [4, 40])
def test_fifty_milliseconds_more_a_step_move_the_figure_by_what_they_should(steps):
    def measured(seconds):
        clock = FakeClock()
        timer = PhaseTimer(clock)
        timer.resume()
        for step in range(steps):
            clock.time += seconds
            timer.count(8)
            if step == 0:
                timer.warmed_up()
        timer.pause()
        speed = timer.speed()
        return speed.documents, per_second(speed.documents, speed.seconds)

    documents, plain = measured(0.1)
    assert plain == pytest.approx(80)
    assert measured(0.15) == (documents, pytest.approx(8 / 0.15))


def test_tokenising_is_a_part_of_the_window_and_of_the_warm_up():
    clock, tokenised = FakeClock(), FakeClock()
    timer = PhaseTimer(clock, tokenised)

    def tokenise(seconds):
        clock.time += seconds
        tokenised.time += seconds

    tokenise(7)  # before the phase
    timer.resume()
    tokenise(1)
    clock.time += 10
    timer.count(2)
    timer.warmed_up()
    tokenise(3)
    timer.pause()
    tokenise(50)  # in another phase
    timer.resume()
    tokenise(0.5)
    clock.time += 20
    timer.count(5)
    timer.pause()
    speed = timer.speed()
    assert speed.seconds == pytest.approx(23.5)
    assert speed.tokenise_seconds == pytest.approx(3.5)
    assert speed.warmup_tokenise_seconds == pytest.approx(1)


def test_a_phase_that_tokenises_nothing_does_not_say_how_long_that_took():
    timer = PhaseTimer(FakeClock(), FakeClock())
    timer.count(3)
    assert timer.speed().tokenise_seconds is None


def test_a_stopwatch_runs_inside_only_and_counts_what_is_nested_once():
    clock = FakeClock()
    stopwatch = Stopwatch(clock)

    @stopwatch
    def inner():
        clock.time += 2

    clock.time += 5
    with stopwatch:
        clock.time += 1
        inner()
    inner()
    with pytest.raises(ValueError, match="broken"), stopwatch:
        clock.time += 4
        raise ValueError("broken")
    clock.time += 100
    assert stopwatch.seconds() == pytest.approx(9)


def test_what_the_process_computed_is_that_of_the_window():
    clock, computed = FakeClock(), FakeClock()
    timer = PhaseTimer(clock, computed=computed)
    timer.resume()
    clock.time, computed.time = 10.0 + 100, 4.0 + 100
    timer.count(2)
    timer.warmed_up()
    clock.time, computed.time = 13.0 + 100, 9.0 + 100
    timer.count(6)
    timer.pause()
    speed = timer.speed()
    assert (speed.seconds, speed.processor_seconds) == (3.0, 5.0)
    timer.discount(1.0)
    assert timer.speed().processor_seconds is None
