#!/usr/bin/env python3
"""Write the binary samples and the expected outputs of the examples beside this file.

The expected outputs are computed here a second time, in another way than the applications do it,
so that the two check each other. Text samples are written by hand and only read here.

    apps/make_samples.py            write the files
    apps/make_samples.py --check    exit 1 and name the files that differ from what would be written
"""

import argparse
import json
import re
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

APPS = Path(__file__).parent
VOTES_COUNT = 260
VOTES_MAX = 2**32 - 1
CELSIUS = ["-273.15", "-40", "-17.75", "0", "4", "10", "20.5", "36.6", "37", "56.7", "100", "1538"]


def frame(payload: bytes) -> bytes:
    """`payload` behind its length as an unsigned 32-bit big-endian integer."""
    return len(payload).to_bytes(4, "big") + payload


def lines(*path: str) -> list[str]:
    """The lines of a hand-written sample."""
    return APPS.joinpath(*path).read_text(encoding="utf-8").splitlines()


def text(output: Iterable[str]) -> bytes:
    """Each string as one line of UTF-8."""
    return "".join(f"{line}\n" for line in output).encode()


def reversed_lines() -> Iterator[str]:
    for line in lines("reverse", "sample.txt"):
        characters = list(line)
        characters.reverse()
        yield "".join(characters)


def celsius_frames() -> bytes:
    return b"".join(frame(struct.pack(">f", float(celsius))) for celsius in CELSIUS)


def fahrenheit_lines() -> Iterator[str]:
    for celsius in CELSIUS:
        fahrenheit = Decimal(celsius) * 9 / 5 + 32
        yield str(fahrenheit.quantize(Decimal("0.01"), ROUND_HALF_UP))


def votes() -> Iterator[tuple[int, int]]:
    """(position in the alphabet, votes): every letter ten times, some with as many as fit."""
    for i in range(VOTES_COUNT):
        yield i * 7 % 26, VOTES_MAX if i % 13 == 0 else i * i % 101


def vote_frames() -> bytes:
    return b"".join(frame(b"%c" % (97 + at) + count.to_bytes(4, "big")) for at, count in votes())


def total_frames() -> bytes:
    seen = list(votes())
    totals = (
        (at, sum(count for other, count in seen[: i + 1] if other == at))
        for i, (at, _) in enumerate(seen)
    )
    return b"".join(frame(b"%c" % (97 + at) + total.to_bytes(8, "big")) for at, total in totals)


def words(line: str) -> list[str]:
    """The words of a line, found character by character."""
    spaced = "".join(c if c.isalnum() or c == "'" else " " for c in line.lower())
    return [word.strip("'") for word in spaced.split() if word.strip("'")]


def word_count_lines() -> Iterator[str]:
    seen: list[str] = []
    for line in lines("word_count", "sample.txt"):
        for word in words(line):
            seen.append(word)
            yield f"{word} => {seen.count(word)}"


def tags(message: str) -> dict[str, str]:
    """`"35=S|55=ACME"` to `{"35": "S", "55": "ACME"}`."""
    fields = (field.partition("=") for field in message.split("|"))
    return {tag: value for tag, _, value in fields}


def rejection_lines() -> Iterator[str]:
    """All quotes come before all orders."""
    quotes = {quote["55"]: quote for quote in map(tags, lines("market_spread", "quotes.txt"))}
    for order in map(tags, lines("market_spread", "orders.txt")):
        rejection = f"35=8|11={order['11']}|55={order['55']}|39=8|58="
        quote = quotes.get(order["55"])
        if quote is None:
            yield f"{rejection}no quote yet"
            continue
        bid, offer = Decimal(quote["132"]), Decimal(quote["133"])
        percent = 200 * (offer - bid) / (offer + bid)
        if percent > 5:
            yield f"{rejection}spread is {percent.quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def word_count_messages() -> Iterator[str]:
    """Lines of `word:{"word": ..., "count": ...}`."""
    seen: Counter[str] = Counter()
    for line in lines("word_count_kafka", "sample.txt"):
        for word in words(json.loads(line)["text"]):
            seen[word] += 1
            yield f'{word}:{{"word": "{word}", "count": {seen[word]}}}'


def keyed_numbers(app: str) -> Iterator[tuple[str, Decimal]]:
    """The `sensor:number` lines of a sample."""
    for line in lines(app, "sample.txt"):
        sensor, _, number = line.partition(":")
        yield sensor, Decimal(number)


def fahrenheit_messages() -> Iterator[str]:
    for sensor, celsius in keyed_numbers("celsius_kafka"):
        fahrenheit = float(celsius * 9 / 5 + 32)
        yield f'{sensor}:{{"sensor": "{sensor}", "fahrenheit": {fahrenheit}}}'


def alert_lines() -> Iterator[str]:
    hot: set[str] = set()
    for sensor, celsius in keyed_numbers("alerts"):
        if celsius > 100 and sensor not in hot:
            hot.add(sensor)
            yield f"{sensor}: {celsius:.1f}, too hot"
        if celsius <= 100 and sensor in hot:
            hot.remove(sensor)
            yield f"{sensor}: {celsius:.1f}, well again"


