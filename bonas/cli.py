"""The command line: commands, exit codes, and errors without tracebacks."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Neural architecture search for robust deepfake detectors.",
)

DONE, FAILED, WRONG_USE = 0, 1, 2


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if version:
        import bonas

        typer.echo(bonas.__version__)
        raise typer.Exit(DONE)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong use."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    # `--debug` may stand anywhere; the callback above only documents it.
    given = [a for a in given if a != "--debug"]
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    _register()
    try:
        result = app(args=given, prog_name="bonas", standalone_mode=False)
        return int(result or DONE)
    except Exception as error:
        return _failure(error, debug=debug)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. The same command continues where it stopped.\n")
        return 130


def _failure(error: Exception, *, debug: bool) -> int:
    from bonas.config import ConfigError
    from bonas.data.faces import DataError

    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if debug:
        raise error
    if isinstance(error, typer.Abort):
        return FAILED
    # Usage errors come from click, which newer versions of typer carry inside them.
    show = getattr(error, "show", None)
    if callable(show):
        show()
        return WRONG_USE
    wrong_use = isinstance(error, ConfigError | DataError)
    kind = "" if wrong_use else f"{type(error).__name__}: "
    hint = "" if wrong_use else "\n(--debug shows where)"
    sys.stderr.write(f"error: {kind}{error}{hint}\n")
    return WRONG_USE if wrong_use else FAILED


def _register() -> None:
    """Register the commands; importing them loads torch, which `--version` need not wait for."""
    if app.registered_commands:
        return
    os.environ.setdefault("KMP_WARNINGS", "0")
    import optuna

    from bonas.commands.audit import audit
    from bonas.commands.benchmark import benchmark
    from bonas.commands.calibrate import calibrate
    from bonas.commands.compare import compare
    from bonas.commands.dashboard import dashboard
    from bonas.commands.data import data
    from bonas.commands.demo import demo
    from bonas.commands.detect import detect
    from bonas.commands.evaluate import evaluate
    from bonas.commands.prepare import prepare_command
    from bonas.commands.report import report
    from bonas.commands.search import search
    from bonas.commands.train import train

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    commands: dict[str, Callable[..., None]] = {
        "demo": demo,
        "search": search,
        "train": train,
        "evaluate": evaluate,
        "calibrate": calibrate,
        "detect": detect,
        "compare": compare,
        "report": report,
        "dashboard": dashboard,
        "benchmark": benchmark,
        "data": data,
        "prepare": prepare_command,
        "audit": audit,
    }
    for name, command in commands.items():
        app.command(name)(command)


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())
