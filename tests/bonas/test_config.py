import os
import tomllib
from pathlib import Path

import pytest

from bonas.config import Config, ConfigError
from bonas.config_file import differences, dump_config, load_config, parse_config
from bonas.data.augmentation import Augmentation
from bonas.data.augmentation_presets import PRESETS, Preset
from bonas.robustness.attacks import Attack, Effort
from bonas.run_folder import RunFolder
from bonas.search_tables import GRADIENT, SAMPLING
from bonas.strategies.named import GRADIENT_STRATEGIES, STRATEGIES
from bonas.training_tables import AugmentationTable, TrainingTable


def write(folder: Path, text: str) -> Path:
    file = folder / "c.toml"
    file.write_text(text)
    return file


def test_the_defaults_round_trip(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, dump_config(Config()))) == Config()


def test_the_defaults_of_attacks_are_those_of_their_module() -> None:
    assert Effort(**Config().score.attack_effort.model_dump()) == Effort()


def test_a_written_configuration_round_trips_with_every_table(tmp_path: Path) -> None:
    text = """
        seed = 7
        [data]
        path = "faces"
        test = ["../other"]
        unseen = ["swap"]
        [score]
        attacks = {fgsm = 2.0, pgd = 1.0, apgd = 1.0, square = 1.0}
        attack_effort = {square = 500, restarts = 2}
        severities = [1, 3]
        [score.weights]
        attack = 0
        [training.augmentation]
        flip = 0.0
    """
    config = load_config(write(tmp_path, text))
    assert config.data.path == tmp_path / "faces"
    assert config.data.test == (tmp_path.parent / "other",)
    assert config.score.attacks[Attack.SQUARE] == 1.0
    assert config.score.attack_effort.model_dump() == {
        "pgd": 20,
        "apgd": 20,
        "square": 500,
        "restarts": 2,
    }
    assert load_config(write(tmp_path, dump_config(config))) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 1", r"unknown key 'sed'; did you mean 'seed'\?"),
        ("[supernet]\nepocs = 3", r"unknown key 'supernet.epocs'; did you mean 'epochs'\?"),
        ("[score.weights]\nclaen = 3", r"unknown key 'score.weights.claen'; did you mean 'clean'"),
        ("trials = 3", r"unknown key 'trials'; did you mean 'search.trials'\?$"),
        ("epochs = 3", "mean 'supernet.epochs' or 'gradient.epochs' or 'training.epochs'"),
        ("[weights]\nclean = 1", r"unknown key 'weights'; did you mean 'score.weights'\?"),
        ("[search]\nidentities = 9", "key 'search.identities'; did you mean 'data.identities'"),
        ("clean = 1", r"unknown key 'clean'; did you mean 'score.weights.clean'\?"),
        ("[zzz]\nx = 1", r"unknown key 'zzz'; known keys: seed, space"),
        ('[data]\nunseen = "swap"', r"unseen is 'swap': it must be a list, such as \[.swap.\]\.$"),
        ("[score]\nseverities = 2", r"severities is 2: it must be a list, such as \[2\]\.$"),
        ("[search.minimise]\nx = 2", r"search.minimise: it must be a list\.$"),
        ('[space]\nname = "forgry"', r"did you mean 'forgery'\?$"),
        ('[space]\nname = "cells"', r"space.name is 'cells': it must be one of forgery, "),
        ("[data]\nsize = 96", r"path is missing; the layout 'auto' reads a folder"),
        (
            '[training]\npseudo_forgery_kind = "cross"\nbatch_size = 2',
            "pseudo_forgery_kind is 'cross', but a batch of 2 has one real face",
        ),
        ('[training]\npseudo_forgery_kind = "swap"', "should be 'self', 'cross' or 'both'"),
        ('[training]\naugmentation = "hard"', "preset is 'hard'; it must be one of light, medium"),
        ("[training.augmentation]\npreset = 3", "preset is 3; it must be one of light, medium"),
        ("[training]\naugmentation = 3", "training.augmentation is 3"),
        ("[search]\ntrials = 0", r"search.trials is 0: input should be greater than or equal to 1"),
        (
            '[search]\nminimise = ["macs"]',
            "minimise names 'macs'; the costs of an estimate are parameters, multiply_adds, act",
        ),
        ('[search]\ncost = "latency"', "cost names 'latency'; the costs of an estimate are"),
        ('[search]\nminimise = ["seconds", "seconds"]', "name each cost once"),
        (
            '[search]\nstrategy = "evolution"\nminimise = ["seconds"]',
            "minimise means nothing to the strategy 'evolution', only to bayesian and random",
        ),
        (
            '[search]\nstrategy = "darts"\nminimise = ["seconds"]',
            "minimise means nothing to the strategy 'darts'",
        ),
        (
            '[search]\nstrategy = "pdarts"\nzero_cost = "synflow"',
            "zero_cost means nothing to the strategy 'pdarts', only to bayesian, random, evo",
        ),
        (
            '[search]\nstrategy = "random"\ncost = "seconds"',
            "cost means nothing to the strategy 'random', only to bayesian",
        ),
        (
            '[search]\nstrategy = "bananas"\nwarm_start = ["runs/earlier"]',
            "warm_start means nothing to the strategy 'bananas'",
        ),
        (
            "[search]\nlimits = {params = 1e5}",
            r"c\.toml: search.limits names 'params'; costs are param",
        ),
        (
            '[search]\nstrategy = "darts"\nlimits = {parameters = 1e5}',
            "search.limits is set, but the strategy 'darts' cannot keep limits",
        ),
        (
            '[search]\nstrategy = "pdarts"\n[data]\nlayout = "synthetic"\nrotate = true',
            "data.rotate is set, but the strategy 'pdarts' trains one relaxed network",
        ),
        (
            '[search]\nstrategy = "pdarts"\n[gradient]\norder = 2',
            "gradient.order is 2, but P-DARTS has gradients of the first order",
        ),
        ("[score]\nattacks = {pdg = 1}", "score.attacks.pdg.* should be 'fgsm', 'pgd', 'apgd' or"),
        ("[score]\nattack_effort = {fgsm = 1}", "unknown key 'score.attack_effort.fgsm'"),
        ("[score.attack_effort]\npgd = 0", "score.attack_effort.pgd is 0: input should be greater"),
        ('[space]\nname = "macro"\ncells = 3', "cells is no setting of the space 'macro'"),
        ("seed = [", "is not TOML"),
        ("[training]\nbatch_size = 7", "training.batch_size is 7"),
    ],
)
def test_a_bad_key_or_value_is_named_with_its_rule(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, text))


