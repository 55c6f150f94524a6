"""The output of several instances as one stream."""

import queue
import threading
from collections.abc import Iterator, Mapping


def merged(streams: Mapping[str, Iterator[str]], *, at_once: bool) -> Iterator[str]:
    """Lines with the instance's name before each: one stream after the other, or ``at_once`` as they come.

    Raises what a stream raises.
    """
    width = max((len(name) for name in streams), default=0)
    if not at_once:
        for name, lines in streams.items():
            for line in lines:
                yield f"{name.ljust(width)} | {line}"
        return
    arrived: queue.SimpleQueue[tuple[str, str | Exception | None]] = queue.SimpleQueue()
    for name, lines in streams.items():
        threading.Thread(target=_pump, args=(name, lines, arrived), name=f"logs of {name}", daemon=True).start()
    left = len(streams)
    while left:
        source, found = arrived.get()
        match found:
            case None:
                left -= 1
            case Exception():
                raise found
            case str():
                yield f"{source.ljust(width)} | {found}"


def _pump(name: str, lines: Iterator[str], arrived: "queue.SimpleQueue[tuple[str, str | Exception | None]]") -> None:
    try:
        for line in lines:
            arrived.put((name, line))
        arrived.put((name, None))
    except Exception as error:  # noqa: BLE001 - raised where the lines are read
        arrived.put((name, error))
