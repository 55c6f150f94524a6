"""From desired and observed state to a plan. Every verb of the product is this one function."""

from collections.abc import Callable

from howdah.model.cluster import ClusterPhase, Desired
from howdah.planning.containers import Images
from howdah.planning.ending import halt, take_away
from howdah.planning.observed import Observed
from howdah.planning.plan import Plan
from howdah.planning.running import run
from howdah.planning.view import View

_BY_PHASE: dict[ClusterPhase, Callable[[View], Plan]] = {
    ClusterPhase.LAUNCHING: run,
    ClusterPhase.READY: run,
    ClusterPhase.STOPPING: halt,
    ClusterPhase.STOPPED: halt,
    ClusterPhase.DELETING: take_away,
}


def plan(desired: Desired, observed: Observed, images: Images) -> Plan:
    """What must be done for ``observed`` to become ``desired``; empty when it is.

    Raises Refused where it would start a daemon on data that is not what the records say, and Transient where a host
    is Unknown.
    """
    return _BY_PHASE[desired.cluster.phase](View.of(desired, observed, images))
