"""The command that says what a launch would do, and why."""

import typer

from howdah.cli import output
from howdah.cli.options import AsJson, FromData, NewName, Parameters, Source, parameters
from howdah.cli.surroundings import around


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog="""\b
        Examples:
          howdah plan small --name demo -p workers=3
          howdah plan sales.yaml --json
        """
    )(plan)


def plan(
    ctx: typer.Context,
    source: Source = "",
    name: NewName = "",
    parameter: Parameters = None,
    from_data: FromData = "",
    as_json: AsJson = False,
) -> None:
    """Say what a launch with the same words would do, and why. Touches nothing."""
    from howdah.cli import showing_plans

    given = parameters(parameter)
    with around(ctx).client("looking at what is there") as client:
        preview = client.plan(source, given, name=name, from_data=from_data)
    if as_json:
        output.say_json(showing_plans.preview_json(preview))
    else:
        output.say_all(showing_plans.preview(preview))
