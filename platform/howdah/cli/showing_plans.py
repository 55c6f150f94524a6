"""Plans for people, so that they can be read aloud, and for programs."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from howdah.cli.output import Json, columns
from howdah.cli.showing import count
from howdah.hadoop import sizing
from howdah.model.cluster import Desired, Instance
from howdah.model.roles import Storage
from howdah.planning import actions
from howdah.planning.plan import Plan, Step
from howdah.units import Bytes

if TYPE_CHECKING:
    from howdah.client import Preview

PARTS: dict[str, tuple[type[actions.Action], ...]] = {
    "images and network": (actions.EnsureImage, actions.EnsureNetwork),
    "folders and configuration": (actions.BeginFormat, actions.PrepareFolders),
    "format": (actions.FormatVolume, actions.FinishFormat),
    "start": (actions.StartInstance, actions.AwaitInstance),
    "stop": (actions.StopInstance, actions.RemoveInstance),
    "remove": (
        actions.RemoveNetwork,
        actions.RemoveBundles,
        actions.RemoveScratch,
        actions.BuryVolume,
        actions.RemoveVolume,
    ),
    "prove and record": (actions.VerifyHdfs, actions.SetPhase, actions.CondemnDataSet, actions.ForgetCluster),
}
"""What a plan's steps are shown under. The parts stand in the order of their first steps."""


def preview(found: "Preview") -> Iterator[str]:
    """What the cluster is, then what would be done, part by part."""
    yield from _cluster(found.desired, found.plan)
    yield ""
    if not found.plan.steps:
        yield "nothing to do: everything is as it should be"
        return
    hosts = {step.action.host for step in found.plan if step.action.host}
    yield f"{count(len(found.plan), 'step')}, side by side where nothing stands between them:"
    for name, steps in parts(found.plan).items():
        yield f"  {name}"
        rows = [(_text(step, len(hosts) > 1), step.action.why) for step in steps]
        width = max(len(text) for text, _ in rows)
        yield from (f"    {text.ljust(width)}  {why}" for text, why in rows)
    if found.plan.is_partial:
        yield "then another look: what comes next depends on what these find"


def parts(plan: Plan) -> dict[str, list[Step]]:
    """The steps by parts."""
    found: dict[str, list[Step]] = {}
    for step in plan:
        found.setdefault(part(step), []).append(step)
    return found


def part(step: Step) -> str:
    """The part that a step belongs to; what is only marked when instances are ready is part of the conclusion."""
    if isinstance(step.action, actions.PrepareFolders) and any(key.startswith("ready:") for key in step.after):
        return "prove and record"
    return next(name for name, kinds in PARTS.items() if isinstance(step.action, kinds))


def preview_json(found: "Preview") -> Json:
    """The same for programs."""
    desired = found.desired
    return {
        "cluster": desired.cluster.name,
        "phase": desired.cluster.phase.value,
        "hadoop": desired.definition.distribution.hadoop,
        "spark": desired.definition.distribution.spark,
        "network": {"name": desired.cluster.network.name, "subnet": desired.cluster.network.subnet},
        "data_set": {"name": desired.data_set.name, "state": desired.data_set.state.value},
        "memory": sum(instance.memory for instance in desired.instances),
        "images": [{"kind": kind, "reference": reference} for kind, reference in _images(found.plan)],
        "instances": [_instance_json(instance) for instance in desired.instances],
        "is_partial": found.plan.is_partial,
        "steps": [
            {
                "key": step.key,
                "part": part(step),
                "action": type(step.action).__name__,
                "text": str(step),
                "why": step.action.why,
                "host": step.action.host or None,
                "after": sorted(step.after),
            }
            for step in found.plan
        ],
        "definition": found.definition,
    }


def _cluster(desired: Desired, plan: Plan) -> Iterator[str]:
    cluster, distribution = desired.cluster, desired.definition.distribution
    memory = Bytes(sum(instance.memory for instance in desired.instances))
    software = f"Hadoop {distribution.hadoop}" + (f", Spark {distribution.spark}" if distribution.spark else "")
    yield f"{cluster.name}: {count(len(desired.instances), 'instance')} with {memory} of memory; {software}"
    yield f"  network   {cluster.network.name}, {cluster.network.subnet}"
    data_set = desired.data_set
    volumes = Bytes(sum(claim.size for claim in data_set.claims))
    folders = f"{count(len(data_set.claims), 'volume')}, {volumes} at most"
    yield f"  data set  {data_set.name}, {data_set.state.lower()}: {folders}"
    for kind, reference in _images(plan):
        yield f"  image     {kind}: {reference}"
    yield ""
    head = ("ROLE", "GROUP", "INSTANCES", "HOST", "MEMORY", "HEAP", "FOLDER")
    yield from columns(head, (_group(members) for members in _groups(desired.instances)), indent="  ")


def _groups(instances: Iterable[Instance]) -> Iterable[list[Instance]]:
    """Instances that are the same but for their numbers."""
    found: dict[tuple[str, str, str], list[Instance]] = {}
    for instance in instances:
        at = instance.assignment
        found.setdefault((at.role, at.group, at.host), []).append(instance)
    return found.values()


def _group(members: list[Instance]) -> tuple[str, ...]:
    first = members[0]
    names = first.name if len(members) == 1 else f"{first.name}–{members[-1].name}"
    heap = sizing.heap(first.role, first.settings).value
    at = first.assignment
    return (first.role.value, at.group, names, at.host, str(first.memory), str(heap), _folder(first))


def _folder(instance: Instance) -> str:
    settings = instance.settings
    if instance.traits.storage is Storage.VOLUME and settings.volume is not None:
        return f"volume of {Bytes(settings.volume.size)}"
    if instance.traits.storage is Storage.SCRATCH and settings.scratch is not None:
        return f"scratch of {Bytes(settings.scratch)}"
    return ""


def _instance_json(instance: Instance) -> Json:
    settings, at = instance.settings, instance.assignment
    return {
        "instance": instance.name,
        "role": instance.role.value,
        "group": at.group,
        "host": at.host,
        "address": at.address,
        "incarnation": at.incarnation,
        "memory": int(instance.memory),
        "heap": int(sizing.heap(instance.role, settings).value),
        "cpus": settings.cpus,
        "volume": at.volume or None,
        "volume_size": int(settings.volume.size) if settings.volume is not None else None,
        "scratch_size": int(settings.scratch) if settings.scratch is not None else None,
    }


def _images(plan: Plan) -> list[tuple[str, str]]:
    """The images that the plan needs."""
    found = {(step.action.kind, step.action.reference) for step in plan if isinstance(step.action, actions.EnsureImage)}
    return sorted(found)


def _text(step: Step, names_host: bool) -> str:
    return f"{step} on {step.action.host}" if names_host and step.action.host else str(step)
