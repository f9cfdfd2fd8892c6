"""Brokers as processes, for the `kafka` tool beside this file.

A directory belongs to at most one running broker. `broker.json` in it says which: process id, that
process's start time (so that a reused id is not mistaken for it), address.
"""

import contextlib
import fcntl
import itertools
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from broker_security import PROTOCOLS, SCRAM_USER, Security
from broker_settings import Cluster, broker_settings

HOST = "127.0.0.1"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
LOG_LINES_SHOWN = 15
PORTS = range(20000, 32000)


class BrokerError(Exception):
    """Ends the program with a message for a person."""


def say(text: str) -> None:
    """Tell a person what is going on; standard output is for the address."""
    print(f"== {text}", file=sys.stderr, flush=True)


def process_started(pid: int) -> int | None:
    """When a process began, in clock ticks after boot; None if there is none (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass(frozen=True)
class Record:
    """What `broker.json` says of a broker. started: as process_started gives it."""

    directory: str
    kind: str
    pid: int
    started: int
    address: str

    @property
    def alive(self) -> bool:
        """Whether that very process runs."""
        return process_started(self.pid) == self.started

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that takes too long; returns when the process is gone."""
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS_MAX), (signal.SIGKILL, 10.0)):
            if self.alive:
                os.kill(self.pid, number)
            if wait_for(lambda: not self.alive, seconds):
                Path(self.directory, "broker.json").unlink(missing_ok=True)
                return
            say(f"process {self.pid} did not end within {seconds:g} s")
        raise BrokerError(f"process {self.pid} cannot be ended")


