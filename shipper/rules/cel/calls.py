"""Python functions that the engine may call, and what it owes for calling them.

cel-expr-python 0.1.3 (py_cel_function.cc, py_cel_value.cc) gets three reference counts wrong:

1. the tuple of arguments that it makes for each call is never given back,
2. nor is the value that the call returns,
3. a null becomes None without a reference to it, so that None is freed in the end.

A rule that calls `quantity()` on each event would fill the memory in hours. So each call is noted
here and given back when the evaluation is over: `settle`. Whether the engine owes anything is
measured at import, not believed: a version that is right is left alone. Not for several threads at
a time; program.py sees to that.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

from cel_expr_python import cel

Implementation = Callable[..., Any]

_give_back = ctypes.pythonapi.Py_DecRef
_give_back.argtypes = (ctypes.py_object,)
_give_back.restype = None

_calls: list[tuple[Any, ...]] = []
_results: list[Any] = []
_stops: list[BaseException] = []


def callable_by_engine(function: Implementation, arity: int) -> Any:
    """`function` in a form whose argument tuple is ours to see.

    ctypes hands the very tuple that a foreign function was called with to its `errcheck`, whose
    result then counts as the call's. The foreign function itself does nothing; the GIL is kept.
    """
    pointer = ctypes.PYFUNCTYPE(ctypes.c_int)(("Py_IsInitialized", ctypes.pythonapi))
    pointer.argtypes = (ctypes.py_object,) * arity

    def call(_result: int, _pointer: Any, arguments: tuple[Any, ...]) -> Any:
        _calls.append(arguments)
        try:
            value = function(*arguments)
        except (KeyboardInterrupt, SystemExit) as stop:
            _stops.append(stop)  # the engine would take it for an error of the data
            raise
        if value is not True and value is not False:  # which live for ever anyway
            _results.append(value)
        return value

    pointer.errcheck = call  # type: ignore[assignment] # typeshed knows ctypes results only
    return pointer


def settle() -> None:
    """Give back what the engine has kept of the calls so far. To be called between evaluations.

    Raises what a signal's handler has raised while a call was under way.
    """
    if _calls:
        if _owes_arguments:
            for arguments in _calls:
                _give_back(arguments)
        if _owes_results:
            for value in _results:
                _give_back(value)
        _calls.clear()
        _results.clear()
    if _stops:
        raise _stops.pop()


def make_none_immortal() -> None:
    """Give None so many references that no count of the engine's frees it.

    CPython 3.12 has done the same for all programs (PEP 683).
    """
    if sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 60


def owes() -> tuple[bool, bool]:
    """Whether the engine keeps the arguments, and the result, of a call."""
    probe = callable_by_engine(lambda text: text + "!", 1)
    overload = cel.Overload("probe", cel.Type.STRING, [cel.Type.STRING], False, probe)
    env = cel.NewEnv(functions=[cel.FunctionDecl("probe", [overload])])
    env.compile("probe('a')").eval(data={})
    (arguments,), (result,) = _calls, _results
    _calls.clear()
    _results.clear()
    alone = sys.getrefcount(object())  # what the question itself holds
    return sys.getrefcount(arguments) > alone + 1, sys.getrefcount(result) > alone + 1


make_none_immortal()
_owes_arguments, _owes_results = owes()
