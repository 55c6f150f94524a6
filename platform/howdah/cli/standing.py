"""Commands that stay until they are told to end, and the one that repairs what they rely on."""

import threading
import webbrowser
from typing import Annotated

import typer

from howdah.cli import output
from howdah.cli.options import Name
from howdah.cli.surroundings import around
from howdah.errors import UserError

controller = typer.Typer(
    help="Restart what died, end clusters whose time is up.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="\b\nExamples:\n  howdah ui demo\n  howdah ui demo resourcemanager --open")(ui)
    app.command(epilog="\b\nExample:\n  howdah adopt")(adopt)
    controller.command("run", epilog="\b\nExample:\n  howdah controller run")(controller_run)
    # A group of one command would be taken for that command.
    controller.callback()(lambda: None)
    app.add_typer(controller, name="controller")


def ui(
    ctx: typer.Context,
    name: Name,
    role: Annotated[
        str, typer.Argument(help="Show the pages of this role or instance first.", show_default=False)
    ] = "",
    open_browser: Annotated[bool, typer.Option("--open", help="Open them in a browser.")] = False,
) -> None:
    """Show the daemons' web pages here, until Ctrl-C.

    They answer on this machine's loopback address, with nothing published.
    """
    here = around(ctx)
    here.interruption = ""
    with here.client(f"finding the pages of {name}") as client:
        shown = client.windows(name)
        chosen = [window for window in shown if role in ("", window.role, window.instance)]
        if not chosen:
            roles = ", ".join(dict.fromkeys(window.role.value for window in shown))
            raise UserError(
                f"{name} has no pages of {role!r}", fix=f"one of: {roles}" if shown else "start the cluster first"
            )
        pages = client.pages(name)
        serving = threading.Thread(target=pages.serve, name="pages", daemon=True)
        serving.start()
        here.clear()
        for window in chosen:
            output.say(f"{window.instance:6} {window.role:18} {pages.url(window.target)}")
        output.flush()
        output.tell("answering until Ctrl-C")
        if open_browser:
            webbrowser.open(pages.url(chosen[0].target))
        try:
            serving.join()
        finally:
            pages.close()


def adopt(ctx: typer.Context) -> None:
    """Rebuild the records of a lost registry.

    They are read from the volumes' own identities.
    """
    here = around(ctx)
    with here.client("reading the volumes") as client:
        adoption = client.adopt()
    for data_set in adoption.data_sets:
        output.say(f"data set {data_set.name} ({data_set.uuid}): {data_set.state}, {len(data_set.claims)} volumes")
    for each in adoption.clusters:
        output.say(f"cluster {each.cluster.name}: its instances start anew with `howdah start {each.cluster.name}`")
    for sentence in adoption.lost:
        output.say(f"not rebuilt: {sentence}")
    if not (adoption.data_sets or adoption.lost):
        output.say("there was nothing to adopt")


def controller_run(ctx: typer.Context) -> None:
    """Be the controller, until Ctrl-C.

    Each thing that is done is told in one sentence.
    """
    here = around(ctx)
    here.interruption = ""
    with here.client("taking the lead") as client:
        here.clear()
        output.tell("watching over the clusters until Ctrl-C")

        def say(cluster: str, sentence: str) -> None:
            output.say(f"{cluster}: {sentence}")
            output.flush()

        client.control(say, threading.Event())
