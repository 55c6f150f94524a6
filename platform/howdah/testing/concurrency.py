"""Threads and waiting in tests: every wait has a deadline, and its failure says for what."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest


def wait_until(condition: Callable[[], bool], what: str, within: float = 30) -> None:
    """Wait for a condition; the failure says for which."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {within:g} s")
        time.sleep(0.02)


def in_parallel(tasks: Sequence[Callable[[], None]], within: float = 120) -> None:
    """Run all in threads; the first failure is raised here."""
    with ThreadPoolExecutor(len(tasks)) as threads:
        for future in [threads.submit(task) for task in tasks]:
            future.result(within)


@contextlib.contextmanager
def meanwhile(task: Callable[[], None], is_over: threading.Event | None = None, within: float = 60) -> Iterator[None]:
    """Run it in a thread, and be done with it at the end, which ``is_over`` tells it; its failure is raised here."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(task)
        try:
            yield
        finally:
            if is_over:
                is_over.set()
        future.result(within)
