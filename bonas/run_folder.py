"""RunFolder: the files of one run, and the rule that a folder holds one configuration."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bonas.config import Config, ConfigError
from bonas.config_file import differences, dump_config, load_config
from bonas.whole_files import write_whole

EXTENDABLE = "search.trials"
"""The one setting that may change when a run is continued: how far it goes."""

TRAINING = "training."
"""Settings that may change after the search: how the architectures that it found are trained."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run keeps its configuration, study, weights, detectors and report."""

    path: Path
    config: Config

    @classmethod
    def create(cls, path: Path, config: Config) -> "RunFolder":
        """A new run folder, or an earlier one of the same configuration to be continued.

        One that a first start left with its configuration alone, such as where the data were
        refused, counts as new.

        Raises:
            ConfigError: the folder holds a run of another configuration, or something else, or
                the path is no folder.
        """
        file = path / "config.toml"
        taken = next((p for p in (path, *path.parents) if p.exists() and not p.is_dir()), None)
        if taken is not None:
            raise ConfigError(
                f"--out is {str(path)!r}, but {str(taken)!r} is a file; name a folder for the run."
            )
        if file.is_file():
            found = load_config(file)
            changed = [d for d in differences(found, config) if not d.startswith(EXTENDABLE)]
            if changed and not _holds_only(file, found):
                raise ConfigError(
                    f"{path} holds a run of another configuration; different (there | here): "
                    f"{'; '.join(changed)}. Choose another folder with --out, or restore these."
                )
        elif path.is_dir() and any(path.iterdir()):
            raise ConfigError(
                f"{path} is not empty and holds no run (no config.toml). "
                "Choose another folder with --out."
            )
        path.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a torn file would be a run that cannot be continued.
        write_whole(file, dump_config(config))
        return cls(path, config)

    @classmethod
    def open(cls, path: Path, settings: Iterable[str] = ()) -> "RunFolder":
        """An existing run folder, with settings of `[training]` on top of its own.

        Raises:
            ConfigError: there is none at the path, or a setting concerns more than training.
        """
        if not (path / "config.toml").is_file():
            raise ConfigError(
                f"{str(path)!r} is no run folder: it has no config.toml. "
                "Name the folder that `bonas search` wrote."
            )
        found = load_config(path / "config.toml")
        config = load_config(path / "config.toml", settings)
        fixed = [d for d in differences(found, config) if not d.startswith(TRAINING)]
        if fixed:
            raise ConfigError(
                f"{path}: --set would change what was searched (there | here): {'; '.join(fixed)}. "
                f"Only settings of [{TRAINING.rstrip('.')}] may change after the search."
            )
        return cls(path, config)

    @property
    def journal(self) -> Path:
        """The study."""
        return self.path / "study.journal"

    @property
    def supernet(self) -> Path:
        """The trained supernet's weights."""
        return self.path / "supernet.safetensors"

    @property
    def supernet_checkpoint(self) -> Path:
        """The state of a supernet in training."""
        return self.path / "supernet.checkpoint"

    @property
    def step_times(self) -> Path:
        """What an option adds to the time of a training step."""
        return self.path / "step_times.json"

    @property
    def warm_start(self) -> Path:
        """What was observed by the earlier runs that the search begins with."""
        return self.path / "warm_start.json"

    @property
    def comparison(self) -> Path:
        """The comparison's results."""
        return self.path / "comparison.json"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    def detector(self, name: str) -> Path:
        """The folder of one trained detector."""
        return self.path / "detectors" / name


def _holds_only(file: Path, config: Config) -> bool:
    """Whether a run folder has this file alone, as `create` writes it: nothing was computed yet.

    A configuration that someone wrote there by hand, with comments perhaps, is not replaced.
    """
    alone = all(other == file for other in file.parent.iterdir())
    return alone and file.read_text(encoding="utf-8") == dump_config(config)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, its first sixteen hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
