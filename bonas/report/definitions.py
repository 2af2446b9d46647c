"""What the numbers mean, in plain words: the score, its groups, and every condition."""

from bonas.config import Config, DataTable
from bonas.data.pseudo_forged import PSEUDO
from bonas.data.unseen import condition_name, may_name
from bonas.report import numbers
from bonas.report.markup import Markup, bullets, code, element, join, paragraph, table
from bonas.robustness.attacks import Attack
from bonas.robustness.conditions import Condition, Group
from bonas.robustness.corruptions import LEVELS, Corruption

GROUPS = {
    Group.CLEAN: "unchanged images of people not seen in training, with the kinds of forgery that "
    "were trained on",
    Group.UNSEEN: "kinds of forgery or data sets that were not trained on",
    Group.CORRUPTION: "the clean images after compression, blur and the like, whose strengths are "
    "shares of the image's own size",
    Group.ATTACK: "the clean images changed against the very detector that is tested, with full "
    "access to its logits or its gradient",
}
_CORRUPTIONS = {
    Corruption.JPEG: "JPEG at quality {:g} by Pillow, chroma halved both ways",
    Corruption.BLUR: "Gaussian blur, sigma {:g} of the shorter side",
    Corruption.NOISE: "Gaussian noise, sigma {:g} where white is 1",
    Corruption.SHOT_NOISE: "shot noise, {:g} photons in a white pixel",
    Corruption.RESIZE: "scaled to {:g} of its size and back",
    Corruption.CONTRAST: "contrast lowered to {:g}",
    Corruption.SATURATION: "colour saturation lowered to {:g}",
    Corruption.BLOCK: "{:g} of 256 blocks turned grey",
    Corruption.VIDEO: "a frame of H.264 video at rate factor {:g}, chroma halved both ways",
}


def describe(condition: Condition, config: Config) -> str:
    """What is done to the images under a condition."""
    blends = "pseudo-forgeries: real faces blended with copies of themselves"
    if condition.group is Group.CLEAN:
        return f"real faces, and {blends}" if config.data.real_only else "as they are"
    if condition.group is Group.UNSEEN:
        return blends if condition.name == PSEUDO else _unseen(condition.name, config.data)
    if condition.group is Group.CORRUPTION and condition.name in tuple(Corruption):
        assert condition.severity is not None
        corruption = Corruption(condition.name)
        return _CORRUPTIONS[corruption].format(LEVELS[corruption][condition.severity - 1])
    if condition.name in config.score.attacks:
        return _attack(Attack(condition.name), config)
    return condition.name


def _unseen(name: str, data: DataTable) -> str:
    forged = f"forgeries of the type {name}"
    if name in map(condition_name, data.unseen):
        return f"{forged}, held back from training"
    if any(may_name(path, name) for path in (*data.unseen_data, *data.test)):
        return f"the further data set {name}"
    if data.real_only:
        return f"{forged}; none of any type was trained on"
    if data.rotate:
        return f"{forged}, held back from one fold's training"
    return f"{forged}, which the training split has none of"


def _attack(attack: Attack, config: Config) -> str:
    budget, effort = config.score.attacks[attack], config.score.attack_effort
    again = f", best of {effort.restarts} starts" if effort.restarts > 1 else ""
    words = {
        Attack.FGSM: "FGSM, one gradient step of {}/255 in every pixel value",
        Attack.PGD: f"PGD, {effort.pgd} gradient steps within {{}}/255 in every pixel value{again}",
        Attack.APGD: f"APGD, {effort.apgd} gradient steps of adapted length within {{}}/255 in "
        f"every pixel value{again}",
        Attack.SQUARE: f"Square, a search without gradients of {effort.square} tries within "
        f"{{}}/255 in every pixel value{again}",
    }
    return words[attack].format(f"{budget:g}")


def definitions(config: Config, conditions: tuple[Condition, ...]) -> Markup:
    """The score's formula, the groups and the conditions; these as far as they are known."""
    parts = [
        paragraph(
            "The AUC of a condition is the probability that a forged image, drawn at random, gets "
            "a higher score than a genuine one, ties counting half: 1 is perfect, 0.5 is chance. "
            "It is computed per image, not per video."
        ),
        _formula(config),
        bullets(_groups()),
        _intervals(),
    ]
    if conditions:
        rows = [(code(c.key), c.group.value, describe(c, config)) for c in conditions]
        parts.append(
            table("Conditions in words", ["condition", "group", "images"], rows, kind="words")
        )
    return join(parts)


def _groups() -> list[Markup]:
    return [join([element("b", group.value), ": ", words, "."]) for group, words in GROUPS.items()]


def _formula(config: Config) -> Markup:
    weights = config.score.weights.model_dump()
    sums = " + ".join(f"{w:g} {numbers.TIMES} {g}" for g, w in weights.items() if w)
    return join(
        [
            Markup(
                '<p class="formula">score = &sum;<sub>g</sub> w<sub>g</sub> &middot; '
                "mean<sub>c in g</sub> AUC<sub>c</sub> &nbsp;/&nbsp; "
                "&sum;<sub>g</sub> w<sub>g</sub></p>"
            ),
            paragraph(
                "The robustness-weighted AUC is the weighted mean of the groups' mean AUCs: ",
                sums,
                ". Groups without conditions are left out and the weights of the others scaled to "
                "sum to 1. The weights are a judgement on use, not a result.",
            ),
        ]
    )


def _intervals() -> Markup:
    return paragraph(
        "95 % intervals of one training take test images to be a sample of clusters, an original "
        "with all that was made from it being one (DeLong's method with Obuchowski's clusters, on "
        "the logit scale). Intervals of means over conditions or seeds use the largest variance "
        "that any correlation between them allows, so they err on the wide side. Where images are "
        "separated without exception, the interval is what so many independent pairs, all won or "
        "all lost, leave open (Clopper and Pearson), also within means. Differences of compared "
        "networks are paired by image, so that what is easy or hard for both cancels. None covers "
        "other people, cameras or forgeries than those of the test set. Spreads over seeds are "
        f"standard deviations; with one seed there is none ({numbers.NONE})."
    )
