"""A real Kafka broker."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from harness.deadline import wait_until

ROOT = Path(__file__).resolve().parents[3]
START_S_MAX = 300.0  # the first start fetches the broker


class Broker:
    """One Kafka broker with its data in a directory; see scripts/kafka for the options.

    It can be stopped, killed and started again at the same address with the same data.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.address = self._tool("start", *options)

    @property
    def security(self) -> dict[str, Any]:
        """How to connect with TLS and SASL, if started with --secure: see broker_security.py."""
        return json.loads(self._security_file.read_text())

    def change_password(self, password: str) -> None:
        """Gives the SASL user another password, from the next start on."""
        self._security_file.write_text(json.dumps({**self.security, "password": password}))

    @property
    def _security_file(self) -> Path:
        return self.directory / "security.json"

    @property
    def node(self) -> int:
        """Its number in its cluster."""
        return json.loads((self.directory / "cluster.json").read_text())["node"]

    def start(self) -> None:
        """Starts it again, where it was."""
        assert self._tool("start") == self.address

    def stop(self) -> None:
        """Ends it properly. It can be started again."""
        self._tool("stop")

    def kill(self) -> None:
        """Ends it without warning. It can be started again."""
        record = json.loads((self.directory / "broker.json").read_text())
        assert record["directory"] == str(self.directory)
        os.kill(record["pid"], signal.SIGKILL)
        wait_until(lambda: not self._runs(), "the end of the broker")

    def _runs(self) -> bool:
        return subprocess.run(self._command("status"), capture_output=True).returncode == 0

    def _command(self, verb: str, *options: str) -> list[str]:
        return [str(ROOT / "scripts/kafka"), verb, "--dir", str(self.directory), *options]

    def _tool(self, verb: str, *options: str) -> str:
        """Runs scripts/kafka; returns the last line that it printed."""
        done = subprocess.run(
            self._command(verb, *options), capture_output=True, text=True, timeout=START_S_MAX
        )
        assert done.returncode == 0, done.stderr
        return (done.stdout.splitlines() or [""])[-1]
