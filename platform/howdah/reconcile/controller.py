"""The loop that stays: looks at every cluster again and again, restarts what died, and keeps the clocks."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from howdah.coordination import paths
from howdah.coordination.holder import this_process
from howdah.errors import Bug, Conflict, HowdahError, Transient
from howdah.model.cluster import Cluster, ClusterPhase
from howdah.ports.coordinator import Fence, Session
from howdah.reconcile.loop import Reconciler
from howdah.reconcile.progress import Progress, Silent

PERIOD = 5.0
"""Seconds between two looks."""
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
STEADY = 600.0
"""Seconds without trouble after which what was before is forgotten."""

_log = logging.getLogger(__name__)

Delete = Callable[[Cluster], None]
"""Takes away a cluster whose time is up, as its definition says. Raises Conflict where it is another by now."""


@dataclass(slots=True)
class Patience:
    """How long to leave a cluster alone that had to be helped: twice as long each time, until it is steady again."""

    pause: float = 0.0
    until: float = 0.0
    last: float = 0.0

    def is_over(self, now: float) -> bool:
        """Whether it may be helped again."""
        return now >= self.until

    def helped(self, now: float) -> None:
        """It had to be helped, or help failed."""
        steady = now - self.last > STEADY
        self.pause = FIRST_PAUSE if steady or not self.pause else min(LONGEST_PAUSE, 2 * self.pause)
        self.until, self.last = now + self.pause, now


@dataclass(slots=True)
class Controller:
    """One at a time is the leader.

    ``say`` gets one sentence for each cluster and look at which something was done or wrong.
    """

    reconciler: Reconciler
    expire: Delete
    say: Callable[[str, str], None]
    progress: Progress = field(default_factory=Silent)
    _patience: dict[str, Patience] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Until told to stop.

        Raises Conflict where another one is the leader, Fenced and Transient when the session is lost.
        """
        leadership = self._lead()
        try:
            while not stop.is_set():
                if self._session() is Session.CONNECTED:
                    leadership.check()
                    self.look()
                stop.wait(PERIOD)
        finally:
            leadership.release()

    def look(self) -> None:
        """Once over all the clusters. What is wrong with one does not keep it from the others."""
        try:
            clusters = self.reconciler.records.clusters()
        except HowdahError as error:
            _log.warning("the records cannot be read: %s", error.what)
            return
        for cluster in clusters:
            if self._session() is not Session.CONNECTED:
                return
            patience = self._patience.setdefault(cluster.uuid, Patience())
            if not patience.is_over(self.reconciler.outside.clock.monotonic()):
                continue
            try:
                sentence = self._look_at(cluster)
            except Conflict as error:
                _log.info("left alone: %s", error.what, extra={"cluster": cluster.name})
                continue
            except HowdahError as error:
                sentence = error.what
            if sentence:
                patience.helped(self.reconciler.outside.clock.monotonic())
                self._tell(cluster.name, sentence)

    def _look_at(self, cluster: Cluster) -> str:
        """One sentence about what was done; empty where nothing had to be."""
        now = self.reconciler.outside.clock.now()
        is_going = cluster.phase is ClusterPhase.DELETING  # as whoever deletes it said, which is the last word
        if cluster.expires_at and not is_going and now >= datetime.fromisoformat(cluster.expires_at):
            self.expire(cluster)
            return f"its time was up at {cluster.expires_at}: deleted"
        if cluster.phase is ClusterPhase.STOPPED or not self._needs_help(cluster):
            return ""
        fence = self.reconciler.records.lock(cluster.name, "controller", 0.0, lambda holder: None)
        try:
            steps = self.reconciler.converge(cluster.name, fence, self.progress)
        finally:
            fence.release()
        return f"brought back to what it should be, in {steps} steps" if steps else ""

    def _needs_help(self, cluster: Cluster) -> bool:
        """Looked at without the lock, so that no command is told that a mere look holds the cluster.

        What is seen meanwhile may be half of somebody's change: whether something is wrong is found out under the lock.
        """
        try:
            return bool(self.reconciler.plan(self.reconciler.desired(cluster.name)).steps)
        except Bug:
            raise
        except HowdahError:
            return True

    def _tell(self, cluster: str, sentence: str) -> None:
        at = self.reconciler.outside.clock.now().isoformat(timespec="seconds")
        try:
            self.reconciler.records.add_event(cluster, at, f"controller: {sentence}")
        except Transient as error:
            _log.warning("event not recorded: %s", error.what, extra={"cluster": cluster})
        self.say(cluster, sentence)

    def _lead(self) -> Fence:
        coordinator = self.reconciler.records.coordinator
        return coordinator.lock(paths.LEADER, this_process("controller"), 0.0, lambda holder: None)

    def _session(self) -> Session:
        return self.reconciler.records.coordinator.session()
