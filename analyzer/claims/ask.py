"""Queries of claims are asked in a process of their own, which is ended when it takes too long.

See ADR 0013: the engine reads files and has no bounds of its own, so the text of a query, which a
stranger may have written, never meets it in the process that reads captures.
"""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from phonehome.analyzer.claims.query_text import QueryError, exact
from phonehome.analyzer.claims.worker import MB

SECONDS: Final = 4
"""Time of the processor for all queries of one run together: honest ones take a tenth of it."""

SECONDS_OF_NOTHING: Final = 2
"""The same for empty tables, where queries are asked first to see whether they can be."""

LONGEST_WAIT: Final = 20.0
"""Seconds by the clock after which they are ended where a busy machine gave them less than that."""

MEMORY: Final = 2_048 * MB
"""Memory of that process, as addresses; what the tables take comes on top."""

_SPENT: Final = "spent"
_WAITED: Final = "waited"
_BROKEN: Final = "broken"
_ENDS: Final = {
    _SPENT: "it takes more than {seconds} s of the processor, with the queries before it",
    _WAITED: (
        f"no answer after {LONGEST_WAIT:.0f} s by the clock, and less than {{seconds}} s of the "
        "processor: this machine is busy with other things, which says nothing of the query"
    ),
    _BROKEN: f"it takes more than {MEMORY // MB:,} MB of memory, or nests too deep",
}

_CHILD: Final = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Job:
    """A query, the columns that stand in for others while it is asked, and whose it is."""

    claim: str
    what: str
    sql: str
    others: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Answer:
    """What a query gave.

    Attributes:
        columns: names of its columns.
        is_integer: the first one holds whole numbers.
        values: of the first three columns, all values.
    """

    columns: tuple[str, ...]
    is_integer: bool
    values: tuple[tuple[Any, ...], ...]

    @property
    def first(self) -> tuple[Any, ...]:
        """The values of the first column."""
        return self.values[0] if self.values else ()


def answers(
    tables: Mapping[str, pl.DataFrame], jobs: Sequence[Job], *, seconds: int = SECONDS
) -> list[Answer]:
    """The answer to each job, in their order.

    Args:
        tables: what queries may name.
        jobs: the queries, already known to be harmless (`claims_sql.query`).
        seconds: of the processor, for all of them.

    Raises:
        QueryError: one could not be answered; the message begins with its claim.
    """
    if not jobs:
        return []
    numbers: dict[int, str] = {}
    sent = dict(tables)
    placed = []
    for job in jobs:
        named = {}
        for table, columns in job.others.items():
            key = numbers.setdefault(id(columns), f"{table}:{len(numbers)}")
            sent[key] = columns
            named[table] = key
        placed.append((exact(job.sql), named))
    octets = {name: _octets(table) for name, table in sent.items()}
    head = {
        "tables": [(name, len(whole)) for name, whole in octets.items()],
        "jobs": placed,
        "memory": MEMORY + 4 * sum(map(len, octets.values())),
        "seconds": seconds,
    }
    question = json.dumps(head).encode() + b"\n" + b"".join(octets.values())
    lines, end = _said(question)
    found = []
    for job, line in zip(jobs, lines, strict=False):
        said = json.loads(line)
        if "error" in said:
            raise QueryError(f"{job.claim}: {job.what}: {said['error']}")
        values = tuple(map(tuple, said["values"]))
        found.append(Answer(tuple(said["columns"]), said["is_integer"], values))
    if len(found) < len(jobs):
        job = jobs[len(found)]
        raise QueryError(f"{job.claim}: {job.what}: stopped: {_ENDS[end].format(seconds=seconds)}")
    return found


def _octets(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_ipc(content)
    return content.getvalue()


def _said(question: bytes) -> tuple[list[bytes], str]:
    """The lines that the process wrote, and what ended it if it did not answer all."""
    is_waited = False
    process = subprocess.Popen(  # noqa: S603 - our own file, and nothing else
        [sys.executable, "-P", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "POLARS_MAX_THREADS": "2"},
    )
    try:
        output, _ = process.communicate(question, timeout=LONGEST_WAIT)
    except subprocess.TimeoutExpired:
        is_waited = True
        _end(process)
        output, _ = process.communicate()
    except BaseException:
        _end(process)
        raise
    finally:
        _close(process)
    is_spent = process.returncode in {-signal.SIGXCPU, -signal.SIGKILL}
    return output.splitlines(), _WAITED if is_waited else _SPENT if is_spent else _BROKEN


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it may have started, and wait for it."""
    with suppress(ProcessLookupError):  # it ended by itself meanwhile
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _close(process: "subprocess.Popen[bytes]") -> None:
    """Close both pipes, also where the process ended before it had read all."""
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()
