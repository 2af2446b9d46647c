"""Sessions: `demo`, `tests`, `lint`, `types`. All share one environment."""

import os
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"  # has project.dependency_groups
nox.options.sessions = ["tests", "lint", "types"]
ENVIRONMENT = Path(".nox") / "bonas"
GROUPS = nox.project.dependency_groups
PROJECT = nox.project.load_toml("pyproject.toml")


def environment(session: nox.Session, *groups: str) -> str:
    """The Python of the environment that all sessions share, with these dependency groups.

    One environment, since torch with CUDA takes some 6 GB. Versions are those of constraints.txt,
    for which the README's figures hold.
    """
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = str((ENVIRONMENT / scripts / "python").absolute())
    if not Path(python).exists():
        session.run(sys.executable, "-m", "venv", str(ENVIRONMENT), external=True)
    wanted = GROUPS(PROJECT, *groups) if groups else ()
    session.run(
        *(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--constraint", "constraints.txt", "--editable", ".[dashboard]", *wanted),
        external=True,
    )
    return python


@nox.session(venv_backend="none")
def demo(session: nox.Session) -> None:
    """The whole way on built-in faces: search, train, compare, report."""
    session.run(environment(session), "-m", "bonas", "demo", *session.posargs, external=True)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """All tests, in as many processes as there are cores, four at most."""
    session.run(
        *(environment(session, "test"), "-m", "pytest"),
        *("--numprocesses", "auto", "--maxprocesses", "4", "--dist", "worksteal"),
        *session.posargs,
        env={"OMP_NUM_THREADS": "1"},  # a process a core
        external=True,
    )


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    python = environment(session, "lint")
    session.run(python, "-m", "ruff", "check", ".", external=True)
    session.run(python, "-m", "ruff", "format", "--check", ".", external=True)


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Mypy, strict on the three packages."""
    session.run(environment(session, "types"), "-m", "mypy", external=True)
