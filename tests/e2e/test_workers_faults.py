"""Several workers when one stands still, dies or is slow, and how they start and end."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from harness import (
    BINARY,
    READY,
    Client,
    NewReceiver,
    Receiver,
    Serve,
    Start,
    one_pipeline,
    wait_until,
)
from harness.workers import (
    COUNT_BY_KEY,
    KEYS,
    check_counts,
    children,
    is_alive,
    kill,
    numbered,
    worker_of,
)

MIB = 1 << 20


def rss_bytes(process: int) -> int:
    """Returns the resident memory of a process."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_a_worker_that_stands_still_makes_the_others_wait_with_bounded_memory(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "3")
    stopped, *others = children(server)
    clients = [Client(server.address()) for _ in range(6)]
    before = [rss_bytes(process) for process in others]
    kill(stopped, signal.SIGSTOP)
    payload = "x" * 2000
    total = 6 * 4000
    taken = 0
    for number, client in enumerate(clients):
        lines = [f"{KEYS[n % 23]}{payload} c{number} {n}" for n in range(4000)]
        data = b"".join(len(x).to_bytes(4, "big") + x.encode() for x in lines)
        client.rest = data[client.send_until_blocked(data, 0.5) :]  # type: ignore[attr-defined]
        taken += len(data) - len(client.rest)  # type: ignore[attr-defined]
    assert taken < 48 * MIB, "the clients have to wait"
    for process, old in zip(others, before, strict=True):
        assert rss_bytes(process) < old + 40 * MIB
    kill(stopped, signal.SIGCONT)
    for client in clients:
        client.send(client.rest)  # type: ignore[attr-defined]
    lines = receiver.wait_lines(total)
    expected: dict[str, int] = {}
    for n in range(4000):
        key = KEYS[n % 23] + payload
        expected[key] = expected.get(key, 0) + 6
    check_counts(lines, expected)
    assert server.terminate() == 0


def test_full_links_in_both_directions_and_a_slow_sink_do_not_deadlock(
    serve: Serve, new_receiver: NewReceiver
) -> None:
    slow = new_receiver(start=False, rcvbuf_bytes=4096)
    slow.start()
    text = one_pipeline(
        """\
        ab.to_state_partition(one, S, "one", first)
        ab.to_state_partition(two, S, "two", second)
        """,
        """\
        class S:
            pass

        @wallaroo.partition
        def first(data):
            return data.split()[0]

        @wallaroo.partition
        def second(data):
            return data.split()[1]

        @wallaroo.state_computation(name="one")
        def one(data, state):
            return data, False

        @wallaroo.state_computation(name="two")
        def two(data, state):
            return data, False
        """,
    )
    server = serve(text, "--workers", "2", out=slow)
    slow.pause()
    clients = [Client(server.address()) for _ in range(4)]
    payload = "y" * 1000
    lines = [f"a{n % 97} b{n % 89} {n} {payload}" for n in range(12_000)]
    data = b"".join(len(x).to_bytes(4, "big") + x.encode() for x in lines)
    rests = [data[client.send_until_blocked(data, 0.5) :] for client in clients]
    assert any(rests), "nothing made them wait"
    slow.resume()
    for client, rest in zip(clients, rests, strict=True):
        client.send(rest)
    got = slow.wait_lines(4 * len(lines))
    assert sorted(got) == sorted(lines * 4)
    assert server.terminate() == 0


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_dies_without_resilience_is_replaced_and_the_others_keep_all_they_have(
    serve: Serve, receiver: Receiver, place: int
) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "3")
    before = children(server)
    victim = before[place]
    clients = [Client(server.address())]
    while worker_of(clients[-1].port, server) == victim:
        clients.append(Client(server.address()))
    kept = clients[-1]
    kept.send_frames(*numbered(KEYS, 0, 10))
    old = check_counts(receiver.wait_lines(10 * len(KEYS)), dict.fromkeys(KEYS, 10))
    for again in (2, 3):
        kill(victim)
        server.wait_for(
            lambda n=again: server.stderr.count("3 workers are ready") == n, "a replacement"
        )
        victim = next(iter(set(children(server)) - set(before)))
    assert set(before) - set(children(server)) == {before[place]}
    assert server.log_lines("warning", "lost")
    kept.send_frames(*numbered(KEYS, 10, 20))
    counts: dict[str, list[int]] = {key: [] for key in KEYS}
    for line in receiver.wait_lines(20 * len(KEYS)):
        key, _, number, count, _ = line.split()
        if int(number) >= 10:
            counts[key].append(int(count))
    for key in KEYS:
        first = 1 if old[key] == {str(before[place])} else 11
        assert counts[key] == list(range(first, first + 10)), key
    assert any(old[key] == {str(before[place])} for key in KEYS)
    wait_until(
        lambda: sum(receiver.is_open) == 3, lambda: f"three sinks connected; {receiver.is_open}"
    )
    assert len(receiver.connections) == 5
    assert server.stdout.count(READY) == 1
    assert server.terminate() == 0, server.describe()


