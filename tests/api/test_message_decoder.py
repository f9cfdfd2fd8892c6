"""A message decoder gets a Kafka message's value and everything else, for Kafka sources only."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import wallaroo
from api_samples import SINK, encode
from wallaroo import KafkaMessage, WallarooParameterError

MESSAGE = KafkaMessage("words", 3, 70, 1_700_000_000_000, b"key", [("trace", b"1"), ("n", None)])


@wallaroo.message_decoder
def with_key(value, message):
    """Pair key and value."""
    return message.key, value


@wallaroo.message_decoder()
def with_parentheses(value, message):
    return value


class ByHand:
    """A message decoder without the decorator."""

    message_class = KafkaMessage

    def decode_message(self, value, message):
        return value


def test_message_is_a_named_tuple_in_the_order_of_the_engine():
    fields = ("topic", "partition", "offset", "timestamp_ms", "key", "headers")
    assert KafkaMessage._fields == fields
    assert tuple(MESSAGE) == tuple(getattr(MESSAGE, field) for field in fields)
    assert KafkaMessage.__doc__
    assert "offset=70" in repr(MESSAGE)


def test_message_pickles():
    assert pickle.loads(pickle.dumps(MESSAGE)) == MESSAGE


@pytest.mark.parametrize("decoder", [with_key, with_parentheses])
def test_decorated_object_holds_the_raw_function_and_the_class(decoder):
    assert isinstance(decoder, wallaroo.MessageDecoder)
    assert decoder.decode_message is decoder.__wrapped__
    assert decoder.message_class is KafkaMessage


def test_decorated_object_is_called_like_the_function():
    assert with_key(b"v", MESSAGE) == (b"key", b"v")
    assert with_key(None, message=MESSAGE) == (b"key", None)
    assert with_key.__doc__ == "Pair key and value."
    assert with_key.__name__ == "with_key"


@pytest.mark.parametrize("function", [lambda value: value, lambda a, b, c: a, lambda: None])
def test_function_must_take_two_arguments(function):
    with pytest.raises(WallarooParameterError, match="must allow 2 arguments"):
        wallaroo.message_decoder(function)


def test_function_may_not_be_async():
    async def decode(value, message):
        return value

    with pytest.raises(WallarooParameterError, match="async"):
        wallaroo.message_decoder(decode)


@pytest.mark.parametrize("argument", [5, "name"])
def test_what_is_no_function_is_refused(argument):
    with pytest.raises(WallarooParameterError, match="message_decoder"):
        wallaroo.message_decoder(argument)


@pytest.mark.parametrize("decoder", [with_key, with_parentheses, ByHand(), ByHand])
def test_kafka_source_takes_it(decoder):
    source = wallaroo.KafkaSourceConfig("words", [("h", "1")], "Warn", decoder)
    assert source.to_tuple()[4] is decoder
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", source.to_tuple())
    assert ab.to_sink(SINK).build()[1][2] == source.to_tuple()


def test_tcp_source_refuses_it():
    with pytest.raises(WallarooParameterError, match="for Kafka sources only"):
        wallaroo.TCPSourceConfig("127.0.0.1", "0", with_key)
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", ("tcp", "h", "0", with_key))
    with pytest.raises(WallarooParameterError, match=r"with_key .*for Kafka sources only"):
        ab.to_sink(SINK).build()


def test_sinks_refuse_it():
    with pytest.raises(WallarooParameterError, match="a MessageDecoder"):
        wallaroo.TCPSinkConfig("127.0.0.1", "1", with_key)
    with pytest.raises(WallarooParameterError, match="a MessageDecoder"):
        wallaroo.KafkaSinkConfig("words", [("h", "1")], "Warn", with_key)


def test_encoder_is_no_message_decoder():
    with pytest.raises(WallarooParameterError, match="is not a decoder"):
        wallaroo.KafkaSourceConfig("words", [("h", "1")], "Warn", encode)


def test_tcp_application_loads_nothing_of_kafka():
    code = (
        "import wallaroo; ab = wallaroo.ApplicationBuilder('a'); "
        "decode = wallaroo.decoder(lambda payload: payload); "
        "encode = wallaroo.encoder(lambda data: data); "
        "ab.new_pipeline('p', wallaroo.TCPSourceConfig('h', '1', decode)); "
        "ab.to_sink(wallaroo.TCPSinkConfig('h', '1', encode)).build(); "
        "loaded = {name for name in sys.modules if 'kafka' in name or name == 'collections'}; "
        "print(sorted(loaded - before)); "
        "print('KafkaSinkConfig' in dir(wallaroo), wallaroo.KafkaSinkConfig.__name__)"
    )
    root = str(Path(wallaroo.__file__).parents[1])
    start = f"import sys; sys.path.insert(0, {root!r}); before = set(sys.modules); "
    done = subprocess.run(
        [sys.executable, "-S", "-c", start + code], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "[]\nTrue KafkaSinkConfig\n"


def test_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'KafkaSorceConfig'"):
        wallaroo.KafkaSorceConfig  # noqa: B018
