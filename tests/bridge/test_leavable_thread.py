"""A thread that may be at one thing for ever, and what is asked of it meanwhile."""

import gc
from threading import Event
from weakref import ref

from bridge.leavable_thread import LeavableThread


class Work:
    """Something of a size."""

    def __call__(self) -> str:
        return "done"


def test_what_nobody_waits_for_any_more_is_let_go() -> None:
    """Whoever asks again and again behind something that does not end takes no more memory with each attempt."""
    thread, gate = LeavableThread("test"), Event()
    stuck = thread.submit(gate.wait)
    work, other = Work(), Work()
    held = ref(work)
    given_up, awaited = thread.submit(work), thread.submit(other)
    assert given_up.cancel()
    del work
    gc.collect()
    assert held() is None
    gate.set()
    assert (stuck.result(10), awaited.result(10)) == (True, "done")
    thread.end()
    assert thread.join(10)
