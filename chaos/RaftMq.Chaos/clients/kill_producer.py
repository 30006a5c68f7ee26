"""Produces the Debian package index with idempotence through librdkafka and writes down what it was told about each record.

Arguments: bootstrap, topic, file with the index, file for the history, file that must exist before the second half is sent, count.
Lines on standard output: "acknowledged third", "acknowledged two thirds", and a last "result {json}". The history has one line per record:
number, time of the send and of the answer (monotonic clock, ns), partition, offset, SHA-256 of key, a zero byte and the value.
"""
import hashlib
import json
import os
import sys
import time

from confluent_kafka import Producer

# Sent and not acknowledged; what the issue calls in flight is counted from this.
WINDOW = 5000

bootstrap, topic, source, history, gate, limit = sys.argv[1:7]
with open(source, "rb") as index:
    records = [text for text in index.read().split(b"\n\n") if text.strip()][:int(limit)]
records = [(text.split(b"\n", 1)[0].split(b": ", 1)[1], text) for text in records]
total = len(records)
sent = [0] * total
told = [None] * total
acknowledged = 0
errors = []
milestones = [(total // 3, "third"), (2 * total // 3, "two thirds")]


def delivered(number):
    def callback(error, message):
        global acknowledged
        if error is not None:
            errors.append(error.str())
            return
        told[number] = (time.monotonic_ns(), message.partition(), message.offset())
        acknowledged += 1
        while milestones and acknowledged >= milestones[0][0]:
            print("acknowledged " + milestones.pop(0)[1], flush=True)
    return callback


producer = Producer({
    "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 50, "message.timeout.ms": 60000,
    "queue.buffering.max.messages": 1000000})
gone_on = False
for number, (key, value) in enumerate(records):
    while number - acknowledged - len(errors) >= WINDOW:
        producer.poll(0.01)
    if number >= total // 3 and number % 100 == 0 and not gone_on:
        # Slower until the first kill is over, or a busy machine would kill when nothing is in flight any more.
        producer.poll(0.005)
        gone_on = os.path.exists(gate)
    while number >= total // 2 and not gone_on:
        producer.poll(0.01)
        gone_on = os.path.exists(gate)
    sent[number] = time.monotonic_ns()
    producer.produce(topic, value, key=key, on_delivery=delivered(number))
    producer.poll(0)
left = producer.flush(70)
with open(history, "w") as out:
    for number, (key, value) in enumerate(records):
        if told[number] is not None:
            at, partition, offset = told[number]
            digest = hashlib.sha256(key + b"\0" + value).hexdigest()
            out.write("%d %d %d %d %d %s\n" % (number, sent[number], at, partition, offset, digest))
        else:
            out.write("%d %d -1 -1 -1 -\n" % (number, sent[number]))
print("result " + json.dumps({"records": total, "acknowledged": acknowledged, "errors": sorted(set(errors)), "left": left}), flush=True)
