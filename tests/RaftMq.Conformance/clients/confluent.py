"""librdkafka through confluent-kafka (Debian's python3-confluent-kafka): one case per run. See cases.py."""
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition, TIMESTAMP_CREATE_TIME
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

import cases


def producer(bootstrap, **config):
    return Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5, **config})


def consumer(bootstrap, group, **config):
    return Consumer({
        "bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
        "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 100, **config})


class Delivered:
    """What the producer was told about each of its records."""

    def __init__(self):
        self.offsets = []
        self.errors = []

    def __call__(self, error, message):
        if error is not None:
            self.errors.append(error.name())
        else:
            self.offsets.append([message.partition(), message.offset()])


def read_all(bootstrap, topic, count, seconds=30, **config):
    """Reads a topic from its beginning until so many records came, then a little more to see any that should not be there."""
    reader = consumer(bootstrap, "reader-of-" + topic, **config)
    partitions = reader.list_topics(topic, timeout=10).topics[topic].partitions
    reader.assign([TopicPartition(topic, number, 0) for number in partitions])
    found = []
    end = time.monotonic() + seconds
    extra = None
    while time.monotonic() < end and (extra is None or time.monotonic() < extra):
        for message in reader.consume(1000, 0.1):
            if message.error():
                raise KafkaException(message.error())
            found.append(message)
        if len(found) >= count and extra is None:
            extra = time.monotonic() + 0.3
    reader.close()
    return found


def round_trip(bootstrap, topic, count, size, config, reading=None):
    """What is sent with one configuration is read again with another."""
    delivered = Delivered()
    sender = producer(bootstrap, **config)
    for number in range(count):
        sender.produce(topic, cases.body(number, size), key=str(number), on_delivery=delivered)
        sender.poll(0)
    sender.flush(30)
    found = read_all(bootstrap, topic, count, **(reading or {}))
    right = sum(1 for m in found if m.value() == cases.body(int(m.key()), size))
    places = {(m.partition(), m.offset()) for m in found}
    return {
        "delivered": len(delivered.offsets), "errors": delivered.errors, "found": len(found), "right": right,
        "keys": len({m.key() for m in found}), "atReportedOffset": sum(1 for p, o in delivered.offsets if (p, o) in places)}


def untrusted(bootstrap):
    """TLS to nodes whose certificate nobody vouches for."""
    errors = []
    reader = consumer(bootstrap, "untrusting", **{"security.protocol": "ssl", "error_cb": lambda error: errors.append(error.name())})
    cases.until(lambda: "_SSL" in errors, 15, lambda: reader.poll(0.1))
    reader.close()
    return {"errors": sorted(set(errors))}


def shapes(bootstrap, topic):
    """Null and empty keys and values, headers with and without values, a timestamp of the past."""
    sent = [
        (None, b"no key", None), (b"no value", None, None), (b"", b"empty key", None), (b"empty value", b"", None),
        (b"headers", b"v", [("a", b"1"), ("a", b"2"), ("none", None), ("empty", b""), ("bytes", bytes(range(256)))]),
        ("schlüssel".encode(), "größe".encode(), [("ключ", "значение".encode())])]
    sender = producer(bootstrap)
    delivered = Delivered()
    for key, value, headers in sent:
        sender.produce(topic, value, key=key, headers=headers, partition=0, timestamp=1500000000123, on_delivery=delivered)
    sender.flush(20)
    found = sorted(read_all(bootstrap, topic, len(sent)), key=lambda m: m.offset())
    same = [(m.key(), m.value(), m.headers()) == one for m, one in zip(found, sent)]
    return {
        "found": len(found), "same": same, "errors": delivered.errors,
        "timestamps": all(m.timestamp() == (TIMESTAMP_CREATE_TIME, 1500000000123) for m in found)}


class Member:
    """A group member that polls on a thread of its own and commits after each batch, if told to."""

    def __init__(self, bootstrap, group, topic, commit=True, **config):
        self.consumer = consumer(bootstrap, group, **config)
        self.cooperative = config.get("partition.assignment.strategy") == "cooperative-sticky"
        self.owned = set()
        self.assignments = 0
        self.taken = []
        self.errors = []
        self.commit = commit
        self.stopping = False
        self.consumer.subscribe([topic], on_assign=self.assigned, on_revoke=self.revoked)
        self.thread = threading.Thread(target=self.poll)
        self.thread.start()

    def assigned(self, reader, partitions):
        self.assignments += 1
        new = {p.partition for p in partitions}
        self.owned = self.owned | new if self.cooperative else new

    def revoked(self, reader, partitions):
        self.owned = self.owned - {p.partition for p in partitions}

    def poll(self):
        while not self.stopping:
            batch = self.consumer.consume(200, 0.1)
            good = [m for m in batch if not m.error()]
            self.errors += [m.error().name() for m in batch if m.error()]
            self.taken += [(m.partition(), m.offset()) for m in good]
            if good and self.commit:
                self.commit_taken()

    def commit_taken(self):
        """librdkafka itself asks a coordinator that has just taken over twice again, 0.1 s apart, and leaves the rest to its user."""
        give_up = time.monotonic() + 10
        while True:
            try:
                self.consumer.commit(asynchronous=False)
                return
            except KafkaException as wrong:
                name = wrong.args[0].name()
                if name != "COORDINATOR_LOAD_IN_PROGRESS" or time.monotonic() > give_up:
                    self.errors.append(name)
                    return
                time.sleep(0.1)

    def close(self):
        self.stopping = True
        self.thread.join()
        self.consumer.close()


def fill(bootstrap, topic, count, start=0):
    delivered = Delivered()
    sender = producer(bootstrap)
    for number in range(start, start + count):
        sender.produce(topic, b"%d" % number, key=str(number), on_delivery=delivered)
    sender.flush(20)
    return len(delivered.offsets)


def group(bootstrap, topic, group, strategy):
    """One member takes all, a second one shares, leaves again; a later member goes on where they stopped."""
    config = {"partition.assignment.strategy": strategy}
    fill(bootstrap, topic, 200)
    first = Member(bootstrap, group, topic, **config)
    cases.until(lambda: len(first.owned) == 4 and len(first.taken) == 200, 30)
    second = Member(bootstrap, group, topic, **config)
    cases.until(lambda: len(first.owned) == 2 and len(second.owned) == 2 and not first.owned & second.owned, 30)
    fill(bootstrap, topic, 200, 200)
    cases.until(lambda: len(set(first.taken + second.taken)) == 400, 30)
    shared = len(second.taken)
    second.close()
    cases.until(lambda: len(first.owned) == 4, 30)
    fill(bootstrap, topic, 200, 400)
    cases.until(lambda: len(set(first.taken + second.taken)) == 600, 30)
    first.close()
    fill(bootstrap, topic, 100, 600)
    later = Member(bootstrap, group, topic, **config)
    cases.until(lambda: len(later.taken) >= 100, 30)
    time.sleep(0.3)
    later.close()
    return {
        "shared": shared, "twice": len(first.taken + second.taken) - 600, "resumed": len(later.taken),
        "errors": first.errors + second.errors + later.errors}


def static_member(bootstrap, topic, group):
    """A static member that comes back within its session gets its partitions again, and nobody is rebalanced."""
    first = Member(bootstrap, group, topic, **{"group.instance.id": "one", "session.timeout.ms": 20000})
    second = Member(bootstrap, group, topic, **{"group.instance.id": "two", "session.timeout.ms": 20000})
    cases.until(lambda: len(first.owned) == 2 and len(second.owned) == 2 and not first.owned & second.owned, 30)
    time.sleep(0.5)
    before, owned = first.assignments, set(second.owned)
    second.close()
    again = Member(bootstrap, group, topic, **{"group.instance.id": "two", "session.timeout.ms": 20000})
    cases.until(lambda: len(again.owned) == 2, 15)
    time.sleep(1)
    result = {"sameAgain": again.owned == owned, "rebalancesOfOther": first.assignments - before, "errors": first.errors + again.errors}
    first.close()
    again.close()
    return result


def fenced_static(bootstrap, topic, group):
    """A second process with the same static id takes the place; the first one is told and stops."""
    first = Member(bootstrap, group, topic, **{"group.instance.id": "one"})
    cases.until(lambda: len(first.owned) == 4, 30)
    second = Member(bootstrap, group, topic, **{"group.instance.id": "one"})
    cases.until(lambda: len(second.owned) == 4, 30)
    cases.until(lambda: len(first.errors) > 0, 15)
    first.stopping = True
    first.thread.join()
    second.close()
    return {"errors": sorted(set(first.errors))}


def seek(bootstrap, topic):
    """By offset, by time, to the end, and back to the beginning."""
    sender = producer(bootstrap)
    for number in range(100):
        sender.produce(topic, b"%d" % number, partition=0, timestamp=1600000000000 + 1000 * number)
        if number % 10 == 9:
            sender.flush(20)
    reader = consumer(bootstrap, "seeker-of-" + topic)
    reader.assign([TopicPartition(topic, 0, 40)])

    def next_offset():
        got = []
        cases.until(lambda: got, 15, lambda: got.extend(m for m in reader.consume(1, 0.2) if not m.error()))
        return got[0].offset()

    at = {"assigned": next_offset()}
    reader.seek(TopicPartition(topic, 0, 77))
    at["sought"] = next_offset()

    def by_time(timestamp):
        return reader.offsets_for_times([TopicPartition(topic, 0, timestamp)], timeout=10)[0].offset

    at["exact"] = by_time(1600000000000 + 1000 * 55)
    at["between"] = by_time(1600000000000 + 1000 * 55 + 1)
    at["before"] = by_time(1)
    at["after"] = by_time(1900000000000)
    reader.seek(TopicPartition(topic, 0, at["exact"]))
    at["readAtTime"] = next_offset()
    at["marks"] = list(reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10))
    reader.close()
    return at


def administer(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    result = {}

    def outcome(name, futures):
        for future in futures.values():
            try:
                future.result(20)
                result[name] = "ok"
            except KafkaException as wrong:
                result[name] = wrong.args[0].name()

    def config():
        resource = ConfigResource("topic", topic)
        return {k: v.value for k, v in admin.describe_configs([resource])[resource].result(20).items()}

    outcome("create", admin.create_topics([NewTopic(topic, 2, 3, config={"retention.ms": "3600000"})], operation_timeout=20))
    outcome("createAgain", admin.create_topics([NewTopic(topic, 2, 3)], operation_timeout=20))
    outcome("validateOnly", admin.create_topics([NewTopic(topic + "-not", 2, 3)], validate_only=True))
    outcome("badName", admin.create_topics([NewTopic("bad name!", 2, 3)]))
    outcome("badReplication", admin.create_topics([NewTopic(topic + "-wide", 1, 5)]))
    outcome("badConfig", admin.create_topics([NewTopic(topic + "-bad", 1, 3, config={"retention.ms": "soon"})]))
    outcome("compact", admin.create_topics([NewTopic(topic + "-compact", 1, 3, config={"cleanup.policy": "compact"})]))
    described = admin.list_topics(timeout=10).topics
    result["partitions"] = len(described[topic].partitions)
    result["replicas"] = sorted(described[topic].partitions[0].replicas)
    result["notCreated"] = [name for name in described if name.startswith(topic + "-")]
    result["retention"] = config()["retention.ms"]
    outcome("alter", admin.alter_configs([ConfigResource("topic", topic, set_config={"retention.ms": "7200000"})]))
    cases.until(lambda: config()["retention.ms"] == "7200000", 10)
    result["retentionAfter"] = config()["retention.ms"]
    outcome("grow", admin.create_partitions([NewPartitions(topic, 5)], operation_timeout=20))
    outcome("shrink", admin.create_partitions([NewPartitions(topic, 3)], operation_timeout=20))
    cases.until(lambda: len(admin.list_topics(timeout=10).topics[topic].partitions) == 5, 10)
    sender = producer(bootstrap)
    delivered = Delivered()
    for partition in range(5):
        sender.produce(topic, b"x", partition=partition, on_delivery=delivered)
    sender.flush(20)
    result["toAllPartitions"] = len(delivered.offsets)
    result["brokers"] = len(admin.list_topics(timeout=10).brokers)
    outcome("delete", admin.delete_topics([topic], operation_timeout=20))
    outcome("deleteAgain", admin.delete_topics([topic], operation_timeout=20))
    cases.until(lambda: topic not in admin.list_topics(timeout=10).topics, 10)
    return result


def recreate(bootstrap, topic):
    """A topic that is deleted and made again is empty, and takes records from offset 0."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    firsts = []
    for _ in range(3):
        admin.create_topics([NewTopic(topic, 1, 3)], operation_timeout=20)[topic].result(20)
        delivered = Delivered()
        # A plain one may store its records twice where an answer comes late.
        sender = producer(bootstrap, **{"enable.idempotence": True})
        for number in range(20):
            sender.produce(topic, b"%d" % number, on_delivery=delivered)
        sender.flush(20)
        firsts.append([min(o for _, o in delivered.offsets) if delivered.offsets else None, len(delivered.offsets), delivered.errors])
        found = read_all(bootstrap, topic, 20)
        firsts[-1].append(len(found))
        admin.delete_topics([topic], operation_timeout=20)[topic].result(20)
    return {"rounds": firsts}


def too_large(bootstrap, topic):
    """The client lets it through, the broker refuses it, and goes on with the next one."""
    delivered = Delivered()
    sender = producer(bootstrap, **{"message.max.bytes": 10000000, "linger.ms": 0})
    sender.produce(topic, b"x" * (1024 * 1024 - 200), on_delivery=delivered)
    sender.flush(20)
    under = len(delivered.offsets)
    sender.produce(topic, b"x" * (1024 * 1024 + 1), on_delivery=delivered)
    sender.flush(20)
    sender.produce(topic, b"after", on_delivery=delivered)
    sender.flush(20)
    return {"under": under, "errors": delivered.errors, "delivered": len(delivered.offsets)}


def transactional(bootstrap, topic):
    """There are no transactions: the client is told so for good, and soon."""
    sender = producer(bootstrap, **{"transactional.id": "tx-" + topic})
    start = time.monotonic()
    try:
        sender.init_transactions(15)
        return {"error": None}
    except KafkaException as wrong:
        error = wrong.args[0]
        return {"error": error.name(), "retriable": error.retriable(), "fatal": error.fatal(), "seconds": time.monotonic() - start,
                "text": error.str()}


def produce_stream(bootstrap, topic, count, rate, idempotent, hurry=None):
    """Sends at a steady rate, or once the file of hurry is there as fast as it can, and says how far it is, while the test does things to the cluster."""
    delivered = Delivered()
    sender = producer(bootstrap, **{"enable.idempotence": idempotent, "message.timeout.ms": 60000})
    start = time.monotonic()
    said = last = 0
    gap = 0.0
    moved = start
    pace = cases.Pace(rate, hurry)
    for number in range(count):
        while True:
            sender.poll(0)
            if len(delivered.offsets) != last:
                gap = max(gap, time.monotonic() - moved)
                last, moved = len(delivered.offsets), time.monotonic()
                if last // 500 != said:
                    said = last // 500
                    cases.say("acknowledged %d" % last)
            if pace.is_due(number):
                break
            sender.poll(0.001)
        sender.produce(topic, b"%d" % number, key=str(number), on_delivery=delivered)
    while sender.flush(0.1) > 0 and time.monotonic() - start < count / rate + 70:
        pass
    gap = max(gap, time.monotonic() - moved) if len(delivered.offsets) != last else gap
    found = read_all(bootstrap, topic, count)
    places = {(m.partition(), m.offset()): m.value() for m in found}
    per_partition = {}
    for m in sorted(found, key=lambda m: m.offset()):
        per_partition.setdefault(m.partition(), []).append(int(m.value()))
    return {
        "delivered": len(delivered.offsets), "errors": sorted(set(delivered.errors)), "found": len(found),
        "distinct": len({m.value() for m in found}), "atReportedOffset": sum(1 for p, o in delivered.offsets if (p, o) in places),
        "inOrder": all(numbers == sorted(numbers) for numbers in per_partition.values()), "longestGapMs": int(gap * 1000)}


def consume_stream(bootstrap, topic, group, count, seconds):
    """A group member that reads on while the test does things to the cluster."""
    return cases.read_on(Member(bootstrap, group, topic), count, seconds)


def produce_one(bootstrap, topic, seconds):
    """One record, and what became of it."""
    delivered = Delivered()
    sender = producer(bootstrap, **{"message.timeout.ms": int(seconds * 1000), "request.timeout.ms": 1000})
    start = time.monotonic()
    sender.produce(topic, b"one", partition=0, on_delivery=delivered)
    sender.flush(seconds + 10)
    return {"delivered": len(delivered.offsets), "errors": delivered.errors, "seconds": time.monotonic() - start}


def auto_create(bootstrap, topic):
    """Nobody created it: a producer's first record does."""
    delivered = Delivered()
    sender = producer(bootstrap)
    sender.produce(topic, b"first", on_delivery=delivered)
    sender.flush(30)
    described = sender.list_topics(topic, timeout=10).topics[topic]
    return {"delivered": len(delivered.offsets), "errors": delivered.errors, "partitions": len(described.partitions),
            "replicas": len(described.partitions[0].replicas)}


def unknown_topic(bootstrap, topic):
    """A consumer does not create what it asks for."""
    reader = consumer(bootstrap, "curious", **{"allow.auto.create.topics": False})
    reader.subscribe([topic])
    errors = []
    cases.until(lambda: errors, 15, lambda: errors.extend(m.error().name() for m in reader.consume(10, 0.2) if m.error()))
    exists = topic in reader.list_topics(timeout=10).topics
    reader.close()
    return {"error": errors[0], "exists": exists}


def out_of_range(bootstrap, topic):
    """An offset past the end, with reset to the earliest and with none."""
    fill(bootstrap, topic, 10)
    reader = consumer(bootstrap, "far", **{"auto.offset.reset": "error"})
    reader.assign([TopicPartition(topic, 0, 1000000)])
    errors = []
    cases.until(lambda: errors, 15, lambda: errors.extend(m.error().name() for m in reader.consume(10, 0.2) if m.error()))
    reader.close()
    return {"error": errors[0]}


cases.run({name: case for name, case in list(globals().items()) if callable(case)})
