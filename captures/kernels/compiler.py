# Held by tests/captures/test_passes.py: the door to numba, in each of its passes.
"""Compiling the kernels: the one module that imports numba.

All kernels become one function of one object file. It takes the address of a frame of int64:
the kernel's number, room for what it returns, then its arguments: an array as address and shape,
a named tuple field by field, a number as it is.

Kernels make no arrays and raise nothing. Without reference counts and wrappers for the
interpreter they compile in two thirds of the time, and the object needs nothing of Python.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from phonehome.captures.kernels.add_packets import add_packets
from phonehome.captures.kernels.conversations import rehash
from phonehome.captures.kernels.fragments import write_all_waiting
from phonehome.captures.kernels.layout import Bounds, Memory, Output
from phonehome.captures.kernels.machine_code import RESULTS, Entry, callable_at, parts
from phonehome.captures.kernels.packet_loop import read_packets
from phonehome.captures.kernels.record_walk import pcap_records, pcapng_blocks, snoop_records
from phonehome.captures.kernels.recurring_times import longest_chains, recurring_distances

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
PART_OPTIONS = {
    **OPTIONS,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
RARE = {
    "phonehome.captures.kernels.fragments",
    "phonehome.captures.kernels.recurring_times",
    "phonehome.captures.kernels.tunnels",
    "phonehome.captures.kernels.wireless",
}
"""Modules of which the parts are called. All others are put where they are called: a call copies
the fields of all its named tuples to the stack, which took half the loop's time."""
HARMLESS = {"memcpy", "memmove", "memset", "sqrt"}


@dataclass(frozen=True)
class Made:
    """Kernels as machine code.

    Attributes:
        entry: calls them in this process.
        symbol: name of the entry in the object file.
        code: the object file.
        is_self_contained: it can be loaded without numba.
    """

    entry: Entry
    symbol: str
    code: bytes
    is_self_contained: bool


def _array_of(element: Any, dimensions: int) -> Any:
    """An intrinsic: the array at an address, of a shape. Nothing owns it; the caller's does."""
    array_type = types.Array(element, dimensions, "C")

    def typed(_: Any, address: Any, *shape: Any) -> Any:
        def generate(context: Any, builder: Any, __: Any, given: Any) -> Any:
            array = make_array(array_type)(context, builder)
            item = context.get_abi_sizeof(context.get_data_type(element))
            size = context.get_constant(types.intp, item)
            strides = [size]
            for length in reversed(given[2:]):
                strides.insert(0, builder.mul(length, strides[0]))
            pointer = context.get_data_type(element).as_pointer()
            populate_array(
                array,
                data=builder.inttoptr(given[0], pointer),
                shape=list(given[1:]),
                strides=strides,
                itemsize=size,
                meminfo=None,
            )
            return array._getvalue()  # noqa: SLF001 - how numba hands on what it built

        return array_type(address, *shape), generate

    if dimensions == 1:

        def line(context: Any, address: Any, length: Any) -> Any:
            return typed(context, address, length)

        return intrinsic(line)

    def table(context: Any, address: Any, rows: Any, columns: Any) -> Any:
        return typed(context, address, rows, columns)

    return intrinsic(table)


_line = _array_of(types.int64, 1)
_table = _array_of(types.int64, 2)
_bytes = _array_of(types.uint8, 1)
_floats = _array_of(types.float64, 1)
_float_table = _array_of(types.float64, 2)


def _memory(frame, at):
    return Memory(
        _line(frame[at], frame[at + 1]),
        _line(frame[at + 2], frame[at + 3]),
        _table(frame[at + 4], frame[at + 5], frame[at + 6]),
        _table(frame[at + 7], frame[at + 8], frame[at + 9]),
        _table(frame[at + 10], frame[at + 11], frame[at + 12]),
        _table(frame[at + 13], frame[at + 14], frame[at + 15]),
        _table(frame[at + 16], frame[at + 17], frame[at + 18]),
        _line(frame[at + 19], frame[at + 20]),
        _table(frame[at + 21], frame[at + 22], frame[at + 23]),
        _table(frame[at + 24], frame[at + 25], frame[at + 26]),
    )


