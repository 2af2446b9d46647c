import json
import re
from dataclasses import replace

from bonas.detector_record import METRICS
from bonas.report import numbers
from bonas.report.facts import RunFacts, TrialFacts, read_run
from bonas.report.markup import Section
from bonas.report.notices import notices
from bonas.report.sections.comparison import comparison_section
from bonas.report.sections.conditions import conditions_section
from bonas.report.sections.selection import selection_section
from bonas.report.sections.summary import summary_section
from bonas.robustness.attacks import Attack
from bonas.robustness.conditions import Condition
from bonas.robustness.record import ConditionAuc
from bonas.run_folder import RunFolder
from bonas.ties import Ties
from tests.bonas.report.conftest import World


def words(section: Section) -> str:
    return re.sub(r"<[^>]*>", "", section.body)


def test_the_summary_gives_interval_seeds_and_differences(full: RunFolder) -> None:
    facts = read_run(full)
    text = words(summary_section(facts))
    assert facts.best is not None
    assert facts.best.key in text
    assert "(1 estimate failed)" in text
    assert "Trained from scratch with 3 seeds" in text
    assert "95 % interval over 3 seeds" in text
    assert "over test images of these trainings +0.000 to +0.040, more than" in text
    assert "shared weights: no test result" in text


def test_one_training_of_each_has_an_interval_over_images(world: World) -> None:
    folder = world.run(trials=4)
    world.compare(folder, seeds=1)
    facts = read_run(folder)
    text = words(summary_section(facts))
    assert "over test images of these trainings" in text
    assert "one seed each: no interval over seeds" in text
    table = words(comparison_section(facts))
    assert "unseen: found minus this, 95 % interval over test images" in table
    assert "+0.020 (+0.000 to +0.040)" in table
    early = replace(facts, differences={})
    assert "over test images of these trainings" not in words(summary_section(early))
    assert "not known of this comparison yet" in words(comparison_section(early))


def test_scores_of_different_sets_get_no_difference(world: World, full: RunFolder) -> None:
    document = json.loads(full.comparison.read_text())
    for record in document["records"]:
        if record["name"] == "plain":
            record["score"]["digest"] = "e" * 64
    full.comparison.write_text(json.dumps(document))
    facts = read_run(full)
    text = words(summary_section(facts))
    assert "found minus random" in text
    rows = re.findall(r"<tr>.*?</tr>", comparison_section(facts).body, re.DOTALL)
    (row,) = [row for row in rows if "unseen: found minus this" in row]
    cells = re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL)
    assert [cell == numbers.NONE for cell in cells] == [True, False, True]
    assert "found minus plain" not in text
    assert "must not be compared" in text


def _notices(facts: RunFacts) -> str:
    return " ".join(notices(facts))


def test_a_change_of_the_data_between_search_and_training_is_noticed(full: RunFolder) -> None:
    facts = read_run(full)
    assert "training images changed" not in _notices(facts)
    changed = replace(facts, attributes={"bonas.data.train": "other"})
    assert "training images changed" in _notices(changed)


def test_estimates_at_chance_are_noticed(full: RunFolder) -> None:
    facts = read_run(full)
    trial = facts.complete[0]

    def with_clean(auc: float) -> RunFacts:
        observation = replace(
            trial.observation, aucs={"clean": auc}, auc_variances={"clean": 1e-3}, fidelity=0.1
        )
        return replace(facts, trials=(replace(trial, observation=observation),) * 20)

    assert "order of the architectures may be chance" in _notices(with_clean(0.53))
    assert "order of the architectures may be chance" not in _notices(with_clean(0.8))


def test_the_page_says_how_many_are_not_told_from_the_best(full: RunFolder) -> None:
    facts = read_run(full)
    assert "not told from the best" not in selection_section(facts).body, "errors are not known"
    best = max(facts.complete, key=lambda t: t.value or 0.0)

    def with_error(trial: TrialFacts, own: float) -> TrialFacts:
        return replace(trial, observation=replace(trial.observation, error_loadings=[0.1, own]))

    trials = tuple(with_error(t, 0.0 if t == best else 1.0) for t in facts.complete)
    others = len(trials) - 1
    said = f"{others} of {others} other architectures are not told from the best"
    assert said in selection_section(replace(facts, trials=trials)).body
    repeated = replace(facts, trials=(*trials, *trials))
    assert said in selection_section(repeated).body, "a repeat is no other architecture"
    assert repeated.ties == Ties(others, others)
    trials = tuple(with_error(t, 0.0 if t == best else 1e-9) for t in facts.complete)
    assert "not told from the best" not in selection_section(replace(facts, trials=trials)).body


