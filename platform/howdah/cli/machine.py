"""Commands on the machine: is it all right?"""

import typer

from howdah.cli import output
from howdah.cli.options import AsJson
from howdah.cli.surroundings import around


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="\b\nExamples:\n  howdah doctor\n  howdah doctor --json")(doctor)


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check that this machine is all right for clusters. Ends with 1 where it is not."""
    from howdah.cli import showing_machine
    from howdah.doctor import Verdict

    here = around(ctx)
    with here.client("looking at this machine") as client:
        findings = list(client.doctor(lambda check: here.note(check, keeps=False)))
    if as_json:
        output.say_json(showing_machine.findings_json(findings))
    else:
        output.say_all(showing_machine.findings(findings))
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)