MEMORY_WIDTH = 27


def _run_pcap_records(frame):
    at = RESULTS
    position, count, why = pcap_records(
        _bytes(frame[at], frame[at + 1]),
        frame[at + 2],
        _table(frame[at + 3], frame[at + 4], frame[at + 5]),
        frame[at + 6] != 0,
        frame[at + 7] != 0,
        frame[at + 8],
        frame[at + 9],
        frame[at + 10],
    )
    frame[1], frame[2], frame[3] = position, count, why


def _run_pcapng_blocks(frame):
    at = RESULTS
    position, count, why = pcapng_blocks(
        _bytes(frame[at], frame[at + 1]),
        frame[at + 2],
        _table(frame[at + 3], frame[at + 4], frame[at + 5]),
        _table(frame[at + 6], frame[at + 7], frame[at + 8]),
        frame[at + 9] != 0,
        frame[at + 10],
    )
    frame[1], frame[2], frame[3] = position, count, why


def _run_snoop_records(frame):
    at = RESULTS
    position, count, why = snoop_records(
        _bytes(frame[at], frame[at + 1]),
        frame[at + 2],
        _table(frame[at + 3], frame[at + 4], frame[at + 5]),
        _table(frame[at + 6], frame[at + 7], frame[at + 8]),
        frame[at + 9],
    )
    frame[1], frame[2], frame[3] = position, count, why


def _run_read_packets(frame):
    at = RESULTS
    output_at = at + 11 + MEMORY_WIDTH
    bounds_at = output_at + 11
    output = Output(
        _table(frame[output_at], frame[output_at + 1], frame[output_at + 2]),
        _table(frame[output_at + 3], frame[output_at + 4], frame[output_at + 5]),
        _bytes(frame[output_at + 6], frame[output_at + 7]),
        _table(frame[output_at + 8], frame[output_at + 9], frame[output_at + 10]),
    )
    bounds = Bounds(
        frame[bounds_at],
        frame[bounds_at + 1],
        frame[bounds_at + 2],
        frame[bounds_at + 3],
        frame[bounds_at + 4],
        np.uint64(frame[bounds_at + 5]),
        frame[bounds_at + 6],
    )
    frame[1] = read_packets(
        _bytes(frame[at], frame[at + 1]),
        _table(frame[at + 2], frame[at + 3], frame[at + 4]),
        frame[at + 5],
        frame[at + 6],
        frame[at + 7],
        _table(frame[at + 8], frame[at + 9], frame[at + 10]),
        _memory(frame, at + 11),
        output,
        bounds,
    )


def _run_write_all_waiting(frame):
    write_all_waiting(
        _memory(frame, RESULTS),
        _table(
            frame[RESULTS + MEMORY_WIDTH],
            frame[RESULTS + MEMORY_WIDTH + 1],
            frame[RESULTS + MEMORY_WIDTH + 2],
        ),
    )


def _run_rehash(frame):
    at = RESULTS
    rehash(
        _line(frame[at], frame[at + 1]),
        _table(frame[at + 2], frame[at + 3], frame[at + 4]),
        frame[at + 5],
        np.uint64(frame[at + 6]),
    )


def _run_add_packets(frame):
    at = RESULTS
    frame[1] = add_packets(
        _table(frame[at], frame[at + 1], frame[at + 2]),
        frame[at + 3],
        frame[at + 4],
        _line(frame[at + 5], frame[at + 6]),
        frame[at + 7],
        _table(frame[at + 8], frame[at + 9], frame[at + 10]),
        _table(frame[at + 11], frame[at + 12], frame[at + 13]),
        _table(frame[at + 14], frame[at + 15], frame[at + 16]),
        _table(frame[at + 17], frame[at + 18], frame[at + 19]),
        _table(frame[at + 20], frame[at + 21], frame[at + 22]),
        _line(frame[at + 23], frame[at + 24]),
    )


