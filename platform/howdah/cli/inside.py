"""Commands that reach into a running cluster: run something there, look at what it wrote."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from howdah.cli import output
from howdah.cli.options import InstanceName, Name
from howdah.cli.surroundings import around
from howdah.errors import HowdahError, UserError

if TYPE_CHECKING:
    from howdah.ports.engine import ExecStream

TO_THE_END = {"allow_interspersed_args": False}
"""Whatever comes after the first word of the command belongs to it."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(
        "exec",
        context_settings=TO_THE_END,
        epilog="""\b
        Examples:
          howdah exec demo gw1 -- hdfs dfs -ls /
          howdah exec --stdin demo gw1 -- hdfs dfs -put - /words.txt < words.txt
        """,
    )(exec_)
    app.command(epilog="\b\nExamples:\n  howdah shell demo\n  howdah shell demo nn1")(shell)
    app.command(epilog="\b\nExamples:\n  howdah logs demo nn1 --tail 50\n  howdah logs demo -f")(logs)


def exec_(
    ctx: typer.Context,
    name: Name,
    instance: InstanceName,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="What to run there.", show_default=False)],
    stdin: Annotated[bool, typer.Option("--stdin", "-i", help="Pass standard input on.")] = False,
) -> None:
    """Run a command in an instance. Ends with its exit code, or with 125 where howdah itself failed."""
    here = around(ctx)
    here.returns_inner_code()
    here.interruption = f"interrupted: the command may go on inside of {instance}"
    with here.client(f"reaching {instance} of {name}") as client:
        running = client.exec(name, instance, _without_dashes(command))
        here.clear()
        _feed(running) if stdin else running.close_stdin()
        for is_error, data in running:
            output.tell_bytes(data) if is_error else output.say_bytes(data)
        code = running.exit_code()
    raise typer.Exit(code)


def shell(
    ctx: typer.Context,
    name: Name,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Where; the gateway if not given.")] = "gw1",
) -> None:
    """Open a shell in an instance."""
    here = around(ctx)
    here.returns_inner_code()
    here.interruption = ""
    with here.client(f"reaching {instance} of {name}") as client:
        client.export(name)  # a name that is not there is told before the terminal changes
        here.clear()
        code = client.shell(name, instance)
    raise typer.Exit(code)


def logs(
    ctx: typer.Context,
    name: Name,
    instance: Annotated[
        str, typer.Argument(metavar="INSTANCE", help="One instance; all of them if not given.", show_default=False)
    ] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written from now on.")] = False,
    tail: Annotated[
        int | None,
        typer.Option("--tail", min=0, metavar="N", help="Only the last N lines of each.", show_default=False),
    ] = None,
) -> None:
    """Print what instances wrote.

    Of several, each line has the name of its instance before it.
    """
    from howdah.cli.merging import merged

    here = around(ctx)
    here.interruption = ""
    with here.client(f"reaching {name}") as client:
        if instance:
            lines = client.logs(name, instance, follow=follow, tail=tail)
        else:
            lines = merged(client.all_logs(name, follow=follow, tail=tail), at_once=follow)
        here.clear()
        for line in lines:
            output.say(line)
            if follow:
                output.flush()


def _without_dashes(command: list[str]) -> tuple[str, ...]:
    """The command without the ``--`` before it. Raises UserError where nothing is left."""
    words = tuple(command[1:] if command[0] == "--" else command)
    if not words:
        raise UserError("no command was given", fix="write it after --, as in: howdah exec demo gw1 -- hdfs dfs -ls /")
    return words


def _feed(running: "ExecStream") -> None:
    """Standard input to the command, in a thread of its own: it may end before its input does."""
    import os
    import threading
    from contextlib import suppress

    def pump() -> None:
        with suppress(OSError, ValueError, HowdahError):
            while data := os.read(sys.stdin.fileno(), 65536):
                running.write(data)
            running.close_stdin()

    threading.Thread(target=pump, name="standard input", daemon=True).start()
