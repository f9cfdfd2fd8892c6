"""Brokers that die or stand still in the middle of transactions; disks that are full or fail."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from harness import (
    DEADLINE_S,
    Broker,
    Client,
    Counting,
    Kafka,
    NewBroker,
    Receiver,
    Serve,
    one_pipeline,
    wait_quiet,
    wait_until,
)
from harness.small_disk import fill

# Longer than the calls of a transaction wait; scripts/crash makes it 30 s.
STANDSTILL_S = float(os.environ.get("STANDSTILL_S", "7"))

pytestmark = pytest.mark.timeout(300)


def freeze(broker: Broker, seconds: float) -> None:
    """Stops a broker's process, and has it go on later."""
    pid = json.loads((broker.directory / "broker.json").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def test_broker_killed_and_started_again_in_the_middle_of_transactions(
    new_broker: NewBroker, tmp_path: Path
) -> None:
    broker = new_broker()
    kafka = Kafka(broker)
    with Counting(kafka, tmp_path) as counting:
        counting.start()
        for _ in range(3):
            counting.wait_more(1000)
            broker.kill()
            counting.load.wait_more(500)
            broker.start()
        counting.finish()
        assert len(counting.servers[0].stderr.splitlines()) < 300
    kafka.close()


def test_broker_stopped_and_started_again_in_the_middle_of_transactions(
    new_broker: NewBroker, tmp_path: Path
) -> None:
    broker = new_broker()
    kafka = Kafka(broker)
    with Counting(kafka, tmp_path) as counting:
        counting.start()
        for _ in range(2):
            counting.wait_more(1000)
            broker.stop()
            counting.load.wait_more(500)
            broker.start()
        counting.finish()
    kafka.close()


def test_broker_that_stands_still_for_a_while(new_broker: NewBroker, tmp_path: Path) -> None:
    broker = new_broker()
    kafka = Kafka(broker)
    with Counting(kafka, tmp_path) as counting:
        counting.start()
        for seconds in (1.0, STANDSTILL_S):
            counting.wait_more(1000)
            freeze(broker, seconds)
        counting.finish()
    kafka.close()


@pytest.mark.parametrize("point", ["produce.after", "offsets.after", "store.commit.after"])
def test_server_killed_and_started_again_while_the_broker_is_away(
    new_broker: NewBroker, tmp_path: Path, point: str
) -> None:
    # Killed before it asks for the commit: a Kafka 4.3 broker that is shut down while it ends a
    # transaction can forget the markers of a partition without replicas (KAFKA-20734).
    broker = new_broker()
    kafka = Kafka(broker)
    with Counting(kafka, tmp_path) as counting:
        for stop in (broker.stop, broker.kill):
            counting.start()
            counting.wait_more(1000)
            counting.drain()
            counting.start_to_die(point, 2)
            stop()
            counting.start().wait_stderr("waiting for it to end")
            broker.start()
            counting.wait_more(100)
            counting.drain()
        counting.finish()
    kafka.close()


def test_server_says_that_it_waits_for_a_transaction_that_holds_its_epoch_back(
    kafka: Kafka, tmp_path: Path
) -> None:
    with Counting(kafka, tmp_path) as counting:
        counting.start()
        counting.wait_more(100)
        counting.drain()
        group = counting.group()
        holder = Producer({**kafka.clients.settings, "transactional.id": f"holder of {group}"})
        holder.init_transactions()
        holder.begin_transaction()
        place = TopicPartition(counting.topic_out.name, 0, 1_000_000)
        member = Consumer({**kafka.clients.settings, "group.id": group})
        holder.send_offsets_to_transaction([place], member.consumer_group_metadata())
        member.close()
        server = counting.start()
        server.wait_stderr(f"offsets of group '{group}' has not ended")
        holder.abort_transaction()
        counting.wait_more(100)
        counting.finish()


def test_epoch_stays_open_while_the_disk_is_full(
    kafka: Kafka, tmp_path: Path, small_disk: Path
) -> None:
    with Counting(kafka, tmp_path, words=20_000, per_s=5000) as counting:
        server = counting.start()
        counting.wait_more()
        filler = fill(small_disk)
        server.wait_stderr("can't be stored")
        wait_quiet(counting.check_new_outputs)
        counting.load.wait_more(1000)
        assert len(server.log_lines(" error ")) == 1, server.stderr
        seen = counting.outputs.total
        assert counting.check_new_outputs() == seen, "outputs of an epoch that is not stored"
        filler.unlink()
        counting.wait_more()
        counting.finish()
        assert server.log_lines("is stored")
        assert server.epochs_summary()["store failures"] > 0


def test_server_killed_while_the_disk_is_full_goes_on_when_there_is_space(
    kafka: Kafka, tmp_path: Path, small_disk: Path
) -> None:
    with Counting(kafka, tmp_path, words=20_000, per_s=5000) as counting:
        server = counting.start()
        counting.wait_more()
        filler = fill(small_disk)
        server.wait_stderr("can't be stored")
        server.kill()
        filler.unlink()
        counting.finish()


def test_source_waits_while_the_disk_has_no_room_for_the_journal(
    serve: Serve, receiver: Receiver, small_disk: Path
) -> None:
    server = serve(one_pipeline(), "--resilience-dir", str(small_disk), "--epoch-interval", "0.05")
    numbers = [f"{i:01000}" for i in range(20_000)]
    with Client(server.address()) as client:
        client.send_frames("first")
        receiver.wait_lines(1)
        filler = fill(small_disk)
        client.send_frames(*numbers[:100])
        server.wait_stderr("journal has no room")
        filler.unlink()
        client.send_frames(*numbers[100:])
        assert receiver.wait_lines(20_001) == ["first", *numbers]
    assert server.terminate() == 0


@pytest.mark.parametrize("when", [1, 2, 5])
def test_failing_sync_ends_the_server_and_a_restart_goes_on(
    kafka: Kafka, tmp_path: Path, when: int
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    with Counting(kafka, tmp_path) as counting:
        server = counting.start()
        counting.wait_more(500)
        strace = subprocess.Popen(
            ["strace", "-f", "-p", str(server.process.pid), "-o", str(tmp_path / "strace.log")]
            + ["-e", "trace=fdatasync,fsync"]
            + ["-e", f"inject=fdatasync,fsync:error=EIO:when={when}"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until(
                lambda: server.process.poll() is not None or strace.poll() is not None,
                lambda: "the end of the server" + server.describe(),
            )
        finally:
            if server.process.poll() is None:
                server.kill()
            _, said = strace.communicate(timeout=DEADLINE_S)
        if "INJECTED" not in (tmp_path / "strace.log").read_text():
            pytest.skip(f"strace may not look at the server: {said.strip()}")
        assert server.wait() == 1, server.describe()
        assert "recovery/" in server.log_lines(" error ")[0], server.stderr
        assert len(server.log_lines(" error ", "recovery/")) == 1, server.stderr
        counting.check_new_outputs()
        counting.finish()
