import pytest

from bonas.report import numbers
from bonas.report.markup import Markup, cell, element, escaped, folded, join, table


def test_text_is_escaped_once_and_markup_never() -> None:
    once = escaped("<a href='x'>&\"")
    assert once == "&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;"
    assert escaped(once) == once
    assert element("b", "<i>") == "<b>&lt;i&gt;</b>"
    assert join(["<", Markup("<br>")]) == "&lt;<br>"
    assert "&lt;x&gt;" in folded("<x>", "<x>")


def test_a_table_escapes_its_cells_and_heads_its_rows() -> None:
    html = table("a < b", ["", "<c>"], [["<r>", "<d>"], ["s", cell("<e>", "word")]])
    assert '<th scope="row">&lt;r&gt;</th><td>&lt;d&gt;</td>' in html
    assert '<td class="word">&lt;e&gt;</td>' in html
    assert "<caption>a &lt; b</caption>" in html


def test_text_that_looks_like_a_cell_is_escaped() -> None:
    assert "&lt;td&gt;" in table("t", ["a", "b"], [["r", "<td>x</td>"]])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4 s"),
        (45.0, "45 s"),
        (150.0, "2.5 min"),
        (7200.0, "2.0 h"),
        (float("nan"), numbers.NONE),
    ],
)
def test_durations_are_given_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_numbers_are_written_with_their_sign_and_spread() -> None:
    assert numbers.signed(-0.01) == numbers.MINUS + "0.010"
    assert numbers.signed(0.01) == "+0.010"
    assert numbers.spread([0.5]) == numbers.NONE
    assert numbers.spread([0.5, 0.5]) == "0.000"
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"
    assert numbers.plural(1, "seed") == "1 seed"
    assert numbers.plural(2, "seed") == "2 seeds"
