"""What optuna-dashboard is given: its own server code answers from a run's journal."""

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from bonas import Observation, Search
from bonas.cli import main
from bonas.config_file import parse_config
from bonas.run_folder import RunFolder
from bonas.strategies.random import RandomSampler
from bonas.study import Study, journal_storage
from spaces.forgery import FORGERY

dashboard = pytest.importorskip("optuna_dashboard", reason="needs the extra `dashboard`")


def answer(app: Any, path: str) -> Any:
    status: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    body = b"".join(app(environ, lambda s, headers, *rest: status.append(s)))
    assert status[0].startswith("200"), body
    return json.loads(body)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_decisions_score_aucs_and_cost_are_readable_while_a_search_runs(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    study = Study(FORGERY, RandomSampler(FORGERY), storage=journal_storage(journal))
    search = Search(FORGERY, study=study)
    search.tell(
        search.ask(),
        Observation(value=0.7, aucs={"clean": 0.8}, cost={"parameters": 9.0}),
    )
    search.ask()  # still being estimated
    app = dashboard.wsgi(journal_storage(journal))
    (summary,) = answer(app, "/api/studies")["study_summaries"]
    detail = answer(app, f"/api/studies/{summary['study_id']}")
    first, second = detail["trials"]
    assert first["values"] == [0.7]
    assert {p["name"] for p in first["params"]} == {d.name for d in FORGERY.decisions}
    attributes = {a["key"]: a["value"] for a in first["user_attrs"]}
    assert float(attributes["bonas.auc.clean"]) == 0.8
    assert float(attributes["bonas.cost.parameters"]) == 9.0
    assert second["state"] == "Running"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_objectives_are_named_and_have_their_directions(tmp_path: Path) -> None:
    storage = journal_storage(tmp_path / "study.journal")
    study = Study(FORGERY, RandomSampler(FORGERY), storage=storage, minimise=["parameters"])
    search = Search(FORGERY, study=study)
    for value, size in ((0.7, 9.0), (0.6, 20.0), (0.5, 4.0)):
        search.tell(search.ask(), Observation(value=value, cost={"parameters": size}))
    app = dashboard.wsgi(journal_storage(tmp_path / "study.journal"))
    (summary,) = answer(app, "/api/studies")["study_summaries"]
    assert summary["directions"] == ["maximize", "minimize"]
    detail = answer(app, f"/api/studies/{summary['study_id']}")
    assert [t["values"] for t in detail["trials"]] == [[0.7, 9.0], [0.6, 20.0], [0.5, 4.0]]
    assert [t["number"] for t in detail["best_trials"]] == [0, 2]
    assert study.optuna.metric_names == ["score", "parameters"]


def test_a_port_in_use_is_named_before_any_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[int] = []
    monkeypatch.setattr(dashboard, "run_server", lambda storage, host, port: served.append(port))
    folder = RunFolder.create(tmp_path / "run", parse_config({}, "test"))
    Study(FORGERY, RandomSampler(FORGERY), storage=journal_storage(folder.journal))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", str(folder.path), "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"--port {port} of --host 127.0.0.1 cannot be listened on" in said
    assert "http://" not in said
    assert served == []
    assert main(["dashboard", str(folder.path), "--port", str(port)]) == 0
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().err
    assert served == [port]
