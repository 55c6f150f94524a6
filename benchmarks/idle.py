"""What a cluster takes while nothing happens, and what its images take on the disk."""

import time
from statistics import median

from benchmarks.figures import GIB, MB, Figure
from benchmarks.subject import DAEMONS, REGISTRY, Options, launched
from howdah.imaging.catalogue import DEFAULT, Kind


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """One cluster, looked at several times after it has come to rest."""
    rows: dict[str, list[float]] = {}
    cpu: list[float] = []
    with launched("bench-idle") as subject:
        time.sleep(options.size(60, 5))
        engine = subject.client.installation.engine
        places = {i: subject.container(i) for i in (*DAEMONS, "snn1", "gw1")} | {"registry": REGISTRY}
        for _ in range(max(options.runs, 3)):
            before = sum(engine.usage(places[i]).cpu_seconds for i in DAEMONS)
            begun = time.monotonic()
            time.sleep(options.size(10, 1))
            after = sum(engine.usage(places[i]).cpu_seconds for i in DAEMONS)
            cpu.append((after - before) / (time.monotonic() - begun))
            for name, container in places.items():
                rows.setdefault(name, []).append(subject.memory(container))
        found = {kind: subject.client.installation.images.builder(DEFAULT).reference(kind) for kind in DEFAULT.kinds}
        sizes = {kind: int(image.size) for kind, name in found.items() if (image := engine.image(name))}
    daemons = tuple(sum(values) for values in zip(*(rows[i] for i in DAEMONS), strict=True))
    figures = [
        Figure("memory of the six daemons, idle", "bytes", daemons, goal=1.1 * GIB),
        *(Figure(f"memory of {name}", "bytes", tuple(values)) for name, values in rows.items()),
        Figure("processor of the six daemons, idle", "cores", tuple(cpu)),
        Figure("image hadoop, with the base", "MB", (sizes[Kind.HADOOP],), goal=700 * MB),
        Figure("image spark, with hadoop and the base", "MB", (sizes[Kind.SPARK],), goal=1400 * MB),
        Figure("of these, the base", "MB", (sizes[Kind.BASE],)),
    ]
    beside = sum(median(rows[name]) for name in ("snn1", "gw1", "registry"))
    return figures, [
        "Memory is the containers' own, without the page cache: the class archive is shared through it, once for all.",
        f"Beside the six daemons run the secondary NameNode, the gateway and the registry: {beside / 2**20:.0f} MiB.",
        "Each image holds the one before it, so that all three take what spark takes on the disk.",
    ]
