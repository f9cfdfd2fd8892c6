"""The keyed running count as an ordinary application; the key is in the message's value too."""

import wallaroo

KEY_BYTES = 7


class Count:
    """How many messages of one key there were."""

    def __init__(self) -> None:
        self.count = 0


@wallaroo.decoder()
def decode(value: bytes) -> bytes:
    """The key, with which the value begins."""
    return value[:KEY_BYTES]


@wallaroo.message_decoder
def decode_message(value: bytes, message: wallaroo.KafkaMessage) -> bytes | None:
    """The message's own key."""
    return message.key


@wallaroo.partition
def by_key(key: bytes) -> bytes:
    """What the decoder found."""
    return key


@wallaroo.state_computation(name="count")
def count(key: bytes, state: Count) -> tuple[tuple[str, bytes], bool]:
    """One more; gives out the message to produce."""
    state.count += 1
    return (str(state.count), key), True


@wallaroo.encoder
def encode(message: tuple[str, bytes]) -> tuple[str, bytes]:
    """It is a value and a key already."""
    return message


def application_setup(args: list[str]) -> list[tuple]:
    """--decoder message: the decoder that gets the whole message."""
    decoder = decode_message if "message" in args else decode
    topic, brokers, log_level = wallaroo.kafka_parse_source_options(args)
    source = wallaroo.KafkaSourceConfig(topic, brokers, log_level, decoder, group=args[-1])
    sink = wallaroo.KafkaSinkConfig(*wallaroo.kafka_parse_sink_options(args), encode)

    builder = wallaroo.ApplicationBuilder("count")
    builder.new_pipeline("main", source)
    builder.to_state_partition(count, Count, "counts", by_key)
    builder.to_sink(sink)
    return builder.build()
