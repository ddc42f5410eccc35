"""Work through items in several processes: the one pool of all stages.

Processes are spawned, not forked: a forked child inherits the locks of threads that vtk, itk and
torch have started, and waits for them forever.

Workers get all items when they start, and then numbers alone. In Python before 3.11.5 and 3.12 a
pool whose worker ends while an item of more than 64 KiB is on its way waits forever
(github.com/python/cpython/issues/94777).
"""

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn, TypeVar

from massm.machine.threads import limited_threads

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 2  # so many items are done here: a process takes seconds to start and to import its libraries
_GRACE_S = 1.0  # for a worker to remove its half-written file
_ONE_THREAD = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "VTK_SMP_MAX_THREADS"),
)


def in_processes(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    name: Callable[[Item], str] = str,
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with ``work(item)``, in the order in which they are ready.

    With one worker or few items all is done in this process, by as many threads as there may be
    workers; else in no more processes than there are items, by one thread each. An interruption,
    an error or the end of this process (however it ends) ends the workers within a second.

    Args:
        work: Defined at the top of a module (or a ``partial`` of such), so that another process
            can import it.
        items: What it is called with; can be pickled. Every process gets all of them.
        workers: Most processes.
        name: Names an item, for errors.

    Raises:
        Exception: Whatever ``work`` raised, with a note that names the item. An error that cannot
            be sent between processes becomes a ``RuntimeError``.
        ChildProcessError: If a worker died, for want of memory say.
    """
    count = min(workers, len(items))
    if count > 1 and len(items) > FEW:
        yield from _spread(work, items, count, name)
        return
    for item in items:
        with _naming(name(item)), limited_threads(max(1, workers)):
            result = work(item)
        yield item, result


def _spread(
    work: Callable[[Item], Result], items: Sequence[Item], count: int, name: Callable[[Item], str]
) -> Iterator[tuple[Item, Result]]:
    context = multiprocessing.get_context("spawn")
    lifeline, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, context, _start_worker, (lifeline, work, items))
    pending: dict[Future[Result], Item] = {}
    try:
        pending = {pool.submit(_call, number): item for number, item in enumerate(items)}
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                item = pending[future]
                with _naming(name(item)):
                    result = future.result()
                del pending[future]
                yield item, result
    except BrokenProcessPool:
        likely = ", ".join(name(item) for item in islice(pending.values(), count))
        raise ChildProcessError(
            f"a process died, probably for want of memory, while working on one of {likely}; "
            "run with fewer threads"
        ) from None
    finally:
        if pending:  # something went wrong, or no one wants the rest
            ours.close()
        pool.shutdown(cancel_futures=True)
        ours.close()
        lifeline.close()


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"while working on {name}")
        raise


class _Assigned(NamedTuple):
    """What a worker is there for."""

    work: Callable[[Any], Any]
    items: Sequence[Any]


_assigned: list[_Assigned] = []  # in a worker: one


def _start_worker(
    lifeline: Connection, work: Callable[[Item], Result], items: Sequence[Item]
) -> None:
    """Prepare a worker: its work, one thread, and no longer a life than the parent wants."""
    _assigned.append(_Assigned(work, items))
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # for libraries that are not loaded yet
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_leave_with_parent, args=(lifeline,), daemon=True).start()


def _leave_with_parent(lifeline: Connection) -> None:
    """Wait until the parent closes its end of the pipe, which its death does too; then leave."""
    with suppress(EOFError, OSError):
        lifeline.recv()
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


def _stop(*_: object) -> NoReturn:
    raise SystemExit(1)


def _call(number: int) -> Any:
    work, items = _assigned[0]
    try:
        with limited_threads(1):
            return work(items[number])
    except SystemExit:
        os._exit(1)  # else the pool would hand out the next item
    except Exception as error:
        if _can_be_sent(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _can_be_sent(error: Exception) -> bool:
    """Tell whether an error survives the way to the parent; else it would break the pool."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its class does when it is built anew
        return False
    return True
