"""Commands that bring clusters up and take them away, and those that show them."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from howdah.cli import output
from howdah.cli.options import AsJson, FromData, Name, NewName, Parameters, Source, parameters
from howdah.cli.surroundings import Surroundings, around
from howdah.errors import NotFound, Refused
from howdah.units import Duration

if TYPE_CHECKING:
    from howdah.client import Client
    from howdah.clusters import Outcome

WATCH_SECONDS = 2.0


class Data(StrEnum):
    """What becomes of a cluster's data when it goes."""

    KEEP = "keep"
    DESTROY = "destroy"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(
        epilog="""\b
        Examples:
          howdah launch small --name demo
          howdah launch small --name demo -p workers=3 -p worker_memory="3 GiB"
          howdah launch sales.yaml
          howdah launch --from-data demo
          howdah launch small --name demo --ttl 2h
        """
    )(launch)
    app.command("list", epilog="\b\nExample:  howdah list --json | jq -r '.clusters[].name'")(list_clusters)
    app.command(epilog="\b\nExamples:\n  howdah status demo\n  howdah status demo --watch")(status)
    app.command(epilog="\b\nExample:  howdah stop demo")(stop)
    app.command(epilog="\b\nExample:  howdah start demo")(start)
    app.command(
        epilog="""\b
        Examples:
          howdah delete demo                       its data is kept: howdah launch --from-data demo
          howdah delete demo --data destroy        lists what would be destroyed, and asks for the name
          howdah delete demo --data destroy --yes --confirm demo      the same in a script
        """
    )(delete)


def launch(
    ctx: typer.Context,
    source: Source = "",
    name: NewName = "",
    parameter: Parameters = None,
    from_data: FromData = "",
    ttl: Annotated[
        str,
        typer.Option(metavar="SPAN", help="Delete it after so long: 2h. Its data stays.", show_default=False),
    ] = "",
) -> None:
    """Bring a cluster up, until it is ready.

    The same command again goes on where one was interrupted.
    """
    here, given = around(ctx), parameters(parameter)
    lifetime = Duration.parse(ttl) if ttl else None
    with here.client(f"preparing the launch of {name or source or from_data}") as client:
        outcome = client.launch(source, given, name=name, from_data=from_data, ttl=lifetime)
        page = client.page(outcome.cluster, "namenode")
    _conclude(here, outcome)
    if outcome.steps:
        output.say(f"pages: {page} while `howdah ui {outcome.cluster}` runs")


def list_clusters(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List clusters, and data that was kept of others."""
    from howdah.cli import showing

    with around(ctx).client("reading the registry") as client:
        clusters, data_sets = client.list(), client.data_sets()
    if as_json:
        output.say_json(showing.inventory_json(clusters, data_sets))
    else:
        output.say_all(showing.inventory(clusters, data_sets))


def status(
    ctx: typer.Context,
    name: Name,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show how a cluster is: its instances, HDFS, YARN, data."""
    here = around(ctx)
    with here.client(f"looking at {name}") as client:
        _show_status(here, client, name, as_json=as_json, clears=False)
        here.interruption = ""
        while watch:
            here.clock.sleep(WATCH_SECONDS)
            _show_status(here, client, name, as_json=as_json, clears=output.is_terminal(sys.stdout))


def stop(ctx: typer.Context, name: Name) -> None:
    """Stop every instance of a cluster. Names, addresses and data stay."""
    here = around(ctx)
    with here.client(f"preparing to stop {name}") as client:
        outcome = client.stop(name)
    _conclude(here, outcome)


def start(ctx: typer.Context, name: Name) -> None:
    """Start what was stopped, what failed, or what a reboot ended."""
    here = around(ctx)
    with here.client(f"preparing to start {name}") as client:
        outcome = client.start(name)
    _conclude(here, outcome)


def delete(
    ctx: typer.Context,
    name: Name,
    data: Annotated[Data, typer.Option("--data", help="Keep its data set, or destroy it for good.")] = Data.KEEP,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing. Data is destroyed only with --confirm as well.")
    ] = False,
    confirm: Annotated[
        str,
        typer.Option("--confirm", metavar="NAME", help="The answer to the question for the name.", show_default=False),
    ] = "",
) -> None:
    """Take a cluster away. Its data is kept, unless --data destroy."""
    here = around(ctx)
    destroys = data is Data.DESTROY
    if destroys:
        _ask_for_the_name(here, name, confirm, may_ask=not yes and here.may_ask())
    with here.client(f"preparing to delete {name}") as client:
        outcome = client.delete(name, destroys_data=destroys)
    _conclude(here, outcome)


def _conclude(here: Surroundings, outcome: "Outcome") -> None:
    from howdah.cli.showing import count

    took = f" in {here.seconds():.1f} s ({count(outcome.steps, 'step')})" if outcome.steps else ""
    done, semicolon, rest = outcome.sentence.partition(";")
    output.say(f"{done}{took}{semicolon}{rest}")


def _show_status(here: Surroundings, client: "Client", name: str, *, as_json: bool, clears: bool) -> None:
    from howdah.cli import showing

    found = client.status(name)
    here.clear()
    if clears:
        output.say_bytes(b"\x1b[H\x1b[2J")
    if as_json:
        output.say_json(showing.status_json(found))
    else:
        output.say_all(showing.status(found, here.clock.now()))
    output.flush()


def _ask_for_the_name(here: Surroundings, name: str, given: str, *, may_ask: bool) -> None:
    """Show what would be destroyed, and have it named. Raises Refused."""
    from howdah.cli import showing

    with here.client(f"adding up the data of {name}") as client:
        try:
            volumes = client.data_of(name)
        except NotFound:
            return  # the delete itself says whether it was there once
        engine = client.engine_address
    output.tell(f"the data of {name} on the engine at {engine}, to be destroyed for good:")
    for line in showing.volumes(volumes):
        output.tell(line)
    answer = given
    if not given and may_ask:
        answer = here.ask(f"type the cluster's name to destroy its data ({name}): ")
    if answer != name:
        typed = f"{answer!r} is not its name" if answer else "it was not confirmed"
        fix = f"to destroy it, add --confirm {name}; to keep it, leave --data destroy out"
        raise Refused(f"the data of {name} is not destroyed: {typed}", fix=fix)
