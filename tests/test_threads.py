"""What threads may share and what they may not: nobody is ever handed a number that another thread computed."""

from __future__ import annotations

import copy
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import unroll
from unroll.errors import UnsupportedError

THREADS, RUNS = 4, 150


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def tripling() -> unroll.Graph:
    x = unroll.placeholder([None, 3], name="x")
    return unroll.Graph([x], {"y": x * 3.0 + 1.0})


def adding() -> unroll.Graph:
    """A state that counts up by what is fed."""
    x, total = unroll.placeholder([None, 1], name="x"), unroll.placeholder([None, 1], name="total")
    last = total + x
    return unroll.Graph([x, total], {"last": last}, states={total: last})


def together(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run `work` in threads that begin together; raise what one of them raises."""
    gate = threading.Barrier(count)

    def begin(number: int) -> None:
        gate.wait()
        work(number)

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(begin, number) for number in range(count)]:
            done.result()


# -- Bound ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_feeding", [True, False])
def test_a_bound_shared_by_threads_serves_one_and_refuses_the_others(by_feeding: bool) -> None:
    bound = unroll.Session(tripling()).bind({"x": np.zeros((2, 3), np.float32)})
    served, refused = set(), set()

    def work(number: int) -> None:
        for turn in range(RUNS):
            value = float(1000 * number + turn)
            try:
                if by_feeding:
                    bound.feed({"x": np.full((2, 3), value)})
                else:
                    bound.inputs["x"][:] = value
                seen = bound.run()["y"].copy()
            except UnsupportedError as error:
                assert "session.bind" in str(error)
                refused.add(number)
            else:
                assert np.all(seen == 3 * value + 1), "handed out what another thread computed"
                served.add(number)
        time.sleep(0.05)  # until all have begun: one that has ended may be followed by another

    together(work)
    assert len(served) == 1 and served | refused == set(range(THREADS)) and not served & refused


def test_a_bound_may_be_made_in_one_thread_and_used_in_another_and_in_a_third_once_that_has_ended() -> None:
    bound = unroll.Session(tripling()).bind({"x": np.zeros((2, 3), np.float32)})
    for value in (2.0, 5.0):
        seen: list[float] = []
        thread = threading.Thread(
            target=lambda value=value, seen=seen: (
                bound.feed({"x": np.full((2, 3), value)}),
                seen.append(bound.run()["y"][0, 0]),
            )
        )
        thread.start()
        thread.join()
        assert seen == [3 * value + 1]
    assert bound.run()["y"][0, 0] == 16.0


@pytest.mark.parametrize("use", [lambda b: b.run(), lambda b: b.inputs, lambda b: b.outputs, lambda b: b.feed({})])
def test_every_use_of_a_bound_is_refused_to_a_second_thread(use: Callable[[object], object]) -> None:
    bound = unroll.Session(tripling()).bind({"x": np.zeros((2, 3), np.float32)})
    bound.run()
    with ThreadPoolExecutor(1) as pool, pytest.raises(UnsupportedError, match="used by the thread 'MainThread'"):
        pool.submit(use, bound).result()


def test_each_thread_may_bind_the_shared_session() -> None:
    session = unroll.Session(tripling())

    def work(number: int) -> None:
        bound = session.bind({"x": np.zeros((2, 3), np.float32)})
        for turn in range(RUNS):
            bound.inputs["x"][:] = value = 1000 * number + turn
            assert np.all(bound.run()["y"] == 3 * value + 1)

    together(work)


# -- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [lambda graph: graph, unroll.Session], ids=["graph", "session"])
def test_a_stream_run_by_threads_at_once_loses_no_run_that_it_took(of: Callable[[unroll.Graph], unroll.Graph]) -> None:
    stream = of(adding()).stream()
    stream.run({"x": np.zeros((1, 1), np.float32)})
    taken = []

    def work(_: int) -> None:
        for _ in range(RUNS):
            try:
                stream.run({"x": np.ones((1, 1), np.float32)})
                taken.append(1)
            except UnsupportedError as error:
                assert "a stream of its own" in str(error)

    together(work)
    assert stream.state["total"][0, 0] == len(taken) > 0


def test_a_stream_refuses_what_begins_while_it_runs() -> None:
    entered, go_on = threading.Event(), threading.Event()
    graph = adding()

    class Slow:
        states, input_specs = graph.states, graph.input_specs

        def run(self, feeds: dict, fetches: None = None) -> dict:
            entered.set()
            assert go_on.wait(10)
            return graph.run(feeds)

    stream = unroll.Stream(Slow())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(stream.run, {"x": np.ones((1, 1))})
        assert entered.wait(10)
        for second in (lambda: stream.run({"x": np.ones((1, 1))}), lambda: stream.reset({"total": np.ones((1, 1))})):
            with pytest.raises(UnsupportedError, match="another thread is running it"):
                second()
        go_on.set()
        first.result()
    assert stream.state["total"] == 1.0, "what was refused changed nothing"
    stream.run({"x": np.ones((1, 1))})
    assert stream.state["total"] == 2.0, "one run after the other goes on, in whatever thread"


def test_a_stream_that_failed_may_be_run_again() -> None:
    stream = adding().stream()
    with pytest.raises(unroll.UnrollError):
        stream.run({"x": np.ones((1, 1), complex)})
    stream.run({"x": np.ones((1, 1))})
    other = copy.copy(stream)
    other.run({"x": np.ones((1, 1))})
    assert (stream.state["total"], other.state["total"]) == (1.0, 2.0), "a copy goes on by itself"


# -- a session that takes a new snapshot -----------------------------------------------------------------------------


def test_a_run_during_refresh_has_all_the_old_values_or_all_the_new() -> None:
    x = unroll.placeholder([None, 1], name="x")
    a, b = (unroll.Parameter(np.zeros((1, 1), np.float32), name) for name in "ab")
    session = unroll.Session(unroll.Graph([x], {"y": unroll.ops.concat([x * a, x * b], axis=1)}))
    fed, stop = {"x": np.ones((1, 1), np.float32)}, threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for value in range(1, 20):
                a.assign([[value]])
                b.assign([[value]])
                session.refresh()
            stop.set()
        while not stop.is_set():
            left, right = session._session.run(["y"], fed)[0][0]
            assert left == right

    together(work)
    assert session.stale == [] and session.run(fed)["y"].tolist() == [[19.0, 19.0]]


def test_no_assignment_goes_uncounted() -> None:
    a = unroll.Parameter(np.zeros((1, 1), np.float32), "a")

    def work(number: int) -> None:
        for _ in range(RUNS):
            a.assign([[number]])

    together(work)
    assert a.version == THREADS * RUNS


def test_sessions_refreshed_by_several_threads_keep_the_newest_values() -> None:
    x = unroll.placeholder([None, 1], name="x")
    a = unroll.Parameter(np.zeros((1, 1), np.float32), "a")
    session = unroll.Session(unroll.Graph([x], {"y": x * a}))
    values = iter(range(1, 10_000))

    def work(_: int) -> None:
        for _ in range(10):
            a.assign([[next(values)]])
            session.refresh()

    together(work)
    if not session.stale:
        assert session.run({"x": np.ones((1, 1))})["y"] == a.value


# -- results one by one -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_run_many_in_each_thread_shares_the_session() -> None:
    x = unroll.placeholder([None, 4, 1], name="x")
    session = unroll.Session(unroll.Graph([x], {"y": x + 1.0}))

    def work(number: int) -> None:
        sequences = [np.full((4, 1), 100 * number + place, np.float32) for place in range(50)]
        for sequence, found in zip(sequences, session.run_many(sequences, batch_size=7), strict=True):
            assert np.all(found["y"] == sequence + 1)

    together(work)
    gc.collect()
