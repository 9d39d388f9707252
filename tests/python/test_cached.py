"""Attributes that are computed once: by the first who asks, never waiting for anybody else."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from starlings.cached import cached_property

TIMEOUT = 60


class Computed:
    """An attribute that takes as long as somebody else wants."""

    def __init__(self, begun: Event | None = None, go_on: Event | None = None) -> None:
        self.begun, self.go_on = begun, go_on
        self.times = 0

    @cached_property
    def value(self) -> object:
        """What it is."""
        self.times += 1
        if self.begun is not None and self.go_on is not None:
            self.begun.set()
            assert self.go_on.wait(TIMEOUT)
        return object()


def test_it_is_computed_once_and_documented() -> None:
    one, other = Computed(), Computed()
    assert one.value is one.value and one.value is not other.value
    assert one.times == other.times == 1
    assert Computed.value.__doc__ == "What it is."


def test_threads_that_ask_at_once_get_one_result() -> None:
    begun, go_on = Event(), Event()
    shared = Computed(begun, go_on)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(lambda: shared.value) for _ in range(4)]
        assert begun.wait(TIMEOUT)
        go_on.set()
        assert len({id(future.result(TIMEOUT)) for future in asked}) == 1


def ask(connection: Any) -> None:
    connection.send(Computed().times + (Computed().value is not None))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent() -> None:
    begun, go_on = Event(), Event()
    context = multiprocessing.get_context("fork")
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(lambda: Computed(begun, go_on).value)
        try:
            assert begun.wait(TIMEOUT)
            receiving, sending = context.Pipe(duplex=False)
            child = context.Process(target=ask, args=(sending,))
            child.start()
            assert receiving.poll(TIMEOUT), "the forked process hangs"
            assert receiving.recv() == 1
            child.join(TIMEOUT)
        finally:
            go_on.set()
        assert busy.result(TIMEOUT) is not None
