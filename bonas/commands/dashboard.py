"""`bonas dashboard`: optuna-dashboard on a run, also while it searches."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import MESSAGES
from bonas.config import ConfigError
from bonas.run_folder import RunFolder
from bonas.study import journal_storage


def dashboard(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
) -> None:
    """Show a run in optuna-dashboard: decisions, score, AUC per condition and cost."""
    folder = RunFolder.open(run)
    if not folder.journal.is_file():
        raise ConfigError(
            f"{run} has no study yet; `bonas search` makes it when the supernet is trained."
        )
    try:
        from optuna_dashboard import run_server
    except ImportError as error:
        raise ConfigError(
            "the dashboard needs the extra `dashboard`: pip install 'bonas[dashboard]'."
        ) from error
    _check_free(host, port)
    MESSAGES.print(f"{run} on http://{host}:{port} (stop with Ctrl-C)", soft_wrap=True)
    MESSAGES.print("Columns bonas.auc.* are AUCs by condition, bonas.cost.* costs.")
    run_server(journal_storage(folder.journal), host=host, port=port)


def _check_free(host: str, port: int) -> None:
    """Raise where the server cannot listen, before its address is told."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise ConfigError(
            f"--port {port} of --host {host} cannot be listened on ({error.strerror}); choose "
            "another with --port, or another --host."
        ) from error
