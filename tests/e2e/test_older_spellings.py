"""Applications in the spellings of older versions load and run."""

from harness import Client, Receiver, Serve, one_pipeline

CLASSES = """\
import struct
import wallaroo


class Decoder(object):
    def header_length(self):
        return 4

    def payload_length(self, bs):
        return struct.unpack(">I", bs)[0]

    def decode(self, bs):
        return bs.decode("utf-8")


class Encoder(object):
    def encode(self, data):
        return data + "\\n"


class Split(object):
    def name(self):
        return "split"

    def compute_multi(self, data):
        return data.split()


class Counts(object):
    def __init__(self):
        self.count = 0


class CountsBuilder(object):
    def build(self):
        return Counts()


class AddOne(object):
    def name(self):
        return "add one"

    def compute(self, data, state):
        state.count += 1
        return ("%s %d" % (data, state.count), True)


class FirstLetter(object):
    def partition(self, data):
        return data[0]


"""
ADDRESSES = """\
def application_setup(args):
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]
"""


def test_classes_with_methods_in_a_hand_made_list(serve: Serve, receiver: Receiver) -> None:
    text = (
        CLASSES
        + ADDRESSES
        + """\
    return [
        ("name", "old"),
        ("new_pipeline", "main", ("tcp", in_host, in_port, Decoder())),
        ("to", Split()),
        ("to_state_partition", AddOne(), CountsBuilder(), "counts", FirstLetter(), ["a", "b"]),
        ("to_sink", ("tcp", out_host, out_port, Encoder())),
    ]
"""
    )
    server = serve(text)
    with Client(server.address()) as client:
        client.send_frames("a b ab", "b")
        assert receiver.wait_lines(4) == ["a 1", "b 1", "ab 2", "b 2"]


def test_classes_in_place_of_objects(serve: Serve, receiver: Receiver) -> None:
    text = (
        CLASSES
        + ADDRESSES
        + """\
    return [
        ("name", "old"),
        ("new_pipeline", "main", ("tcp", in_host, in_port, Decoder)),
        ("to_parallel", Split),
        ("to_stateful", AddOne, Counts, "counts"),
        ("to_sinks", [("tcp", out_host, out_port, Encoder)]),
        ("done",),
    ]
"""
    )
    server = serve(text)
    with Client(server.address()) as client:
        client.send_frames("a b")
        assert receiver.wait_lines(2) == ["a 1", "b 2"]


def test_builder_takes_duck_typed_objects(serve: Serve, receiver: Receiver) -> None:
    text = (
        CLASSES
        + ADDRESSES
        + """\
    ab = wallaroo.ApplicationBuilder("old")
    ab.new_pipeline("main", wallaroo.TCPSourceConfig(in_host, in_port, Decoder()))
    ab.to(Split())
    ab.to_state_partition(AddOne(), Counts, "counts", FirstLetter(), ["a", "b"])
    ab.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, Encoder()))
    return ab.build()
"""
    )
    server = serve(text)
    with Client(server.address()) as client:
        client.send_frames("a b")
        assert receiver.wait_lines(2) == ["a 1", "b 1"]


def test_object_with_hidden_build_method_is_a_state_builder(
    serve: Serve, receiver: Receiver
) -> None:
    text = (
        CLASSES
        + ADDRESSES
        + """\
    class Builder:
        def ____wallaroo_build____(self):
            return Counts()

    return [
        ("name", "old"),
        ("new_pipeline", "main", ("tcp", in_host, int(in_port), Decoder())),
        ("to_stateful", AddOne(), Builder(), "counts"),
        ("to_sink", ("tcp", out_host, int(out_port), Encoder())),
    ]
"""
    )
    server = serve(text)
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        assert receiver.wait_lines(2) == ["a 1", "b 2"]


def test_computation_without_a_name_runs(serve: Serve, receiver: Receiver) -> None:
    text = (
        CLASSES
        + ADDRESSES
        + """\
    class Nameless:
        def compute(self, data):
            return data + "!"

    return [
        ("name", "old"),
        ("new_pipeline", "main", ("tcp", in_host, in_port, Decoder())),
        ("to", Nameless()),
        ("to_sink", ("tcp", out_host, out_port, Encoder())),
    ]
"""
    )
    server = serve(text)
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a!"]


def test_equal_builders_of_one_state_name(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    class Builder:
        def build(self):
            return {}

    class Factory:
        def make(self):
            return {}

    factory = Factory()

    @wallaroo.state_computation(name="put")
    def put(data, state):
        state[data] = True
        return data, True

    @wallaroo.state_computation(name="size")
    def size(data, state):
        return f"{data}{len(state)}", True
    """
    steps = """\
    ab.to_stateful(put, Builder(), "s").to_stateful(size, Builder(), "s")
    ab.to_stateful(put, factory.make, "t").to_stateful(size, factory.make, "t")
    """
    server = serve(one_pipeline(steps, defs))
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a11"]
        client.send_frames("b")
        assert receiver.wait_lines(2) == ["a11", "b22"]


def test_pony_era_command_line(serve: Serve, receiver: Receiver) -> None:
    text = (
        CLASSES
        + ADDRESSES
        + """\
    print("args", args[1:])
    ab = wallaroo.ApplicationBuilder("old")
    ab.new_pipeline("main", wallaroo.TCPSourceConfig(in_host, in_port, Decoder()))
    ab.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, Encoder()))
    return ab.build()
"""
    )
    server = serve(
        text,
        *("--metrics", "127.0.0.1:5001", "--control", "127.0.0.1:6000", "-d", "127.0.0.1:6001"),
        *("--external", "127.0.0.1:5050", "--cluster-initializer", "-n", "worker", "-w", "1"),
        *("--ponythreads=1", "--ponynoblock", "--ponypinasio"),
        *("--stop-pause", "2_000_000_000", "--log-rotation", "-l", "100_000"),
    )
    assert "5001" not in server.stdout and "pony" not in server.stdout
    assert "worker" not in server.stdout and "2_000" not in server.stdout
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]
