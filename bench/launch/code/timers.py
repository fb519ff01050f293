"""Timers of users' functions: with a setup before each call, and of coroutines."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from bench.launch.timing.turns import Timer

Call = Callable[[], Any]
Prepared = Callable[[], Call]
"""Makes what a call works on, and returns the call."""


def ignore(result: Any) -> None:
    """A function that has returned is done."""


def plain(call: Call) -> Timer:
    """Of a function without arguments."""
    return Timer(call, ignore)


class SetupTimer(Timer):
    """Times calls alone, not what is done before and after each of them.

    Args:
        prepare: The setup; it returns the call that is to be timed.
        after: The teardown.
    """

    def __init__(self, prepare: Prepared, after: Callable[[], None]) -> None:
        super().__init__(self._one, ignore)
        self._prepare, self._after = prepare, after

    def _one(self) -> Any:
        result = self._prepare()()
        self._after()
        return result

    def _block(self, steps: int) -> list[int]:
        clock, spent = self.clock, 0
        for _ in range(steps):
            call = self._prepare()
            start = clock()
            call()
            spent += clock() - start
            self._after()
        return [0, spent]


class AsyncTimer(Timer):
    """Times a coroutine function: all steps of a turn are awaited in one run of the loop."""

    def __init__(self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(lambda: loop.run_until_complete(function()), ignore)
        self._function, self._loop = function, loop

    def _block(self, steps: int) -> list[int]:
        return self._loop.run_until_complete(self._awaited(steps))

    async def _awaited(self, steps: int) -> list[int]:
        clock, function = self.clock, self._function
        start = clock()
        for _ in range(steps):
            await function()
        return [start, clock()]


def with_arguments(function: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Call:
    """A call without arguments; the function itself where it takes none."""
    if not args and not kwargs:
        return function
    return functools.partial(function, *args, **(kwargs or {}))
