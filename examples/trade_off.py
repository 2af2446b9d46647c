"""Trade-offs of score against latency on a table of results, by ask and tell.

python examples/trade_off.py nasbench201.csv.gz cifar10_val latency_edgegpu_ms
"""

import sys
from pathlib import Path

import bonas
from bonas.estimation.tabular import Objective, read_table

TRIALS = 60


def main(path: Path, score_column: str, latency_column: str) -> None:
    """Sixty look-ups; then the architectures that no other beats in score and latency."""
    score, latency = (
        read_table(path, "nasbench201", Objective.parse(column))
        for column in (score_column, latency_column)
    )
    search = bonas.Search(score.space, seed=0, minimise=["latency"])
    classes = {search.key(architecture) for architecture in score.values}
    for _ in range(min(TRIALS, len(classes))):
        architecture = search.ask()
        observation = bonas.Observation(
            value=score.values[architecture],
            cost={"latency": latency.values[architecture]},
        )
        search.tell(architecture, observation)
    for told in search.front:
        value, cost = told.observation.value, told.observation.cost["latency"]
        print(f"trial {told.number}: {value:.2f} at {cost:.2f}  {told.architecture.choices}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python examples/trade_off.py TABLE SCORE_COLUMN LATENCY_COLUMN")
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
