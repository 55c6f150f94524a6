"""``howdah launch small`` against the same containers with the JVM's own flags, and where the seconds go."""

from statistics import median

from benchmarks.figures import Figure
from benchmarks.subject import DAEMONS, Options, Subject, launched

GOAL = 0.45


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """In turns."""
    ours: list[Subject] = []
    stock: list[Subject] = []
    if not options.quick:
        with launched("bench-warm"):
            options.say("warm")
    for _ in range(options.runs):
        for into, is_stock in ((ours, False), (stock, True)):
            with launched("bench-stock" if is_stock else "bench-ours", is_stock=is_stock, jvm="quick") as subject:
                into.append(subject)
                options.say(f"{'stock' if is_stock else 'ours'} {subject.seconds:.2f} s")
    return _figures(ours, stock), [_steps("ours", ours), _steps("stock", stock)]


def _figures(ours: list[Subject], stock: list[Subject]) -> list[Figure]:
    figures = [
        Figure(
            "`launch small`, from nothing to ready, format included",
            "s",
            tuple(each.seconds for each in ours),
            tuple(each.seconds for each in stock),
            GOAL,
        ),
        Figure(
            "CPU of the six daemons until ready",
            "s",
            tuple(sum(each.cpu[i] for i in DAEMONS) for each in ours),
            tuple(sum(each.cpu[i] for i in DAEMONS) for each in stock),
        ),
    ]
    return figures + [
        Figure(
            f"CPU of {instance} until ready",
            "s",
            tuple(e.cpu[instance] for e in ours),
            tuple(e.cpu[instance] for e in stock),
        )
        for instance in DAEMONS
    ]


def _steps(which: str, subjects: list[Subject]) -> str:
    """The steps that took longest, by their medians: when each began, and how long it took."""
    keys = [key for key in subjects[0].steps if all(key in each.steps for each in subjects)]
    times = {key: [each.steps[key] for each in subjects] for key in keys}
    medians = {key: (median(b for b, _ in rows), median(s for _, s in rows)) for key, rows in times.items()}
    longest = sorted((key for key in keys if medians[key][1] >= 0.1), key=lambda key: medians[key][0])
    listed = ", ".join(f"{key} {medians[key][0]:.1f} + {medians[key][1]:.1f}" for key in longest)
    return f"Steps of {which} over 0.1 s, as begin + length in seconds: {listed}."
