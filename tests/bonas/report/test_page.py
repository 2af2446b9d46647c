import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bonas.config import ConfigError
from bonas.opening import open_study
from bonas.report import numbers
from bonas.report.facts import read_run
from bonas.report.page import render, write_report
from bonas.run_folder import RunFolder
from spaces.forgery import FORGERY
from spaces.space import live
from tests.bonas.report.conftest import World, best

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Checker(HTMLParser):
    """Follows the tags of a page: each is closed, in order, and identifiers occur once."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes.append((tag, given))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.targets.append(str(given["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def pictures(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(s) for s in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_the_page_is_well_formed_and_its_links_lead_somewhere(full: RunFolder) -> None:
    checker = checked(render([read_run(full)]))
    assert len(set(checker.ids)) == len(checker.ids)
    assert all(t.startswith("#") and t[1:] in checker.ids for t in checker.targets)


def test_every_picture_is_xml_with_a_title(full: RunFolder) -> None:
    drawn = pictures(render([read_run(full)]))
    assert len(drawn) == 5
    for svg in drawn:
        assert svg.get("role") == "img"
        title = svg.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert title.text


def test_every_table_has_a_caption_and_scopes(full: RunFolder) -> None:
    page = render([read_run(full)])
    assert page.count("<table") == page.count("<caption>")
    headings = [attrs for tag, attrs in checked(page).attributes if tag == "th"]
    assert headings
    assert all(a.get("scope") in ("col", "row") for a in headings)


def test_nothing_is_loaded_from_elsewhere(full: RunFolder) -> None:
    page = render([read_run(full)])
    rest = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "://" not in rest
    assert "url(" not in rest
    assert "@import" not in rest
    assert not any("src" in attrs or tag == "link" for tag, attrs in checked(page).attributes)


def test_sections_stand_in_the_order_in_which_a_reader_asks(full: RunFolder) -> None:
    page = render([read_run(full)])
    ids = [i for i in checked(page).ids if not i.endswith("-title")]
    assert ids == [
        "summary",
        "selection",
        "comparison",
        "conditions",
        "history",
        "groups",
        "cost",
        "architecture",
        "importance",
        "definitions",
        "provenance",
    ]


def test_names_from_data_are_escaped(world: World) -> None:
    name = "<script>alert('1')</script>&"
    settings: dict[str, object] = {"data": {"layout": "synthetic", "unseen": [name]}}
    folder = world.run("a <b> & 'c'", trials=4, failed=(1,), settings=settings)
    page = render([read_run(folder)])
    checked(page)
    assert "<script>alert" not in page
    assert "a &lt;b&gt; &amp;" in page
    assert "&lt;no memory&gt; &amp; no luck" in page
    assert len(pictures(page)) == 3


@pytest.mark.parametrize(
    ("trials", "trained", "commands"),
    [
        (0, 0, ["bonas search", "bonas train", "bonas compare"]),
        (4, 0, ["bonas search", "bonas train", "bonas compare"]),
        (4, 2, ["bonas search", "bonas compare"]),
    ],
)
def test_a_missing_part_names_the_command_that_makes_it(
    world: World, trials: int, trained: int, commands: list[str]
) -> None:
    folder = world.run(trials=trials)
    if trained:
        world.train(folder, trained)
    page = render([read_run(folder)])
    checked(page)
    sentences = " ".join(re.findall(r'<p class="missing">.*?</p>', page, re.DOTALL))
    assert [c for c in ("bonas search", "bonas train", "bonas compare") if c in sentences] == (
        commands
    )


def test_several_runs_share_a_table_and_a_history(world: World, full: RunFolder) -> None:
    other = world.run("other", trials=5)
    page = render([read_run(full), read_run(other)])
    checker = checked(page)
    assert len(set(checker.ids)) == len(checker.ids)
    assert all(t[1:] in checker.ids for t in checker.targets)
    assert page.index("Runs side by side") < page.index("Run other")
    assert "Selection scores of 2 runs" in page


def test_several_runs_show_what_their_search_took_and_found(world: World) -> None:
    folders = [world.run("one", trials=4), world.run("other", trials=5)]
    open_study(folders[1].config, folders[1].journal).optuna.set_user_attr("bonas.seconds", 130.0)
    rows = re.findall(r"<tr>.*?</tr>", render([read_run(f) for f in folders]), re.DOTALL)
    rows = [re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
    head = next(row for row in rows if "search time" in row)
    one, other = rows[rows.index(head) + 1 : rows.index(head) + 3]
    assert one[head.index("search time")] == numbers.NONE
    assert other[head.index("search time")] == "2.2 min"
    architecture, _ = best(folders[1])
    used = live(FORGERY, architecture)
    taken = [
        choice
        for decision, choice in zip(FORGERY.decisions, architecture.choices, strict=True)
        if decision.name in used and choice != "none"
    ]
    assert other[head.index("skips")] == f"{taken.count('skip')} of {len(taken)}"


def test_runs_of_different_condition_sets_are_not_to_be_compared(
    world: World, full: RunFolder
) -> None:
    other = world.run("other", trials=5)
    world.train(other, 1, digest="e" * 64)
    page = render([read_run(full), read_run(other)])
    assert "compare no test scores" in page
    assert "compare no test scores" not in render([read_run(full), read_run(full)])


def test_how_the_data_were_read_is_shown(full: RunFolder) -> None:
    page = render([read_run(full)])
    assert "How the data sets were read" not in page, "an older run does not say"
    study = open_study(full.config, full.journal).optuna
    terms = {
        "name": "faces<5>",
        "layout": "faceforensics",
        "compression": "c40",
        "split_seed": None,
        "frames_per_video": 32,
        "on_bad_image": "skip",
        "skipped": 7,
        "prepared": {"size": 224},
    }
    other = terms | {"prepared": {"size": 96}}
    study.set_user_attr("bonas.data.reading", [terms, terms, other])
    page = render([read_run(full)])
    cells = ["faceforensics", "c40", "\N{EN DASH}", "32", "skip", "7"]
    row = "".join(f"<td[^>]*>{cell}</td>" for cell in cells)
    assert len(re.findall(row, page)) == 1
    assert "faces&lt;5&gt;" in page
    assert "faces<5>" not in page
    assert page.count("Prepared with bonas prepare") == 2
    assert all(f"{size}}}" in page for size in (224, 96))


def test_a_report_changes_nothing_but_itself_and_repeats(full: RunFolder) -> None:
    def content() -> dict[Path, bytes]:
        return {f: f.read_bytes() for f in full.path.rglob("*") if f.is_file()}

    before = content()
    place = write_report([full])
    first = place.read_bytes()
    assert content() == before | {place: first}
    assert write_report([full]).read_bytes() == first


def test_one_run_is_reported_in_its_folder_and_several_where_one_is(
    world: World, full: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_report([full]) == full.report
    monkeypatch.chdir(world.place)
    assert write_report([full, full]) == Path("report.html")
    assert write_report([full], world.place / "new" / "page.html").is_file()
    with pytest.raises(ValueError, match="folders is empty"):
        write_report([])


def test_an_unfinished_comparison_says_so(full: RunFolder) -> None:
    document = json.loads(full.comparison.read_text())
    full.comparison.write_text(json.dumps({"steps": document["steps"]}))
    page = render([read_run(full)])
    assert "9 of 9 trainings are missing" in page
    assert "Nothing has been compared yet" in page


def test_a_result_that_cannot_be_read_is_named(full: RunFolder) -> None:
    full.comparison.write_text('{"steps": {}, "records": [{}]}')
    with pytest.raises(
        ConfigError, match=r"comparison\.json is torn or of another .*bonas compare"
    ):
        read_run(full)
    full.comparison.write_text("{")
    with pytest.raises(ConfigError, match=r"comparison\.json is torn or of another version"):
        read_run(full)
