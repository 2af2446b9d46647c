"""A drawing of an architecture as SVG, on a page or by itself."""

from bonas.report.cell_drawing import draw_cells
from bonas.report.cell_rows import cell_rows
from bonas.report.layered_drawing import draw_layers
from bonas.report.markup import Markup
from bonas.report.stage_drawing import draw_stages, stage_rows
from spaces.architecture import Architecture
from spaces.darts import HALVED_SKIP
from spaces.graphs import NONE, SKIP, simplify
from spaces.space import SearchSpace

COLOURS = 8  # then they repeat; the labels tell operations apart
STYLE = Markup("""<style>
.architecture{--ink:#1c2330;--ground:#fff;--quiet:#667085;--faint:#b4bbc7;
--o0:#1764ab;--o1:#b3261e;--o2:#1b7f4b;--o3:#7a4fb5;--o4:#a15c00;--o5:#0b7a83;--o6:#a83279;
--o7:#5b6b00;max-width:100%;height:auto;font:12px system-ui,sans-serif;background:var(--ground)}
@media screen and (prefers-color-scheme:dark){.architecture{--ink:#e6e9ef;--ground:#14181f;
--quiet:#9aa4b5;--faint:#4c5666;--o0:#79b8f5;--o1:#ff9d94;--o2:#6fd3a0;--o3:#c3a5f2;--o4:#f0b565;
--o5:#62cfd8;--o6:#f29acb;--o7:#c5d45f}}
.architecture text{fill:var(--ink)}
.architecture .title{font-weight:600;font-size:13px}
.architecture .small{fill:var(--quiet)}
.architecture .name.none,.architecture .name.dead,.architecture .number.dead{fill:var(--quiet)}
.architecture .name.none{fill:var(--faint)}
.architecture .ground{fill:var(--ground);stroke:none}
.architecture .box{fill:none;stroke:var(--quiet);stroke-width:1.2}
.architecture .state{fill:var(--ground);stroke:var(--ink);stroke-width:1.5}
.architecture .state.dead{stroke:var(--faint);fill:var(--ground)}
.architecture .edge,.architecture .wire{fill:none;stroke:var(--c,var(--ink));stroke-width:2}
.architecture .wire{stroke:var(--quiet);stroke-width:1.4}
.architecture .wire.dead,.architecture .edge.dead{stroke:var(--faint);stroke-width:1.3;
stroke-dasharray:6 4}
.architecture .edge.none{stroke:var(--faint);stroke-width:1;stroke-dasharray:1.5 5}
.architecture .pill{fill:var(--c,var(--ink));fill-opacity:.13;stroke:var(--c,var(--ink));
stroke-width:1.3}
.architecture .pill.dead{fill:none;stroke:var(--faint);stroke-dasharray:4 3}
.architecture .pill.none{fill:none;stroke:none}
.architecture .skip{--c:var(--ink)}.architecture .pill.skip{fill-opacity:0}
.architecture .o0{--c:var(--o0)}.architecture .o1{--c:var(--o1)}.architecture .o2{--c:var(--o2)}
.architecture .o3{--c:var(--o3)}.architecture .o4{--c:var(--o4)}.architecture .o5{--c:var(--o5)}
.architecture .o6{--c:var(--o6)}.architecture .o7{--c:var(--o7)}
</style>""")


def draw_architecture(space: SearchSpace, architecture: Architecture) -> str:
    """The architecture as SVG: its cells or stages where it is made of them, else its graph.

    Edges that carry nothing to the output are dashed and grey, edges of the operation `none`
    dotted. An operation keeps its colour in all architectures of a space.
    """
    graph = space.graph(architecture)
    kinds = operation_kinds(space)
    title = f"Architecture {', '.join(map(str, architecture.choices))}"
    rows = cell_rows(graph)
    if rows is not None:
        return draw_cells(rows, kinds, title=title, style=STYLE)
    stages = stage_rows(graph)
    if stages is not None:
        return draw_stages(stages, kinds, title=title, style=STYLE)
    return draw_layers(simplify(graph), kinds, title=title, style=STYLE)


def operation_kinds(space: SearchSpace) -> dict[str, str]:
    """The style class of each operation, by the order of the space's options."""
    options = dict.fromkeys(str(o) for d in space.decisions for o in d.options)
    coloured = [o for o in options if o not in (NONE, SKIP)]
    return {
        NONE: "none",
        SKIP: "skip",
        HALVED_SKIP: "skip",
        **{o: f"o{i % COLOURS}" for i, o in enumerate(coloured)},
    }
