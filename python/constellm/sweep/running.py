"""`run`: the one call of the area."""

from __future__ import annotations

import contextlib
import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, real, short
from ..core.deprecation import warn_moved
from ..core.progress import bar
from .grid import Grid, make_grid
from .result import GatheredRows, SweepResult, best_form
from .rows import Rows, Work, solve, solve_apart
from .store import RowStore
from .system import INTERRUPTED, INVALID

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import xarray

# How finely an executor's cells are cut: enough pieces to keep many workers busy to the end, none so large
# that much is lost with it.
_PIECES = 128
_MOST_CELLS = 1024


def run(
    problem: Any,
    axes: Mapping[str, Any] | None = None,
    *,
    method: str | Sequence[str] = "optimal",
    time_limit_s: float = math.inf,
    threads: int | None = None,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    answers: bool = False,
    plans: bool | None = None,
    progress: bool | None = None,
    **more_axes: Any,
) -> xarray.Dataset | SweepResult:
    """Solve a problem at every combination of values of its fields, or of parameters of a factory.

    Parameters
    ----------
    problem : constellm.split.Problem, the record of another registered system, or callable
        What every cell starts from; or a factory that makes it from those axes that it has as parameters.
    axes, **more_axes : mapping of str to array_like
        The dimensions, in the order given. A field of the problem is addressed by

        ``rate_bps``
            its name: a field of the problem (``input_bytes``, ``micro_batches``, ``max_error``,
            ``max_energy_j``), or of all layers, nodes, links or codecs where only one of the lists has it;
        ``nodes.overhead_s``
            list and name: the field of all of them;
        ``links[s2g].rate_bps``, ``nodes[s0].power_w``, ``links[s0->s1].rate_bps``, ``layers[-1].flop``
            with a key: of those of that group or name (nodes: id; links: from->to), else at that position;
        ``nodes[satellite].flop_per_s *``
            with a star: the values multiply what is there.

        and takes a 1-D array of numbers (integers for ``micro_batches``; infinity in a limit: no limit). A
        parameter of the factory goes to the factory, and takes a sequence of anything.
    method : str or sequence of str
        ``"optimal"``, or benchmarks of `constellm.split.METHODS` that make plans. A sequence makes a last
        dimension ``method``.
    time_limit_s : float
        For every cell and method [s].
    threads : int, optional
        Default: all cores that the process may use.
    executor : concurrent.futures.Executor, optional
        Solves the cells in its workers instead: a process pool, Dask's ``Client(...).get_executor()``,
        ``mpi4py.futures.MPIPoolExecutor()``.
    store : path, optional
        Folder for the rows. What it holds already of this very sweep is not computed again; one sweep at a
        time writes to it.
    answers : bool
        Keep what was found in every cell, as the variable that the system names: ``plan`` for problems. Not
        with `store`.
    plans : bool
        The old name of `answers`, for this version.
    progress : bool, optional
        Show a bar (needs tqdm). Default: at a prompt and in notebooks.

    Returns
    -------
    xarray.Dataset or SweepResult
        ``delay_s``, ``bottleneck_s``, ``lower_bound_s``, ``error``, ``energy_j``, ``bytes``, ``seconds``,
        ``stages``, ``labels``, ``status`` and ``message`` over the axes; a Dataset where xarray is installed.
        NaN where there is no plan. A cell that is no valid problem has status ``invalid`` and says why in
        ``message``; one that Ctrl-C left over has status ``interrupted``.

    Raises
    ------
    ValueError, TypeError
        For an axis or an argument that no cell can make sense of, and for a store of another sweep.
    RuntimeError
        If another sweep is writing to the store.

    Examples
    --------
    >>> import constellm, numpy as np
    >>> from constellm import paper
    >>> found = constellm.sweep.run(
    ...     paper.collaborative.problem,
    ...     {"links[isl].rate_bps": np.array([1e8, 1e9])},
    ...     image=["480p", "1080p"],
    ... )
    >>> found["delay_s"].shape
    (2, 2)
    >>> bool((found["delay_s"][0] > found["delay_s"][1]).all())
    True
    """
    for name, values in more_axes.items():
        # One value is no axis; where a keyword is called nearly so, that was meant.
        near = [own for own in inspect.signature(run).parameters if own.startswith(name) or name == f"{own}s"]
        if near and not hasattr(values, "__len__"):
            raise TypeError(
                f"run() got an unexpected keyword argument {name!r}, and an axis takes several values, "
                f"not {short(values)}; did you mean {near[0]!r}?"
            )
    time_limit_s = real("time_limit_s", time_limit_s, least=0)
    if executor is not None and threads is not None:
        raise TypeError("threads: given together with an executor, whose workers solve one cell at a time")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor: expected a concurrent.futures.Executor, as Dask's Client().get_executor(), "
            f"got {short(executor)}"
        )
    if plans is not None:
        warn_moved("sweep.run(plans=...)", "sweep.run(answers=...)")
        answers = plans
    if answers and store is not None:
        raise ValueError("answers: rows hold none, so give either answers or store")
    workers = cores() if threads is None else count("threads", threads, most=1024)
    grid = make_grid(problem, _merged(axes, more_axes), method, time_limit_s)
    return best_form(solve_grid(grid, workers, executor, store, answers, progress))


