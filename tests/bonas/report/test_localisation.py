"""What a page says of found regions."""

from dataclasses import replace

from bonas.region_quality import RegionQuality
from bonas.report.facts import read_run
from bonas.report.sections.localisation import localisation_section
from bonas.run_folder import RunFolder

PLAIN = RegionQuality(0.91, 0.9, 0.25, 30)


def test_each_type_has_a_row_with_its_lead_over_the_mean_mask(full: RunFolder) -> None:
    facts = read_run(full)
    facts = replace(facts, contest=())
    record = facts.detectors[0]
    assert localisation_section(facts) is None, "nothing was localised"
    swap, part = (
        replace(PLAIN, auc=a, prior_iou=0.4, lead_interval=(-0.02, 0.031)) for a in (0.951, 0.872)
    )
    found = replace(PLAIN, auc_interval=(0.88, 0.93), by_type={"swap": swap, "attribute": part})
    section = localisation_section(replace(facts, detectors=(replace(record, regions=found),)))
    assert section is not None
    page = section.render(2, "")
    assert page.count("<tr>") == 1 + 3
    for cell in ("0.951", "0.872", "0.880 to 0.930", "\N{MINUS SIGN}0.020 to +0.031", "attribute"):
        assert cell in page
    before = localisation_section(replace(facts, detectors=(replace(record, regions=PLAIN),)))
    assert before is not None
    assert before.render(2, "").count("<tr>") == 1 + 1, "what an older version measured is shown"
