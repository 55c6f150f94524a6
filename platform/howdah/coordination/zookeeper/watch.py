"""A watch that stays: ZooKeeper's are for one change, and go with the connection."""

import logging
import threading
from collections.abc import Callable

from howdah.coordination.zookeeper.client import Client
from howdah.errors import HowdahError

log = logging.getLogger(__name__)

_AGAIN_AFTER = 1.0


class Watch:
    """Calls back, in a thread of its own, after changes at a path or to its children.

    It is set again before the call, so that a change during the call is followed by another; several before
    it are one.
    """

    def __init__(self, client: Client, path: str, on_change: Callable[[], None]) -> None:
        self._client = client
        self._path = path
        self._on_change = on_change
        self._wake = threading.Event()
        self._is_stopped = threading.Event()
        self._set()
        threading.Thread(target=self._run, name=f"watch {path}", daemon=True).start()

    def stop(self) -> None:
        """No call begins after this."""
        self._is_stopped.set()
        self._wake.set()

    def _changed(self, _: object) -> None:
        # kazoo calls this for a lost connection too, which takes its watches along. It keeps a callback once
        # for a path, however often it was given.
        self._wake.set()

    def _set(self) -> None:
        if self._client.find(self._path, self._changed) is None:
            return
        for name in self._client.children(self._path, self._changed) or ():
            self._client.find(f"{self._path}/{name}", self._changed)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if self._is_stopped.is_set():
                return
            self._wake.clear()
            try:
                self._set()
            except HowdahError as error:
                log.info("the watch on %s waits for the registry: %s", self._path, error.what)
                self._wake.set()
                self._is_stopped.wait(_AGAIN_AFTER)
                continue
            if not self._is_stopped.is_set():
                self._on_change()
