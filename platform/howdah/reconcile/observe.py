"""Read what is really there, at one moment."""

from collections.abc import Mapping

from howdah.errors import Transient
from howdah.model.cluster import Endpoint
from howdah.model.storage import Survey
from howdah.planning.observed import LABEL_CLUSTER, HostState, Observed, Unknown
from howdah.reconcile.ports import HostPorts, Outside


def observe(outside: Outside, cluster: str, endpoints: Mapping[str, Endpoint]) -> Observed:
    """Every host, with the containers of one cluster (by uuid) and all the volumes."""
    return Observed({name: _host(host, cluster) for name, host in outside.hosts.items()}, endpoints)


def survey(host: HostPorts) -> Survey:
    """What is on the host's disk.

    Looking takes a container: before there is an image for it, nothing was ever put there by us.

    Verbs that change anything have made that image first (howdah.reconcile.registry.prepare).
    """
    if host.engine.image(host.images.helper()) is None:
        return Survey()
    return host.volumes.survey()


def must_see(outside: Outside) -> None:
    """Raises Transient where volumes cannot be looked at: what was pruned under a process that stays is not empty."""
    for name, host in outside.hosts.items():
        if host.engine.image(host.images.helper()) is None:
            raise Transient(
                f"the volumes of host {name} cannot be looked at: image {host.images.helper()} is not there",
                fix="howdah image build base",
            )


def _host(host: HostPorts, cluster: str) -> HostState | Unknown:
    try:
        return HostState(
            layout=host.volumes.layout,
            survey=survey(host),
            instances=host.engine.list({LABEL_CLUSTER: cluster}),
            networks=host.engine.networks(),
        )
    except Transient as error:
        return Unknown(error.what)
