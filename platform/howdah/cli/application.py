"""The program: every command, by groups, in the order in which a person needs them."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from howdah import __version__
from howdah.cli import (
    clusters,
    completion,
    definitions,
    hdfs,
    images,
    inside,
    jobs,
    machine,
    output,
    planning,
    standing,
)
from howdah.cli.reporting import Program
from howdah.cli.surroundings import Surroundings

if TYPE_CHECKING:
    from howdah.client import Client
    from howdah.reconcile.progress import Progress

COMPLETE = "_HOWDAH_COMPLETE"
"""The variable by which a shell's completion script asks."""

# Help is plain text: rich would take longer to load than the help takes to read.
app = typer.Typer(
    cls=Program,
    name="howdah",
    help="Hadoop and Spark clusters in containers: launched in seconds, gone when done, their data kept.",
    epilog="""\b
    Try it:  howdah launch small --name demo
             howdah status demo
             howdah delete demo
    """,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        output.say(f"howdah {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


for group in (planning, clusters, inside, hdfs, jobs, definitions, images, machine, standing, completion):
    group.register(app)


def connect(progress: "Progress") -> "Client":
    """A Client of the installation that the environment names."""
    from howdah.client import Client

    return Client(progress=progress)


def run(make_client: "Callable[[Progress], Client] | None" = None) -> None:
    """Run the command that the process was started with."""
    if COMPLETE in os.environ:
        completion.prepare()
    app(obj=Surroundings(make_client or connect), prog_name="howdah")
