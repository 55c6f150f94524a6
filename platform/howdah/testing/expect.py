"""Short ways to say what must hold."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from howdah.errors import HowdahError


@contextmanager
def refusing(kind: type[HowdahError], *words: str) -> Iterator[None]:
    """What is within must raise exactly that kind of error, and its message must name all the words."""
    raised: HowdahError | None = None
    try:
        yield
    except HowdahError as error:
        raised = error
    assert raised is not None, f"expected {kind.__name__}, but nothing was raised"
    assert isinstance(raised, kind), f"expected {kind.__name__}, got {type(raised).__name__}: {raised}"
    for word in words:
        assert word in str(raised), f"{word!r} is not named in: {raised}"


def eventually(holds: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Wait until it holds; fails saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for: {what}"
        time.sleep(0.02)