def _run_recurring_distances(frame):
    at = RESULTS
    frame[1] = recurring_distances(
        _floats(frame[at], frame[at + 1]),
        _line(frame[at + 2], frame[at + 3]),
        _floats(frame[at + 4], frame[at + 5]),
        _floats(frame[at + 6], frame[at + 7]),
        _floats(frame[at + 8], frame[at + 9]),
        _floats(frame[at + 10], frame[at + 11]),
        _float_table(frame[at + 12], frame[at + 13], frame[at + 14]),
    )


def _run_longest_chains(frame):
    at = RESULTS
    longest_chains(
        _floats(frame[at], frame[at + 1]),
        _float_table(frame[at + 2], frame[at + 3], frame[at + 4]),
        _floats(frame[at + 5], frame[at + 6]),
        _line(frame[at + 7], frame[at + 8]),
        _line(frame[at + 9], frame[at + 10]),
        _table(frame[at + 11], frame[at + 12], frame[at + 13]),
    )


def _run(frame):
    number = frame[0]
    if number == READ_PACKETS:
        _run_read_packets(frame)
    elif number == ADD_PACKETS:
        _run_add_packets(frame)
    elif number == PCAP_RECORDS:
        _run_pcap_records(frame)
    elif number == PCAPNG_BLOCKS:
        _run_pcapng_blocks(frame)
    elif number == SNOOP_RECORDS:
        _run_snoop_records(frame)
    elif number == WRITE_ALL_WAITING:
        _run_write_all_waiting(frame)
    elif number == REHASH:
        _run_rehash(frame)
    elif number == RECURRING_DISTANCES:
        _run_recurring_distances(frame)
    elif number == LONGEST_CHAINS:
        _run_longest_chains(frame)


READ_PACKETS = read_packets.number
PCAP_RECORDS = pcap_records.number
PCAPNG_BLOCKS = pcapng_blocks.number
WRITE_ALL_WAITING = write_all_waiting.number
REHASH = rehash.number
ADD_PACKETS = add_packets.number
SNOOP_RECORDS = snoop_records.number
RECURRING_DISTANCES = recurring_distances.number
LONGEST_CHAINS = longest_chains.number


def _jitted(function: Any, known: dict[Callable[..., Any], Any]) -> Any:
    """The function, and all parts that it calls, for numba; Python's own stay as they are."""
    function = getattr(function, "function", function)
    if function not in known:
        scope = dict(function.__globals__)
        for name in function.__code__.co_names:
            used = scope.get(name)
            used = getattr(used, "function", used)
            if (
                used in parts
                or (isinstance(used, FunctionType) and used.__module__ == __name__)
                or hasattr(scope.get(name), "results")
            ):
                scope[name] = _jitted(used, known)
        copy = FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
        copy.__module__ = function.__module__
        is_rare = function.__module__ in RARE
        known[function] = numba.njit(**PART_OPTIONS, forceinline=not is_rare)(copy)
    return known[function]


def compile_kernels() -> Made:
    """All kernels as machine code of this processor. Takes seconds."""
    dispatcher = _jitted(_run, {})
    signature = types.void(types.CPointer(types.int64))
    dispatcher.compile(signature.args)
    result = next(iter(dispatcher.overloads.values()))
    library, symbol = result.library, result.fndesc.llvm_func_name
    _, _, (code, _) = library.serialize_using_object_code()
    needed = set(
        re.findall(r"^declare [^@]*@\"?([\w.$]+)\"?\(", library.get_llvm_str(), re.MULTILINE)
    )
    foreign = {name for name in needed if not name.startswith("llvm.")} - HARMLESS
    return Made(
        entry=callable_at(library.get_pointer_to_function(symbol), library),
        symbol=symbol,
        code=code,
        is_self_contained=not foreign,
    )
