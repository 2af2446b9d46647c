"""The command line: commands, exit codes, and errors without tracebacks."""

import io
import logging
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated

import typer

COMMANDS = {
    "demo": "Search, train, compare and report on built-in faces; nothing needs to be downloaded.",
    "search": "Search for the most robust architecture; "
    "continues the run in its folder if there is one.",
    "train": "Train the best architecture from scratch and test it; "
    "goes on where it was interrupted.",
    "evaluate": "Measure a detector on data: seven metrics with intervals, "
    "for frames and for videos.",
    "calibrate": "Choose probability, threshold and band of doubt "
    "on data that were not trained on.",
    "detect": "Say of each image or video whether it is real, forged or uncertain.",
    "compare": "Train the found network and others for equal time and test them.",
    "report": "Write the results of one or several runs as a page that opens in any browser.",
    "dashboard": "Show a run in optuna-dashboard: decisions, score, AUC per condition and cost.",
    "benchmark": "Compare strategies on a table of results, such as NAS-Bench-201.",
    "data": "Show what a data folder holds: domains, images, videos, identities, masks, splits.",
    "prepare": "Cut the faces out of videos and pictures; "
    "the same command goes on after an interruption.",
    "audit": "Look for leaks between splits and for shortcuts; exit code 1 where there is a leak.",
}
"""Each is the function of its name in the module of its name in `bonas.commands`, and what the list
of commands says of it. Only the one that was asked for is imported: torch takes seconds."""

CONTINUED = ("demo", "search", "train", "compare", "prepare")
"""The commands that go on where they were interrupted."""

DONE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if version:
        import bonas

        typer.echo(bonas.__version__)
        raise typer.Exit(DONE)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    # `--debug` may stand anywhere; the callback above only documents it.
    given = [a for a in given if a != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name of a file that is not in UTF-8 is shown by its bytes.
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    os.environ.setdefault("KMP_WARNINGS", "0")
    # The options before a command take no value: the first other word is its name.
    asked = next((a for a in given if not a.startswith("-")), None)
    try:
        result = _app(asked)(args=given, prog_name="bonas", standalone_mode=False)
        code = int(result or DONE)
    except Exception as error:
        code = _failure(error, debug=debug)
    except KeyboardInterrupt:  # before typer began
        code = INTERRUPTED
    if code == INTERRUPTED:
        how = " The same command continues where it stopped." if asked in CONTINUED else ""
        sys.stderr.write(f"Interrupted.{how}\n")
    return code


def _failure(error: Exception, *, debug: bool) -> int:
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    # Newer versions of typer return 130 instead.
    if isinstance(error.__cause__, KeyboardInterrupt):
        return INTERRUPTED
    if debug:
        raise error
    if isinstance(error, typer.Abort):
        return FAILED
    # Usage errors come from click, which newer versions of typer carry inside them.
    show = getattr(error, "show", None)
    if callable(show):
        show()
        return WRONG_USE
    from bonas.config import ConfigError
    from bonas.data.faces import DataError

    wrong_use = isinstance(error, ConfigError | DataError)
    kind = "" if wrong_use else f"{type(error).__name__}: "
    hint = "" if wrong_use else "\n(--debug shows where)"
    sys.stderr.write(f"error: {kind}{error}{hint}\n")
    return WRONG_USE if wrong_use else FAILED


def _app(asked: str | None) -> typer.Typer:
    """All commands, of which the one that was asked for can be run."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Neural architecture search for robust deepfake detectors.",
    )
    app.callback(invoke_without_command=True)(_options)
    for name, purpose in COMMANDS.items():
        app.command(name)(_load(name) if name == asked else _listed(purpose))
    return app


def _load(name: str) -> Callable[..., None]:
    command: Callable[..., None] = getattr(import_module(f"bonas.commands.{name}"), name)
    if "optuna" in sys.modules:  # some commands need none
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
    return command


def _listed(purpose: str) -> Callable[[], None]:
    def command() -> None:
        raise AssertionError("A command that was not asked for is only listed.")

    command.__doc__ = purpose
    return command


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())