def test_a_network_of_another_size_is_noticed(full: RunFolder) -> None:
    file = next(full.path.glob(f"detectors/*/{METRICS}"))
    document = json.loads(file.read_text())
    document["parameters"] = 1
    file.write_text(json.dumps(document))
    assert "ran different code" in _notices(read_run(full))


def test_a_comparison_of_an_earlier_best_is_noticed(full: RunFolder) -> None:
    facts = read_run(full)
    worst = min(facts.complete, key=lambda t: t.value or 0.0)
    contest = tuple(
        replace(r, choices=worst.architecture.choices) if r.name == "found" else r
        for r in facts.contest
    )
    assert "is not the best architecture" in _notices(replace(facts, contest=contest))


FOLDERS: dict[str, object] = {"data": {"layout": "metadata.csv", "path": "/faces/main"}}


def test_a_held_back_type_is_seen_and_a_further_data_set_is_not(world: World) -> None:
    settings: dict[str, object] = {
        "data": {
            "layout": "metadata.csv",
            "path": "/faces/main",
            "unseen": ["swap"],
            "unseen_data": ["/faces/seen"],
            "pseudo_forgeries": True,
            "test": ["/faces/kept", "/faces/main"],
        }
    }
    body = selection_section(read_run(world.run(settings=settings))).body
    rows = re.findall(r"<tr>.*?</tr>", re.sub(r"</?(?:b|code)>", "", body))[4:]
    assert ["kind is seen in selection" in row for row in rows] == [True] * 3 + [False] * 2
    assert "not seen in selection" in rows[3]
    assert "yes: seen in selection" in rows[4]


def test_types_that_training_lacks_and_rotated_ones_are_seen_in_selection(world: World) -> None:
    """The trials of a written run have the condition `unseen/swap`."""
    lacking = selection_section(read_run(world.run("lacking", trials=2, settings=FOLDERS))).body
    assert "forgery type <code>swap</code>, which split train has none of" in lacking
    assert "nothing was held back" not in lacking
    rotated = {"data": {"layout": "metadata.csv", "path": "/faces/main", "rotate": True}}
    turned = selection_section(read_run(world.run("turned", trials=2, settings=rotated))).body
    assert "each type of forgery, in the fold that it is held back from" in turned
    assert "split train has none of" not in turned
    assert "nothing was held back" not in turned


def test_what_selected_is_read_from_the_trials(full: RunFolder) -> None:
    facts = read_run(full)
    kept = "unseen/swap"
    trials = tuple(
        replace(
            t,
            observation=replace(
                t.observation, aucs={k: v for k, v in t.observation.aucs.items() if k != kept}
            ),
        )
        for t in facts.trials
    )
    body = conditions_section(replace(facts, trials=trials)).body
    cells = re.findall(r"<code>([^<]*)</code></th><td>((?:not )?seen)</td>", body)
    assert dict(cells)[kept] == "not seen"
    assert {v for k, v in cells if k != kept} == {"seen"}


def test_an_attack_that_does_better_without_gradients_is_noticed(full: RunFolder) -> None:
    facts = read_run(full)
    first = facts.contest[0]

    def attacked(square: float, budget: float = 1.0) -> str:
        measured = tuple(
            (Condition.from_key(f"attack/{name}"), ConditionAuc(auc, 0.001, 12))
            for name, auc in (("apgd", 0.4), ("square", square))
        )
        record = replace(first, score=replace(first.score, conditions=measured))
        score = facts.config.score.model_copy(
            update={"attacks": {Attack.APGD: 1.0, Attack.SQUARE: budget}}
        )
        config = facts.config.model_copy(update={"score": score})
        return _notices(replace(facts, contest=(record,), detectors=(), config=config))

    assert "AUC 0.300 against 0.400" in attacked(0.3)
    assert "uses no gradients" not in attacked(0.5)
    assert "uses no gradients" not in attacked(0.3, budget=8.0)
