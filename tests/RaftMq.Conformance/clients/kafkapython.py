"""kafka-python (Debian's python3-kafka), which has its own protocol code: one case per run. See cases.py."""
import ssl
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import KafkaError

import cases


def servers(bootstrap):
    return bootstrap.split(",")


def consumer(bootstrap, group=None, **config):
    return KafkaConsumer(bootstrap_servers=servers(bootstrap), group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
                         session_timeout_ms=6000, heartbeat_interval_ms=500, fetch_max_wait_ms=100, **config)


def tls(authority):
    """The settings that encrypt, or none where no authority is given."""
    return {"security_protocol": "SSL", "ssl_cafile": authority} if authority else {}


def read_all(bootstrap, topic, count, seconds=30, **config):
    reader = consumer(bootstrap, **config)
    partitions = []
    cases.until(lambda: partitions, 15, lambda: partitions.extend(reader.partitions_for_topic(topic) or []))
    reader.assign([TopicPartition(topic, number) for number in partitions])
    reader.seek_to_beginning()
    found = []
    end = time.monotonic() + seconds
    extra = None
    while time.monotonic() < end and (extra is None or time.monotonic() < extra):
        for batch in reader.poll(100).values():
            found.extend(batch)
        if len(found) >= count and extra is None:
            extra = time.monotonic() + 0.3
    reader.close()
    return found


def round_trip(bootstrap, topic, count, size, compression, authority=None):
    sender = KafkaProducer(bootstrap_servers=servers(bootstrap), acks="all", compression_type=compression, linger_ms=5, **tls(authority))
    sent = [sender.send(topic, cases.body(number, size), str(number).encode(), headers=[("n", b"%d" % number)]) for number in range(count)]
    sender.flush(30)
    places = {(f.get(1).partition, f.get(1).offset) for f in sent}
    sender.close()
    found = read_all(bootstrap, topic, count, **tls(authority))
    right = sum(1 for m in found if m.value == cases.body(int(m.key), size) and m.headers == [("n", m.key)])
    return {"delivered": len(places), "found": len(found), "right": right, "keys": len({m.key for m in found}),
            "atReportedOffset": sum(1 for m in found if (m.partition, m.offset) in places)}


def untrusted(bootstrap):
    """TLS to nodes whose certificate nobody vouches for."""
    try:
        consumer(bootstrap, security_protocol="SSL", api_version_auto_timeout_ms=3000).close()
        return {"error": None}
    except ssl.SSLCertVerificationError as refused:
        return {"error": type(refused).__name__}


class Member:
    """A group member that polls and commits on a thread of its own."""

    def __init__(self, bootstrap, group, topic):
        self.consumer = consumer(bootstrap, group)
        self.owned = set()
        self.taken = []
        self.errors = []
        self.stopping = False
        self.consumer.subscribe([topic])
        self.thread = threading.Thread(target=self.poll)
        self.thread.start()

    def poll(self):
        while not self.stopping:
            try:
                batches = self.consumer.poll(50)
                self.owned = {place.partition for place in self.consumer.assignment()}
                self.taken += [(m.partition, m.offset) for batch in batches.values() for m in batch]
                if batches:
                    self.consumer.commit()
            except KafkaError as wrong:
                self.errors.append(type(wrong).__name__)

    def close(self):
        self.stopping = True
        self.thread.join()
        self.consumer.close()


def group(bootstrap, topic, group):
    """One member takes all, a second one shares and leaves, the first takes all again; a later one goes on where it stopped."""
    sender = KafkaProducer(bootstrap_servers=servers(bootstrap), acks="all")

    def fill(count):
        for number in range(count):
            sender.send(topic, b"%d" % number, str(number).encode())
        sender.flush(20)

    fill(200)
    first = Member(bootstrap, group, topic)
    cases.until(lambda: len(first.owned) == 4 and len(first.taken) == 200, 30)
    second = Member(bootstrap, group, topic)
    cases.until(lambda: len(first.owned) == 2 and len(second.owned) == 2 and not first.owned & second.owned, 30)
    fill(100)
    cases.until(lambda: len(set(first.taken + second.taken)) == 300, 30)
    shared = len(second.taken)
    second.close()
    cases.until(lambda: len(first.owned) == 4, 30)
    fill(100)
    cases.until(lambda: len(set(first.taken + second.taken)) == 400, 30)
    first.close()
    fill(100)
    later = Member(bootstrap, group, topic)
    cases.until(lambda: len(later.taken) >= 100, 30)
    later.close()
    admin = KafkaAdminClient(bootstrap_servers=servers(bootstrap))
    described = admin.describe_consumer_groups([group])[0]
    offsets = admin.list_consumer_group_offsets(group)
    listed = [name for name, _ in admin.list_consumer_groups() if name == group]
    deleted = [str(error.__name__) for _, error in admin.delete_consumer_groups([group])]
    return {"shared": shared, "resumed": len(later.taken), "state": described.state, "committed": sum(o.offset for o in offsets.values()),
            "listed": listed, "deleted": deleted, "listedAfter": [name for name, _ in admin.list_consumer_groups() if name == group]}