def order_rows() -> Iterator[str]:
    for line in lines("orders_to_postgres", "sample.txt"):
        yield line.replace(",", "\t")


def customer_rows() -> Iterator[str]:
    orders = [line.split(",") for line in lines("orders_to_postgres", "sample.txt")]
    for name in sorted({order[1] for order in orders}):
        spent = [int(x[3]) * int(x[4]) for x in orders if x[1] == name]
        yield f"{name}\t{len(spent)}\t{sum(spent)}"


def minute_lines() -> Iterator[str]:
    """Group all readings by minute; only the one that comes hours late is left out."""
    minutes: dict[tuple[str, str], list[Decimal]] = {}
    for line in lines("minutes", "sample.txt"):
        sensor, time, celsius = line.split(",")
        if celsius != "99.9":
            minutes.setdefault((sensor, time[:16].replace("T", " ")), []).append(Decimal(celsius))
    for (sensor, minute), values in sorted(minutes.items()):
        mean = (sum(values) / len(values)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        yield f"{minute} {sensor} {mean} of {len(values)}"


def hour_lines() -> Iterator[str]:
    """Group all measurements by gauge and hour; only the one that comes hours late is left out."""
    hours: dict[tuple[str, str], list[Decimal]] = {}
    for line in lines("rainfall", "sample.txt"):
        gauge, time, mm = line.split(",")
        if mm != "99.9":
            hours.setdefault((time[:13].replace("T", " "), gauge), []).append(Decimal(mm))
    for (hour, gauge), values in sorted(hours.items()):
        yield f"{hour}:00 {gauge} {sum(values)} mm"


def session_lines() -> Iterator[str]:
    """Cut the whole history of each user at the logouts."""
    histories: dict[str, str] = {}
    for path in sorted((APPS / "logins" / "logs").glob("*.log")):
        for time, user, action in re.findall(r"(?m)^(\d\S+) (\S+) (\S+)$", path.read_text()):
            histories[user] = f"{histories.get(user, '')}{time} {action}, "
    for user, history in histories.items():
        for session in re.findall(r"(.*?logout), ", history):
            yield f"{user}: {session}"


def total_messages() -> Iterator[str]:
    payments = [json.loads(line) for line in lines("spending_kafka", "sample.txt")]
    for n, payment in enumerate(payments, 1):
        customer = payment["customer"]
        total = sum(each["cents"] for each in payments[:n] if each["customer"] == customer)
        yield f"{customer}:{json.dumps({'customer': customer, 'total': total})}"


def record_rows() -> Iterator[str]:
    """Walk all the way, then look which steps were the first to reach their distance."""
    for walker in ("ann", "ben", "cat", "dan"):
        random, places = sum(map(ord, walker)), [0]
        for _ in range(1000):
            random = (random * 1103515245 + 12345) & 0x7FFFFFFF
            places.append(places[-1] + (1, -1)[random & 0x10000 == 0])
        first = {abs(place): step for step, place in reversed(list(enumerate(places)))}
        yield from (f"{walker}|{first[d]}|{places[first[d]]}" for d in sorted(first) if d)


def samples() -> dict[Path, bytes]:
    """Every generated file with its content."""
    return {
        APPS / "reverse" / "expected.txt": text(reversed_lines()),
        APPS / "celsius" / "sample.framed": celsius_frames(),
        APPS / "celsius" / "expected.txt": text(fahrenheit_lines()),
        APPS / "alphabet" / "sample.framed": vote_frames(),
        APPS / "alphabet" / "expected.framed": total_frames(),
        APPS / "alphabet_partitioned" / "sample.framed": vote_frames(),
        APPS / "alphabet_partitioned" / "expected.framed": total_frames(),
        APPS / "word_count" / "expected.txt": text(word_count_lines()),
        APPS / "market_spread" / "expected.txt": text(rejection_lines()),
        APPS / "word_count_kafka" / "expected.txt": text(word_count_messages()),
        APPS / "celsius_kafka" / "expected.txt": text(fahrenheit_messages()),
        APPS / "alerts" / "expected.txt": text(alert_lines()),
        APPS / "orders_to_postgres" / "expected_orders.txt": text(order_rows()),
        APPS / "orders_to_postgres" / "expected_customers.txt": text(customer_rows()),
        APPS / "minutes" / "expected.txt": text(minute_lines()),
        APPS / "rainfall" / "expected.txt": text(hour_lines()),
        APPS / "logins" / "expected.txt": text(session_lines()),
        APPS / "spending_kafka" / "expected.txt": text(total_messages()),
        APPS / "walkers" / "expected.txt": text(record_rows()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args().check
    differing = 0
    for path, content in samples().items():
        if path.exists() and path.read_bytes() == content:
            continue
        differing += 1
        print(f"{'differs' if check else 'wrote'}: {path.relative_to(APPS)}")
        if not check:
            path.write_bytes(content)
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
