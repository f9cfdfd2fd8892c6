"""A running dataflow shows itself over HTTP when the environment asks for it."""

import json
import socket
import urllib.error
import urllib.request

import pytest
from bytewax.dataflow import Dataflow
from wallaroo.flows.web import shown_over_http


@pytest.fixture
def port(monkeypatch, tmp_path):
    """A free port, which the environment names."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("BYTEWAX_DATAFLOW_API_ENABLED", "true")
    monkeypatch.setenv("BYTEWAX_DATAFLOW_API_PORT", str(port))
    monkeypatch.setenv("BYTEWAX_DATAFLOW_API_CACHE_PATH", str(tmp_path))
    return port


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return json.load(answer)


def test_the_flow_is_json_while_it_runs(port, tmp_path):
    flow = Dataflow()
    flow.map("upper", str.upper)
    with shown_over_http(flow):
        shown = get(port, "/dataflow")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(port, "/other")
    assert shown == {
        "type": "Dataflow",
        "steps": [{"type": "Map", "step_id": "upper", "mapper": "upper"}],
    }
    assert json.loads((tmp_path / "dataflow.json").read_text()) == shown
    with pytest.raises(urllib.error.URLError):
        get(port, "/dataflow")


def test_nothing_listens_unless_asked(port, monkeypatch, tmp_path):
    monkeypatch.delenv("BYTEWAX_DATAFLOW_API_ENABLED")
    with shown_over_http(Dataflow()), pytest.raises(urllib.error.URLError):
        get(port, "/dataflow")
    assert list(tmp_path.iterdir()) == []


def test_a_port_is_a_number(port, monkeypatch):
    monkeypatch.setenv("BYTEWAX_DATAFLOW_API_PORT", "http")
    with pytest.raises(ValueError, match="BYTEWAX_DATAFLOW_API_PORT must be a port, got 'http'"):
        shown_over_http(Dataflow()).__enter__()