def administer(bootstrap, topic):
    admin = KafkaAdminClient(bootstrap_servers=servers(bootstrap))
    result = {}

    def outcome(name, call):
        try:
            call()
            result[name] = "ok"
        except KafkaError as wrong:
            result[name] = type(wrong).__name__

    def config():
        answers = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}

    outcome("create", lambda: admin.create_topics([NewTopic(topic, 2, 3, topic_configs={"retention.ms": "3600000"})], timeout_ms=20000))
    outcome("createAgain", lambda: admin.create_topics([NewTopic(topic, 2, 3)], timeout_ms=20000))
    result["partitions"] = len(admin.describe_topics([topic])[0]["partitions"])
    result["retention"] = config()["retention.ms"]
    outcome("alter", lambda: admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "7200000"})]))
    cases.until(lambda: config()["retention.ms"] == "7200000", 10)
    outcome("grow", lambda: admin.create_partitions({topic: NewPartitions(4)}, timeout_ms=20000))
    cases.until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 4, 10)
    outcome("delete", lambda: admin.delete_topics([topic], timeout_ms=20000))
    cases.until(lambda: topic not in admin.list_topics(), 10)
    outcome("deleteAgain", lambda: admin.delete_topics([topic], timeout_ms=20000))
    return result


def seek(bootstrap, topic):
    sender = KafkaProducer(bootstrap_servers=servers(bootstrap), acks="all")
    for number in range(100):
        sender.send(topic, b"%d" % number, partition=0, timestamp_ms=1600000000000 + 1000 * number)
        if number % 10 == 9:
            sender.flush(20)
    reader = consumer(bootstrap)
    place = TopicPartition(topic, 0)
    reader.assign([place])

    def first_from(move):
        move()
        got = []
        cases.until(lambda: got, 15, lambda: got.extend(m for batch in reader.poll(200).values() for m in batch))
        return got[0].offset

    at = {
        "sought": first_from(lambda: reader.seek(place, 77)),
        "beginning": first_from(lambda: reader.seek_to_beginning(place)),
        "exact": reader.offsets_for_times({place: 1600000000000 + 1000 * 55})[place].offset,
        "between": reader.offsets_for_times({place: 1600000000000 + 1000 * 55 + 1})[place].offset,
        "after": reader.offsets_for_times({place: 1900000000000})[place],
        "marks": [reader.beginning_offsets([place])[place], reader.end_offsets([place])[place]]}
    reader.close()
    return at


def too_large(bootstrap, topic):
    sender = KafkaProducer(bootstrap_servers=servers(bootstrap), acks="all", max_request_size=10000000)
    try:
        sender.send(topic, b"x" * (1024 * 1024 + 1)).get(20)
        error = None
    except KafkaError as wrong:
        error = type(wrong).__name__
    return {"error": error, "after": sender.send(topic, b"after").get(20).offset >= 0}


def produce_stream(bootstrap, topic, count, rate, hurry=None):
    """Not idempotent, so a retry may store a record twice; none may be missing. Once the file of hurry is there, the rest is not paced."""
    sender = KafkaProducer(bootstrap_servers=servers(bootstrap), acks="all", retries=100, retry_backoff_ms=50, linger_ms=5,
                           request_timeout_ms=10000, max_in_flight_requests_per_connection=1)
    pace = cases.Pace(rate, hurry)
    sent = []
    said = done = 0
    for number in range(count):
        pace.wait(number)
        sent.append(sender.send(topic, b"%d" % number, str(number).encode()))
        while done < len(sent) and sent[done].is_done:
            done += 1
        if done // 500 != said:
            said = done // 500
            cases.say("acknowledged %d" % done)
    sender.flush(60)
    errors = sorted({type(f.exception).__name__ for f in sent if f.failed()})
    places = [(f.value.partition, f.value.offset, b"%d" % number) for number, f in enumerate(sent) if f.succeeded()]
    sender.close()
    found = read_all(bootstrap, topic, count)
    at = {(m.partition, m.offset): m.value for m in found}
    return {"delivered": len(places), "errors": errors, "found": len(found), "distinct": len({m.value for m in found}),
            "atReportedOffset": sum(1 for p, o, value in places if at.get((p, o)) == value)}


def consume_stream(bootstrap, topic, group, count, seconds):
    """A group member that reads on while the test does things to the cluster."""
    return cases.read_on(Member(bootstrap, group, topic), count, seconds)


cases.run({name: case for name, case in list(globals().items()) if callable(case)})