def running_broker(directory: Path) -> Record | None:
    """The broker that runs in a directory, or None."""
    try:
        record = Record(**json.loads((directory / "broker.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.alive else None


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    """Whether condition() became true within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_ports(count: int) -> list[int]:
    """Distinct ports of the loopback on which nobody listens right now.

    Not among those that the system gives to outgoing connections: one of these could take the port
    while the broker restarts, even that of a client which looks for the broker.
    """
    ports = random.sample(PORTS, len(PORTS))
    return list(itertools.islice((port for port in ports if is_free(port)), count))


def is_free(port: int) -> bool:
    """Whether a port of the loopback can be listened on."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a broker at the port tells of a cluster with a broker in it.

    Sends a Metadata request, version 2, for no topics (Kafka protocol guide, "Metadata API"); the
    mock cluster knows no later one.
    """
    client = b"wait"
    request = struct.pack(">hhih", 3, 2, 1, len(client)) + client + struct.pack(">i", 0)
    try:
        with socket.create_connection((HOST, port), timeout=5.0) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            head = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return False
    # size, correlation, number of brokers
    return len(head) == 12 and struct.unpack(">iii", head)[2] > 0


class Broker(ABC):
    """A broker of one directory."""

    kind: str

    def __init__(self, root: Path, directory: Path) -> None:
        self.root = root
        self.directory = directory
        self.log = directory / "broker.log"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps two programs from starting a broker in one directory."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def start(self) -> str:
        """HOST:PORT of the broker, which is started unless it runs. BrokerError if that fails."""
        if record := running_broker(self.directory):
            if record.kind != self.kind:
                raise BrokerError(f"a {record.kind} broker is running at {record.address}; stop it")
            return record.address
        return self.launch()

    @abstractmethod
    def launch(self) -> str:
        """Start the process; returns HOST:PORT when it answers."""

    def spawn(self, command: list[str], env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a process that outlives this one; it writes to the log."""
        with open(self.log, "w") as log:
            return subprocess.Popen(
                command,
                cwd=self.directory,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                text=True,
            )

    def wait_until(
        self, process: subprocess.Popen[str], condition: Callable[[], object], address: str
    ) -> str:
        """Record the process, then wait; BrokerError with the end of the log if it fails."""
        started = process_started(process.pid)
        record = Record(str(self.directory), self.kind, process.pid, started or -1, address)
        (self.directory / "broker.json").write_text(json.dumps(asdict(record)))
        try:
            met = wait_for(lambda: process.poll() is not None or condition(), START_SECONDS_MAX)
        except BaseException:
            record.stop()
            raise
        if met and process.poll() is None:
            return address
        end = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
        why = "ended" if process.poll() is not None else f"is silent after {START_SECONDS_MAX:g} s"
        record.stop()
        raise BrokerError(f"the broker {why}; its log {self.log} ends with\n{end}")


@dataclass(frozen=True)
class RealOptions:
    """How a real broker is started.

    port: 0 takes the last one or a free one. secure: with the listeners of broker_security, which
    it keeps for later starts. join: the directory of a broker to whose cluster it belongs, kept for
    later starts; None makes a cluster of its own. more: settings of Kafka, NAME=VALUE.
    """

    port: int = 0
    secure: bool = False
    heap_mib: int = 384
    join: Path | None = None
    more: tuple[str, ...] = ()


class RealBroker(Broker):
    """Apache Kafka, in one JVM. The first broker of a cluster is its only controller as well."""

    kind = "real"

    def __init__(self, root: Path, directory: Path, options: RealOptions) -> None:
        super().__init__(root, directory)
        self.options = options
        self.lib = root / "build/kafka/lib"
        self.settings = directory / "server.properties"

    def start(self) -> str:
        plain = running_broker(self.directory) and not Security.load(self.directory)
        if self.options.secure and plain:
            raise BrokerError("a broker without TLS and SASL is running; stop it")
        return super().start()

    def launch(self) -> str:
        self._need_programs()
        self._fetch_jars()
        if self.options.port and not is_free(self.options.port):
            raise BrokerError(f"port {self.options.port} is in use")
        port, controller_port, *more_ports = free_ports(2 + len(PROTOCOLS))
        port = self.options.port or self._last_port() or port
        security = Security.load(self.directory)
        if self.options.secure and not security:
            security = Security.make(self.directory, HOST, more_ports)
        cluster = self._cluster(f"{HOST}:{controller_port}")
        self.settings.write_text(
            broker_settings(cluster, f"{HOST}:{port}", self.directory / "data", security)
            + "".join(f"{line}\n" for line in self.options.more)
        )
        if not (self.directory / "data/meta.properties").exists():
            self._format(cluster)
        say(f"starting a broker in {self.directory}")
        heap = [f"-Xmx{self.options.heap_mib}m", f"-Xms{self.options.heap_mib}m"]
        process = self.spawn(self._java(*heap, "kafka.Kafka", str(self.settings)))
        (self.directory / "port").write_text(str(port))
        return self.wait_until(process, lambda: answers(port), f"{HOST}:{port}")

    def _cluster(self, free_controller: str) -> Cluster:
        """Which cluster it belongs to: the one of its last start, the one to join, or its own."""
        cluster = Cluster.load(self.directory)
        if cluster is None and self.options.join:
            first = Cluster.load(self.options.join)
            if first is None or not running_broker(self.options.join):
                raise BrokerError(f"no broker to join is running in {self.options.join}")
            cluster = first.joined()
        elif cluster is None:
            cluster = Cluster.make(free_controller)
        elif cluster.node == 1 and not is_free(int(cluster.controller.rpartition(":")[2])):
            cluster = replace(cluster, controller=free_controller)
        cluster.save(self.directory)
        return cluster

    def _java(self, *arguments: str) -> list[str]:
        logging = [
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
        ]
        return ["java", "-cp", f"{self.lib}/*", *logging, *arguments]

    def _last_port(self) -> int:
        """The port of the run before, so that clients find the broker again; 0 if it is taken."""
        try:
            port = int((self.directory / "port").read_text())
        except (OSError, ValueError):
            return 0
        return port if is_free(port) else 0

    def _need_programs(self) -> None:
        missing = [name for name in ("java", "mvn") if not shutil.which(name)]
        if not missing or (missing == ["mvn"] and self.lib.is_dir()):
            return
        say(f"{' and '.join(missing)} missing: running scripts/install --kafka")
        done = subprocess.run([self.root / "scripts/install", "--kafka"], stdout=sys.stderr)
        if done.returncode != 0:
            raise BrokerError("scripts/install --kafka failed")

    def _fetch_jars(self) -> None:
        """Copies the jars from Maven, once for each version of the pom."""
        pom = self.root / "scripts/kafka-pom.xml"
        copied = self.lib / "pom.xml"
        self.lib.parent.mkdir(parents=True, exist_ok=True)
        with open(self.lib.with_suffix(".lock"), "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if copied.exists() and copied.read_bytes() == pom.read_bytes():
                return
            say(f"fetching Kafka with Maven to {self.lib}")
            fresh = self.lib.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
            done = subprocess.run([*command, f"-DoutputDirectory={fresh}"], stdout=sys.stderr)
            if done.returncode != 0:
                raise BrokerError("Maven could not fetch Kafka")
            shutil.copy(pom, fresh / "pom.xml")
            shutil.rmtree(self.lib, ignore_errors=True)
            fresh.rename(self.lib)

    def _format(self, cluster: Cluster) -> None:
        """Prepares an empty data directory."""
        options = ["format", "-t", cluster.id, "-c", str(self.settings)]
        if cluster.node == 1:
            options += ["--add-scram", SCRAM_USER]
        quick = ["-XX:TieredStopAtLevel=1", "-Xmx128m"]
        command = self._java(*quick, "kafka.tools.StorageTool", *options)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise BrokerError(f"cannot prepare the data directory:\n{done.stdout}{done.stderr}")


class MockBroker(Broker):
    """librdkafka's mock cluster, served by build/mock_broker."""

    kind = "mock"

    def launch(self) -> str:
        binary = self.root / "build/mock_broker"
        if not os.access(binary, os.X_OK):
            raise BrokerError(f"no {binary}; run scripts/build first")
        address_file = self.directory / "address"
        address_file.unlink(missing_ok=True)
        process = self.spawn([str(binary), "--address-file", str(address_file)])
        self.wait_until(process, address_file.exists, "")
        address = address_file.read_text().strip()
        port = int(address.rpartition(":")[2])
        return self.wait_until(process, lambda: answers(port), address)