def test_the_strategies_that_settings_are_checked_for_are_those_that_there_are() -> None:
    assert tuple(STRATEGIES) == SAMPLING
    assert GRADIENT == GRADIENT_STRATEGIES


def test_a_builder_of_ones_own_may_tell_other_costs() -> None:
    document = {"space": {"name": "mine:Builder"}, "search": {"limits": {"watts": 2.0}}}
    assert parse_config(document, "x.toml").search.limits == {"watts": 2.0}


def test_settings_go_on_top(tmp_path: Path) -> None:
    file = write(tmp_path, 'seed = 1\n[data]\nlayout = "synthetic"')
    config = load_config(
        file, ["seed=5", "search.strategy=random", "score.severities=[1]", "data.identities=30"]
    )
    assert (config.seed, config.search.strategy, config.score.severities) == (5, "random", (1,))


@pytest.mark.parametrize("setting", ["seed", "=3", "seed.x=1"])
def test_a_malformed_setting_is_named(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigError, match=r"--set|seed"):
        load_config(write(tmp_path, ""), [setting])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml' does not exist"):
        load_config(tmp_path / "nowhere.toml")


def test_objectives_cost_and_warm_starts_round_trip_with_paths_from_the_file(
    tmp_path: Path,
) -> None:
    text = """
        [search]
        minimise = ["multiply_adds", "seconds"]
        cost = "seconds"
        warm_start = ["runs/earlier", "/elsewhere"]
    """
    config = load_config(write(tmp_path, text))
    assert config.search.minimise == ("multiply_adds", "seconds")
    assert config.search.cost == "seconds"
    assert config.search.warm_start == (tmp_path / "runs/earlier", Path("/elsewhere"))
    assert load_config(write(tmp_path, dump_config(config))) == config


def test_a_run_from_before_these_settings_is_the_same_run() -> None:
    written = dump_config(Config())
    older = "".join(
        line
        for line in written.splitlines(keepends=True)
        if not line.startswith(("minimise", "warm_start"))
    )
    assert older != written
    assert differences(parse_config(tomllib.loads(older), "older"), Config()) == []


def test_differences_name_the_keys() -> None:
    other = Config.model_validate({"seed": 3, "search": {"trials": 7}})
    assert differences(Config(), other) == ["search.trials: 60 | 7", "seed: 0 | 3"]


def test_a_run_folder_is_continued_with_more_trials_only(tmp_path: Path) -> None:
    more = Config.model_validate({"search": {"trials": 90}})
    other = Config.model_validate({"seed": 1})
    RunFolder.create(tmp_path / "run", Config())
    folder = RunFolder.create(tmp_path / "run", more)
    assert folder.config == more
    folder.journal.write_text("")
    with pytest.raises(ConfigError, match=r"another configuration; .*seed: 0 \| 1.*--out"):
        RunFolder.create(tmp_path / "run", other)
    assert RunFolder.open(tmp_path / "run").config == more