def test_five_deaths_without_an_epoch_between_them_are_the_end(
    serve: Serve, tmp_path: Path
) -> None:
    text = one_pipeline(
        "ab.to(die)",
        """\
        import os
        import signal

        @wallaroo.computation(name="die")
        def die(data):
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    options = ("--resilience-dir", "recovery", "--epoch-interval", "60")
    server = serve(text, "--workers", "2", *options)
    with Client(server.address()) as client:
        client.send_frames("the journal gives it to each life")
    assert server.wait() == 128 + signal.SIGKILL
    assert server.stderr.count("all 2 workers start again") == 4
    assert (tmp_path / "recovery").exists()


def test_records_that_can_not_go_to_another_worker_become_dead_letters(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    text = one_pipeline(
        """\
        ab.to(closure)
        ab.to_state_partition(call, State, "state", by_name)
        """,
        """\
        class State:
            pass

        @wallaroo.computation(name="closure")
        def closure(data):
            return data, lambda: data.upper()

        @wallaroo.partition
        def by_name(record):
            return record[0]

        @wallaroo.state_computation(name="call")
        def call(record, state):
            return record[1](), True
        """,
    )
    server = serve(text, "--workers", "2", "--dead-letters", "dead")
    with Client(server.address()) as client:
        client.send_frames(*KEYS)
        client.finish()
        client.wait_closed()  # what was not read when a server is told to stop is not processed
    assert server.terminate() == 0
    dead = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
    done = receiver.data.decode().splitlines()
    assert dead
    assert done
    assert len(dead) + len(done) == len(KEYS)
    assert all("pickle" in letter["error"] for letter in dead), dead


def test_mistakes_are_told_once_and_nothing_is_started(serve: Serve) -> None:
    server = serve("import nothing_like_it\n", "--workers", "3", ready=False)
    assert server.wait() == 2
    assert server.stderr.count("No module named") == 1


def test_a_port_in_use_is_told_once(serve: Serve, receiver: Receiver) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "3", inputs=receiver.address, ready=False)
    assert server.wait() == 1
    assert server.stderr.count("can't be listened on") == 1


def on_one_worker(statement: str) -> str:
    """Returns a module that does so for a record, on the worker that has its key."""
    return one_pipeline(
        'ab.to_state_partition(run, S, "s", key)',
        f"""\
        class S:
            pass

        @wallaroo.partition
        def key(data):
            return data

        @wallaroo.state_computation(name="run")
        def run(data, state):
            {statement}
        """,
    )


def test_sys_exit_in_one_worker_ends_the_application_with_its_status(serve: Serve) -> None:
    server = serve(on_one_worker("sys.exit(7)"), "--workers", "3")
    workers = children(server)
    with Client(server.address()) as client:
        client.send_frames("x")
        assert server.wait() == 7
    assert not any(map(is_alive, workers))
    assert server.stderr.count("records in: ") == 3  # each came to its end by itself


def test_an_error_that_stops_one_worker_stops_the_others_in_order(serve: Serve) -> None:
    text = on_one_worker('raise ValueError("no")')
    server = serve(text, "--workers", "3", "--on-error", "stop")
    with Client(server.address()) as client:
        client.send_frames("x")
        assert server.wait() == 1
    assert server.stderr.count("records in: ") == 3, server.describe()


def test_old_start_scripts_with_one_command_for_each_worker(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(COUNT_BY_KEY)
    common = ["--application-module", "app", "--in", "127.0.0.1:0", "--out", receiver.address]
    common += ["--metrics", "127.0.0.1:5001", "--ponythreads=1", "--ponynoblock"]
    first = start(
        *common,
        *("--control", "127.0.0.1:6000", "--data", "127.0.0.1:6001", "--name", "initializer"),
        *("--worker-count", "2", "--cluster-initializer"),
    )
    second = start(*common, "--control", "127.0.0.1:6000", "--name", "worker2")
    first.ready()
    second.wait_stderr("runs all workers")
    with Client(first.address()) as client:
        client.send_frames(*numbered(KEYS, 0, 10))
        processes = check_counts(receiver.wait_lines(10 * len(KEYS)), dict.fromkeys(KEYS, 10))
    assert len(set().union(*processes.values())) == 2
    assert second.process.poll() is None
    assert second.terminate() == 0
    assert first.terminate() == 0


def test_hash_seeds_are_the_same_in_all_workers(serve: Serve, receiver: Receiver) -> None:
    text = one_pipeline(
        """ab.to_parallel(seed)""",
        """\
        import os

        @wallaroo.computation(name="seed")
        def seed(data):
            return f"{hash('seed')} {os.getpid()}"
        """,
    )
    server = serve(text, "--workers", "3")
    with Client(server.address()) as client:
        client.send_frames(*"abcdef")
        lines = [x.split() for x in receiver.wait_lines(6)]
    assert len({seed for seed, _ in lines}) == 1
    assert len({process for _, process in lines}) == 3


@pytest.mark.parametrize("signals", [1, 2])
def test_signals_to_the_whole_group_stop_all(
    receiver: Receiver, tmp_path: Path, signals: int
) -> None:
    (tmp_path / "app.py").write_text(COUNT_BY_KEY)
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(
        [BINARY, "--application-module", "app", "--in", "127.0.0.1:0", "--out", receiver.address]
        + ["--workers", "2"],
        cwd=tmp_path,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        wait_until(lambda: READY in Path(log.name).read_text(), lambda: "readiness")
        for _ in range(signals):
            os.killpg(process.pid, signal.SIGINT)
        status = process.wait(20)
    finally:
        process.kill()
    assert status in ((0,) if signals == 1 else (0, 130, 128 + signal.SIGKILL))
