"""Work through subjects in several processes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_parallel(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int
) -> Iterator[Result]:
    """Yield ``work(job)`` for each job as it is done; with one worker, in this process.

    Processes are spawned, not forked: image libraries start threads that do not survive a fork.

    Raises:
        Exception: Whatever ``work`` raised; jobs that have not started are then given up.
    """
    count = min(workers, len(jobs))
    if count <= 1:
        yield from map(work, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
