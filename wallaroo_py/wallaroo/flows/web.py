"""Shows a running dataflow as JSON over HTTP, for tools that draw one.

On when the environment variable BYTEWAX_DATAFLOW_API_ENABLED is set: `GET /dataflow` at port
BYTEWAX_DATAFLOW_API_PORT (3030 unless set) on all addresses. The same text is written to the file
`dataflow.json` in BYTEWAX_DATAFLOW_API_CACHE_PATH, or the current directory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from .encoder import encode_dataflow

if TYPE_CHECKING:
    from .dataflow import Dataflow

_ENABLED = "BYTEWAX_DATAFLOW_API_ENABLED"
_PORT = "BYTEWAX_DATAFLOW_API_PORT"
_CACHE_PATH = "BYTEWAX_DATAFLOW_API_CACHE_PATH"
_PORT_DEFAULT = 3030
_STOP_S_MAX = 0.1


def _handler(text: bytes) -> type[BaseHTTPRequestHandler]:
    """Return a handler that answers every request for /dataflow with a text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0].rstrip("/") == "/dataflow"
            body = text if found else b'{"error": "not found; there is /dataflow"}'
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing: standard error is the application's."""

    return Handler


@contextmanager
def shown_over_http(flow: Dataflow) -> Iterator[None]:
    """Show a dataflow while the block runs, if the environment asks for it.

    Raises OSError when the port can't be had or the file not be written, ValueError for a port that
    is no number.
    """
    if not os.environ.get(_ENABLED):
        yield
        return
    port_text = os.environ.get(_PORT) or str(_PORT_DEFAULT)
    if not port_text.isdecimal():
        raise ValueError(f"{_PORT} must be a port, got {port_text!r}")
    text = encode_dataflow(flow)
    (Path(os.environ.get(_CACHE_PATH) or ".") / "dataflow.json").write_text(text)
    with ThreadingHTTPServer(("", int(port_text)), _handler(text.encode())) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(_STOP_S_MAX,), name="dataflow api", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
