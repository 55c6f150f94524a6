"""How long the command line takes to say something."""

from benchmarks.figures import Figure
from benchmarks.subject import Options, launched


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """With a cluster that is ready."""
    with launched("bench-cli") as subject:
        rows = {
            words: tuple(subject.howdah(*words) for _ in range(options.runs))
            for words in (("--help",), ("status", subject.name), ("list",), ("hdfs", subject.name, "ls", "/"))
        }
    goals = {"--help": 0.3, "status": 0.7}
    return [
        Figure(f"`howdah {' '.join(words).replace('bench-cli', 'NAME')}`", "s", values, goal=goals.get(words[0]))
        for words, values in rows.items()
    ], []
