"""Signals while the codec works on a large array: handlers run in the middle of it, and Ctrl-C ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from constellm import codec
from constellm.codec import Scheme

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send signals")


@pytest.fixture
def large() -> np.ndarray:
    x = np.random.default_rng(0).laplace(size=(512, 128)).astype(np.float32)
    return np.tile(x, (128, 1))  # 32 MiB


@pytest.mark.parametrize("shape", [(-1, 128), (-1,), (-1, 1)])
def test_handlers_run_in_the_middle_of_a_call_and_may_call_the_codec(large, shape):
    x = large.reshape(shape)
    small = large[:8]
    schemes = [Scheme(), Scheme(sparsify="top-k", keep=0.2, scale="token"), Scheme(bits=None)]
    calm = [codec.encode(x, scheme) for scheme in schemes]
    calm_small = codec.encode(small, schemes[1])
    called = 0

    def handler(signum, frame):
        nonlocal called
        called += 1
        assert codec.encode(small, schemes[1]) == calm_small

    def interrupted(work):
        """What it gives, once handlers ran in its middle; on a fast machine a call may end before they do."""
        nonlocal called
        for _ in range(20):
            called = 0
            found = work()
            if called > 1:  # after a call one handler runs, however many signals came
                return found
        raise AssertionError("no handler ran in the middle of 20 calls")

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for scheme, wanted in zip(schemes, calm):
            data = interrupted(lambda scheme=scheme: codec.encode(x, scheme))
            decoded = interrupted(lambda data=data: codec.decode(data))
            assert data == wanted and decoded.shape == x.shape
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


CHILD = """
import sys
import numpy as np
from constellm import codec

x = np.tile(np.random.default_rng(0).laplace(size=(512, 128)).astype(np.float32), (64, 1))
scheme = codec.Scheme(sparsify="top-k", keep=0.5, bits=8)
data = codec.encode(x, scheme)
decoded = codec.decode(data)
print("ready", flush=True)
ended = 0
for work in (lambda: codec.encode(x, scheme), lambda: codec.decode(data)):
    try:
        while True:
            work()
    except KeyboardInterrupt:
        ended += 1
        print("ended", flush=True)
assert codec.encode(x, scheme) == data and np.array_equal(codec.decode(data), decoded)
print(ended, flush=True)
"""


def test_ctrl_c_ends_a_call_and_leaves_nothing_behind():
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for word in ("ready", "ended"):
            assert child.stdout.readline().strip() == word
            time.sleep(0.2)  # in the middle of some call; whichever it is, the outcome is the same
            child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=300)
    assert rest.split() == ["ended", "2"] and child.returncode == 0