def test_a_folder_that_holds_a_configuration_alone_is_begun_with_another(tmp_path: Path) -> None:
    """The first start was refused, as for its data, and nothing of its run is there."""
    other = Config.model_validate({"seed": 1})
    RunFolder.create(tmp_path / "run", Config())
    assert RunFolder.create(tmp_path / "run", other).config == other
    assert RunFolder.open(tmp_path / "run").config == other


@pytest.mark.parametrize(
    "name",
    ["study.journal", "supernet.checkpoint", "folds/swap/supernet.safetensors", "gradient.json",
     "step_times.json", "detectors/key/metrics.json", "comparison.json"],
)  # fmt: skip
def test_whatever_else_is_in_a_run_folder_is_of_its_configuration(
    tmp_path: Path, name: str
) -> None:
    folder = RunFolder.create(tmp_path / "run", Config())
    (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
    (folder.path / name).write_text("")
    with pytest.raises(ConfigError, match="holds a run of another configuration"):
        RunFolder.create(tmp_path / "run", Config.model_validate({"seed": 1}))


def test_a_configuration_that_was_written_by_hand_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("seed = 3  # as in the thesis\n")
    with pytest.raises(ConfigError, match=r"another configuration; .*seed: 3 \| 0"):
        RunFolder.create(tmp_path, Config())
    assert "thesis" in (tmp_path / "config.toml").read_text()


def test_only_training_may_change_after_the_search(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", Config())
    changed = RunFolder.open(tmp_path / "run", ["training.epochs=3"])
    assert changed.config.training.epochs == 3
    assert RunFolder.open(tmp_path / "run").config == Config()
    with pytest.raises(ConfigError, match=r"would change what was searched.*seed: 0 \| 1"):
        RunFolder.open(tmp_path / "run", ["seed=1"])


def test_a_folder_with_other_things_is_no_place_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match="is not empty and holds no run"):
        RunFolder.create(tmp_path, Config())
    with pytest.raises(ConfigError, match=r"has no config\.toml"):
        RunFolder.open(tmp_path)


def test_presets_are_settings_and_the_default_is_medium() -> None:
    tables = [
        TrainingTable.model_validate({"augmentation": preset.value}).augmentation
        for preset in Preset
    ]
    light, medium, strong = (Augmentation(**table.model_dump()) for table in tables)
    assert medium == Augmentation() == Augmentation(**AugmentationTable().model_dump())
    for name in PRESETS[Preset.STRONG]:
        assert getattr(light, name) <= getattr(medium, name) <= getattr(strong, name)
    assert light != medium != strong


@pytest.mark.parametrize(
    ("file", "settings", "expected"),
    [
        ('[training]\naugmentation = "strong"', [], {}),
        ('[training.augmentation]\npreset = "strong"\nflip = 0.1', [], {"flip": 0.1}),
        ('[training]\naugmentation = "strong"', ["training.augmentation.flip=0.1"], {"flip": 0.1}),
        ("[training.augmentation]\nflip = 0.1", ["training.augmentation=strong"], {}),
        ("[training.augmentation]\nflip = 0.1", ["training.augmentation.preset=strong"], {}),
    ],
)
def test_settings_beside_a_preset_override_it_and_a_later_preset_overrides_all(
    tmp_path: Path, file: str, settings: list[str], expected: dict[str, float]
) -> None:
    config = load_config(write(tmp_path, file), settings)
    strong = AugmentationTable.model_validate({**PRESETS[Preset.STRONG], **expected})
    assert config.training.augmentation == strong
    assert load_config(write(tmp_path, dump_config(config))) == config


def test_weights_that_are_all_0_are_refused_when_the_configuration_is_read() -> None:
    weights = dict.fromkeys(("clean", "unseen", "corruption", "attack"), 0.0)
    with pytest.raises(ConfigError, match=r"score\.weights: weights must have a positive sum"):
        parse_config({"score": {"weights": weights}}, "x.toml")


@pytest.mark.parametrize("inner", ["", "run"])
def test_a_file_is_no_place_for_a_run(tmp_path: Path, inner: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"--out is '.*file.*' is a file; name a folder"):
        RunFolder.create(tmp_path / "file" / inner, Config())


def test_an_interrupted_write_leaves_the_old_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunFolder.create(tmp_path / "run", Config())

    def cut(descriptor: int) -> None:
        os.ftruncate(descriptor, 20)
        raise KeyboardInterrupt

    more = Config.model_validate({"search": {"trials": 90}})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        with pytest.raises(KeyboardInterrupt):
            RunFolder.create(tmp_path / "run", more)
    assert RunFolder.open(tmp_path / "run").config == Config()