def solve_grid(
    grid: Grid,
    threads: int,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    answers: bool = False,
    progress: bool | None = None,
) -> SweepResult:
    """What `run` does once the grid is made."""
    table = GatheredRows(grid.system, grid.cells * len(grid.methods), answers)
    receivers: list[Callable[[Rows], None]] = [table.accept]
    with contextlib.ExitStack() as stack:
        pending = np.arange(grid.cells)
        if store is not None:
            kept = RowStore(store, grid.system, grid.identity())
            stack.callback(kept.close)
            for rows in kept.rows():
                table.accept(rows)
            pending = pending[~_finished(table, grid)]
            receivers.append(kept.accept)
        width = len(grid.methods)
        shown = bar(
            grid.cells * width,
            unit=f"{grid.system.answer}s",
            done=(grid.cells - len(pending)) * width,
            progress=progress,
        )
        move_on = stack.enter_context(shown)
        receivers.append(lambda rows: move_on(len(rows.index)))

        def accept(rows: Rows) -> None:
            for receive in receivers:
                receive(rows)

        possible = np.array([not isinstance(p, str) for p in grid.problems])[grid.problem_of(pending)]
        if not possible.all():
            accept(_impossible(grid, pending[~possible]))
        if possible.any():
            _solve(grid, pending[possible], threads, executor, answers, accept)
    return table.result(grid.description())


def _merged(axes: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(axes or {})
    for name, values in more.items():
        if name in merged:
            raise TypeError(f"axis {name!r} is given twice")
        merged[name] = values
    for name in merged:
        if not isinstance(name, str):
            raise TypeError(f"axes: expected names, got {name!r}")
    return merged


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _finished(table: GatheredRows, grid: Grid) -> NDArray[np.bool_]:
    """Of each cell whether the rows of all methods are there."""
    status = table.columns["status"].reshape(grid.cells, len(grid.methods))
    return np.asarray((status != grid.system.code(INTERRUPTED)).all(axis=1))


def _impossible(grid: Grid, cells: NDArray[np.int64]) -> Rows:
    """Rows of cells whose factory made no problem, or one without a field that an axis is over."""
    width = len(grid.methods)
    index = (cells[:, None] * width + np.arange(width)).ravel()
    columns = grid.system.empty_columns(len(index))
    columns["status"][:] = grid.system.code(INVALID)
    reasons = [str(grid.problems[p]) for p in grid.problem_of(cells).tolist()]
    messages = {row: reasons[i // width] for i, row in enumerate(index.tolist())}
    return Rows(index, columns, messages, [None] * len(index))


def _work(grid: Grid, cells: NDArray[np.int64], keep_answers: bool) -> Work:
    used, problem_of = np.unique(grid.problem_of(cells), return_inverse=True)
    return Work(
        system=grid.system,
        cells=cells,
        problems=[p for p in (grid.problems[u] for u in used.tolist()) if not isinstance(p, str)],
        addresses=[axis.name for axis in grid.fields],
        problem_of=problem_of.astype(np.int32),
        field_values=grid.field_values(cells),
        methods=list(grid.methods),
        time_limit_s=grid.time_limit_s,
        keep_answers=keep_answers,
    )


def _solve(
    grid: Grid,
    cells: NDArray[np.int64],
    threads: int,
    executor: Executor | None,
    keep_answers: bool,
    accept: Callable[[Rows], None],
) -> None:
    if executor is None:
        solve(_work(grid, cells, keep_answers), threads, accept)
        return
    from concurrent.futures import as_completed

    size = min(max(len(cells) // _PIECES, 1), _MOST_CELLS)
    pieces = (cells[i : i + size] for i in range(0, len(cells), size))
    futures = [executor.submit(solve_apart, _work(grid, piece, keep_answers)) for piece in pieces]
    left = set(futures)
    try:
        for future in as_completed(futures):
            left.remove(future)
            for rows in future.result():
                accept(rows)
    except KeyboardInterrupt:
        pass  # what has come in is the result
    finally:
        # A worker's failure may be told before the rows that others have finished by then.
        for future in left:
            if not future.cancel() and future.done() and future.exception() is None:
                for rows in future.result():
                    accept(rows)
