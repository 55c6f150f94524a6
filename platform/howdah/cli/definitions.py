"""Commands on definitions and configuration: what can be launched, what was, and what clients need."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from howdah.cli import output
from howdah.cli.options import AsJson, Name
from howdah.cli.surroundings import around
from howdah.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        help="Show the definitions that come with howdah.",
        invoke_without_command=True,
        rich_markup_mode=None,
        epilog="\b\nExamples:\n  howdah templates\n  howdah templates show small",
    )
    app.add_typer(group, name="templates")
    group.callback()(templates)
    group.command("show", epilog="\b\nExample:  howdah templates show small")(show)
    app.command(epilog="\b\nExample:  howdah export demo > demo.yaml")(export)
    app.command(epilog="\b\nExamples:\n  howdah env demo\n  howdah env demo --to ~/demo-conf")(env)


def templates(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the definitions that come with howdah."""
    if ctx.invoked_subcommand is not None:
        return
    from howdah.cli import showing_templates
    from howdah.definitions.templates import shipped
    from howdah.resources import templates as names

    found = [shipped(name) for name in names()]
    if as_json:
        output.say_json([showing_templates.template_json(template) for template in found])
    else:
        output.say_all(showing_templates.table(found))


def show(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], as_json: AsJson = False) -> None:
    """Show a template: its parameters, and the text."""
    from howdah.cli import showing_templates
    from howdah.definitions.templates import shipped

    found = shipped(name)
    if as_json:
        output.say_json(showing_templates.template_json(found))
    else:
        output.say_all(showing_templates.template(found))


def export(ctx: typer.Context, name: Name) -> None:
    """Print a cluster's definition, exactly as launch accepts it."""
    with around(ctx).client("reading the registry") as client:
        text = client.export(name)
    output.say(text.rstrip("\n"))


def env(
    ctx: typer.Context,
    name: Name,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write the files there instead.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print or write a cluster's client configuration.

    These are core-site.xml and the others that Hadoop's clients read.
    """
    from howdah.cli import showing

    with around(ctx).client("reading the registry") as client:
        found = client.env(name)
    if to is not None:
        _write(to, found)
    if as_json:
        output.say_json(found)
    elif to is None:
        output.say_all(showing.files(found))
    else:
        output.say(f"export HADOOP_CONF_DIR={to.absolute()}")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"the files cannot be written: {error}", fix="name another folder", place="--to") from None
