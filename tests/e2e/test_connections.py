"""Addresses of every kind, and as many connections as come."""

import resource
import socket
from collections.abc import Iterator

import pytest
from harness import Client, NewReceiver, Receiver, Serve, one_pipeline

COUNT = 1000


def ipv6_loopback_works() -> bool:
    """Whether this machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture
def many_files() -> Iterator[None]:
    """Lets this process, and the server that it starts, open enough sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * COUNT
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} open files are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_connections_at_once(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    clients = [Client(server.address()) for _ in range(COUNT)]
    expected = []
    for turn in range(3):
        for number, client in enumerate(clients):
            client.send_frames(f"{number} {turn}a", f"{number} {turn}b")
            expected += [f"{number} {turn}a", f"{number} {turn}b"]
    lines = receiver.wait_lines(6 * COUNT)
    assert sorted(lines) == sorted(expected)
    own: dict[str, list[str]] = {}
    for line in lines:
        number, mark = line.split()
        own.setdefault(number, []).append(mark)
    assert all(marks == ["0a", "0b", "1a", "1b", "2a", "2b"] for marks in own.values())
    for client in clients:
        client.close()
    with Client(server.address()) as last:
        last.send_frames("last")
        assert receiver.wait_lines(6 * COUNT + 1)[-1] == "last"
    assert server.terminate() == 0


def test_connections_come_and_go(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    for number in range(500):
        with Client(server.address()) as client:
            client.send_frames(str(number))
    lines = receiver.wait_lines(500)
    assert sorted(map(int, lines)) == list(range(500))


def test_at_the_limit_of_open_files_clients_wait_for_others_to_go(
    serve: Serve, receiver: Receiver
) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))"
    server = serve(one_pipeline(limit))
    clients = [Client(server.address()) for _ in range(100)]
    for number, client in enumerate(clients):
        client.send_frames(str(number))
    server.wait_stderr("connections wait to be accepted: too many open files")
    for number in range(len(clients)):
        clients[int(receiver.wait_lines(number + 1)[number])].close()
    assert sorted(map(int, receiver.lines)) == list(range(len(clients)))
    assert server.terminate() == 0


@pytest.mark.skipif(not ipv6_loopback_works(), reason="this machine has no ::1")
def test_ipv6_source_and_sink(serve: Serve, new_receiver: NewReceiver) -> None:
    receiver = new_receiver(host="::1")
    text = (
        one_pipeline()
        .replace(
            "ab.to_sink(sink(args, 0, encoder))",
            f'ab.to_sink(wallaroo.TCPSinkConfig("::1", "{receiver.port}", encoder))',
        )
        .replace("source(args, 0, decoder)", 'wallaroo.TCPSourceConfig("::1", "0", decoder)')
    )
    server = serve(text, out="127.0.0.1:1")
    host, port = server.address()
    assert host == "::1"
    with Client(("::1", port)) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]


@pytest.mark.skipif(not ipv6_loopback_works(), reason="this machine has no ::1")
def test_ipv6_addresses_on_the_command_line(serve: Serve, new_receiver: NewReceiver) -> None:
    receiver = new_receiver(host="::1")
    server = serve(one_pipeline(), inputs="[::1]:0", out=receiver)
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]


def test_host_names(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(), inputs="localhost:0", out=f"localhost:{receiver.port}")
    port = server.address()[1]
    with Client(("localhost", port)) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]
    with Client(("127.0.0.1", port)) as client:
        client.send_frames("b")
        assert receiver.wait_lines(2) == ["a", "b"]


def test_all_interfaces(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(), inputs="0.0.0.0:0")
    with Client(("127.0.0.1", server.address()[1])) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]


def test_reset_connection_costs_nothing_else(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as good:
        bad = Client(server.address())
        bad.send_frames("from bad")
        receiver.wait_lines(1)
        bad.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        bad.close()
        good.send_frames("from good")
        assert receiver.wait_lines(2) == ["from bad", "from good"]
