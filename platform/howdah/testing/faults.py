"""Ports that fail at the nth effect: what a kill, or a lost answer, at that point leaves behind.

The things behind the ports stay (``MemoryEngine``, ``MemoryVolumes``, the coordinator's records), the wrappers die.
"""

import threading
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

Port = TypeVar("Port")
Kind = Literal["before", "after"]

EFFECTS = frozenset(
    {
        # Engine
        *("ensure_network", "remove_network", "ensure_instance", "run_once", "stop", "remove", "exec", "exec_stream"),
        *("build_image", "import_image", "pull_image", "remove_image"),
        # Volumes
        *(
            "prepare",
            "create",
            "stamp",
            "bury",
            "remove",
            "create_scratch",
            "remove_scratch",
            "write_bundle",
            "remove_bundles",
        ),
        # Coordinator and Fence
        *("commit", "delete_tree", "lock", "release"),
    }
)
"""The methods that change something. Whatever else a port has only looks."""


class Killed(BaseException):
    """The process died here. Not an Exception, so that nothing but a ``finally`` sees it."""


class Faults:
    """Counts effects over all the ports it wraps, and strikes once: before or after number ``at``, counted from 1.

    ``at=0`` never strikes; ``effects`` then says what there was to strike. After a Killed every call raises Killed, in
    every thread, for the process is dead; after another exception the ports work again.
    """

    def __init__(self, at: int = 0, kind: Kind = "before", exception: Callable[[], BaseException] = Killed) -> None:
        self.effects: list[str] = []
        self.is_dead = False
        self._at = at
        self._kind = kind
        self._exception = exception
        self._lock = threading.Lock()

    def wrap(self, port: Port) -> Port:
        """The same port, failing where it is told to."""
        return cast(Port, _Failing(port, self))

    def call(self, name: str, method: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """One call of a wrapped port."""
        if self.is_dead:
            raise Killed(f"{name} after the end")
        if name not in EFFECTS:
            return method(*arguments, **named)
        with self._lock:
            self.effects.append(f"{name} {arguments[0] if arguments else ''}".strip()[:100])
            strikes = len(self.effects) == self._at
        if strikes and self._kind == "before":
            raise self._struck()
        result = method(*arguments, **named)
        if strikes:
            raise self._struck()
        # Held by the process: its lock is not given back by one that is dead.
        return self.wrap(result) if name == "lock" else result

    def _struck(self) -> BaseException:
        exception = self._exception()
        self.is_dead = isinstance(exception, Killed)
        return exception


def failing_after(port: Port, n: int, kind: Kind = "before", exception: Callable[[], BaseException] = Killed) -> Port:
    """One port that fails before or after its nth effect."""
    return Faults(n, kind, exception).wrap(port)


class _Failing:
    def __init__(self, port: object, faults: Faults) -> None:
        self._port = port
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *arguments, **named: self._faults.call(name, found, arguments, named)
