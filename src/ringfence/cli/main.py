"""Finds the command, runs it, and turns whatever it raises into a message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path

import click

from ringfence import __version__
from ringfence.cli.codes import Code
from ringfence.cli.output import forget_stdout, program_name, say, say_error
from ringfence.errors import InputError, RingfenceError, WorldError

COMMANDS = {
    "can": ("can", "May this connection open? Who decides, in which file and line?"),
    "list": ("list_", "Who reaches whom, on what: the whole map."),
    "reach": ("reach", "Whom somebody reaches, on what, and why."),
    "reached-by": ("reached_by", "Who reaches somebody, on what, and why."),
    "exposure": ("exposure", "What is reachable from outside, and what outside is reachable."),
    "describe": ("describe", "What one policy says, whom it means and what it changes."),
    "assert": ("assert_", "Do the policies achieve what a file of intents says?"),
    "diff": ("diff", "What connectivity changes between two folders, revisions of git or clusters."),
    "preview": ("preview", "Which recorded flows other policies would answer otherwise."),
    "redundant": ("redundant", "Which policies and rules could be left out, and nothing would change."),
    "explain-api": ("explain_api", "What a field of a policy means, and what the APIs leave open."),
    "doctor": ("doctor", "Whether this node can enforce policies, and what lets packets past them."),
    "node": ("node", "The rules a node starts with, and taking all of them away."),
    "lab": ("lab", "Real packets between network namespaces built from manifests."),
}
"""Every command: its name in its module, and what it is for."""

_MODULES = {"assert": "intents"}
"""The module of a command, where it is not of the same name with _ for -."""


_COMPLETE = "_RINGFENCE_COMPLETE"
"""What a shell sets to ask for completions; click's protocol."""


class Commands(click.Group):
    """The commands; a module is imported only when its command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the help."""
        return list(COMMANDS)

    def _command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command by its name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ringfence.cli.{_MODULES.get(cmd_name, cmd_name.replace('-', '_'))}")
        command: click.Command = getattr(module, COMMANDS[cmd_name][0])
        return command

    get_command = _command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write what each command is for, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="ringfence %(version)s")
def ringfence() -> None:
    """Answer, prove and enforce Kubernetes network policies with one exact semantics.

    \b
    May the web shop's API reach its database, and why?
      ringfence can shop/api shop/db 5432 -f manifests/
    Who reaches whom in the live cluster?
      ringfence list
    What does a real kernel say?
      ringfence lab demo -f manifests/

    Exit codes: 0 allowed or done, 1 denied, different or broken, 2 bad or partly unreadable input,
    3 the machine refused, 4 an answer undecided as a whole or in part (maps say it in their rows), 70 a bug.
    """  # noqa: D301 - click's mark for lines that stay as they are


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code; Ctrl-C and a reader that has gone end quietly.

    Args:
        arguments: What follows the program's name; those of the process by default.
    """
    name = program_name()
    if _COMPLETE in os.environ:
        from click.shell_completion import shell_complete  # noqa: PLC0415 - rare, and slow to import

        return shell_complete(ringfence, {}, name, _COMPLETE, os.environ[_COMPLETE])
    try:
        _open_streams()
        return _run(name, sys.argv[1:] if arguments is None else arguments)
    except (click.ClickException, RingfenceError) as error:
        return _refuse(error)
    except BrokenPipeError:
        forget_stdout()
        return Code.NOBODY_READS
    except (KeyboardInterrupt, click.Abort):
        return Code.INTERRUPTED
    except Exception:  # noqa: BLE001 - a bug is what nothing else has caught
        traceback.print_exc()
        say("error", "a bug in ringfence: please report it with the lines above")
        return Code.BUG


def _open_streams() -> None:
    """Put nothing behind standard streams that were closed, lest the next file opened becomes one.

    Raises:
        WorldError: there is nowhere to write answers to.
    """
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    for name in closed:
        setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115 - for good
    if "stdout" in closed:
        message = "standard output is closed"
        raise WorldError(message, "leave it open, or send it to /dev/null")


def _run(name: str, arguments: list[str]) -> int:
    try:
        with ringfence.make_context(name, list(arguments)) as context:
            code: int | None = ringfence.invoke(context)
    except click.exceptions.Exit as end:
        code = end.exit_code
    sys.stdout.flush()
    return code or Code.OK


def _refuse(error: click.ClickException | RingfenceError) -> Code:
    """Say what was refused."""
    if isinstance(error, RingfenceError):
        say_error(error)
        return Code.INPUT if isinstance(error, InputError) else Code.WORLD
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return Code.INPUT
    message = error.format_message().rstrip(".")
    say("error", message if message[:2].isupper() else message[:1].lower() + message[1:])
    if isinstance(error, click.UsageError) and error.ctx:
        say("hint", f"run {error.ctx.command_path} --help")
    return Code.INPUT
