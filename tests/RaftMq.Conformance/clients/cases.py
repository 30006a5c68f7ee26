"""What the Python scripts share: one case per process, its arguments as JSON, its result as one JSON line."""
import json
import os
import sys
import time


class Pace:
    """When each of a stream of records is due: at a rate per second, or at once from when a file is there that says so."""

    def __init__(self, rate, hurry=None):
        self.rate = rate
        self.hurry = hurry
        self.hurries = False
        self.looked = self.start = time.monotonic()

    def is_due(self, number):
        now = time.monotonic()
        if self.hurry is not None and not self.hurries and now - self.looked > 0.1:
            self.looked = now
            self.hurries = os.path.exists(self.hurry)
        return self.hurries or now - self.start >= number / self.rate

    def wait(self, number):
        while not self.is_due(number):
            time.sleep(min(0.05, max(0, number / self.rate - (time.monotonic() - self.start))))


def read_on(member, count, seconds):
    """Lets a group member take records until it has so many different ones, or the time is over, and says how far it is."""
    said = 0
    end = time.monotonic() + seconds
    while len(set(member.taken)) < count and time.monotonic() < end:
        time.sleep(0.02)
        if len(member.taken) // 500 != said:
            said = len(member.taken) // 500
            say("taken %d" % len(member.taken))
    member.close()
    return {"taken": len(member.taken), "distinct": len(set(member.taken)), "errors": sorted(set(member.errors))}


def run(cases):
    """Runs the case named by the first argument with the JSON object in the second one as keyword arguments."""
    result = cases[sys.argv[1]](**json.loads(sys.argv[2]))
    print("result " + json.dumps(result), flush=True)


def say(text):
    """A line that the test waits for."""
    print(text, flush=True)


def body(number, size):
    """Compressible, and different for each number."""
    text = ("record %d " % number).encode()
    return (text * (size // len(text) + 1))[:size]


def until(condition, seconds, step=None):
    """Calls step until the condition holds; fails loudly at the deadline."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("condition not reached within %s s" % seconds)
        if step is not None:
            step()
        else:
            time.sleep(0.02)
