"""From what went wrong to what is said and to the exit code."""

import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from howdah.cli import output
from howdah.cli.surroundings import around
from howdah.errors import Bug, HowdahError

INTERRUPT_CODE = 130
"""As a shell has it: 128 and SIGINT."""
GONE_CODE = 141
"""As a shell has it: 128 and SIGPIPE."""
FAILED_CODE = 1


class Program(TyperGroup):
    """The root command. Errors end here; what a user typed wrongly is typer's."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        code = FAILED_CODE
        try:
            try:
                result = super().invoke(ctx)
            finally:
                output.flush()
            return result
        except KeyboardInterrupt:
            code = INTERRUPT_CODE
            if text := around(ctx).interruption:
                output.tell(f"howdah: {text}")
        except output.OutputGone:
            output.abandon(sys.stdout)
            code = GONE_CODE
        except output.OutputFailed as error:
            output.abandon(sys.stdout)
            output.tell(f"howdah: the output cannot be written: {error}")
            code = around(ctx).failure_code or FAILED_CODE
        except Bug as error:
            code = _bug(ctx, error)
        except HowdahError as error:
            output.tell(f"howdah: {error}")
            code = around(ctx).failure_code or error.exit_code
        except Exception as error:
            # Exits and usage errors of typer are no surprises; typer deals with them.
            if isinstance(error, typer.Exit | typer.Abort | typer.TyperException):
                raise
            code = _bug(ctx, error)
        raise typer.Exit(code)


def _bug(ctx: Any, error: Exception) -> int:
    """A surprise is shown whole."""
    output.tell("".join(traceback.format_exception(error)).rstrip())
    output.tell("howdah: this is a bug in howdah; please report it with the lines above")
    return around(ctx).failure_code or FAILED_CODE
