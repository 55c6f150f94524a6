"""The effects on a host: one call of a port for each action."""

from collections.abc import Callable, Iterable

from howdah.errors import Bug, Failed
from howdah.planning import actions
from howdah.ports.engine import InstanceSpec
from howdah.reconcile.ports import HostPorts

FORMAT_WITHIN = 120.0
"""Seconds; a format takes one or two on an idle machine."""


def apply(action: actions.Action, host: HostPorts, progress: Callable[[str], None]) -> None:
    """Do it. Idempotent, as the ports are. Raises what the ports raise."""
    match action:
        case actions.EnsureImage(kind=kind, reference=reference):
            host.images.ensure(kind, reference, progress)
        case actions.EnsureNetwork(spec=network):
            host.engine.ensure_network(network)
        case actions.PrepareFolders(folders=folders):
            host.volumes.prepare(folders)
        case actions.FormatVolume(spec=spec):
            _format(host, spec)
        case actions.StartInstance(spec=spec):
            host.engine.ensure_instance(spec)
        case actions.StopInstance(container=container, timeout=timeout):
            host.engine.stop(container, timeout)
        case actions.RemoveInstance(container=container):
            host.engine.remove(container)
        case actions.RemoveNetwork(network=network_name):
            host.engine.remove_network(network_name)
        case actions.RemoveBundles(cluster=cluster):
            host.volumes.remove_bundles(cluster)
        case actions.RemoveScratch(cluster=cluster):
            host.volumes.remove_scratch(cluster)
        case actions.BuryVolume(volume=volume):
            host.volumes.bury(volume)
        case actions.RemoveVolume(volume=volume):
            host.volumes.remove(volume)
        case _:
            raise Bug(f"no effect is known for {action}")


def telling_line(lines: Iterable[str]) -> str:
    """The line of a daemon's last output that most likely says why it ended."""
    kept = [line.strip() for line in lines if line.strip()]
    signs = ("ERROR", "FATAL", "Exception", "Error:")
    return next((line for line in reversed(kept) if any(s in line for s in signs)), kept[-1] if kept else "no output")


def _format(host: HostPorts, spec: InstanceSpec) -> None:
    result = host.engine.run_once(spec, FORMAT_WITHIN)
    if result.exit_code != 0:
        output = (result.stdout + b"\n" + result.stderr).decode(errors="replace").splitlines()
        raise Failed(f"{spec.name} ended with exit code {result.exit_code}: {telling_line(output[-40:])}")
