"""A Ctrl-C that Python ignores ends every program of doorkey."""

from __future__ import annotations

import subprocess
import sys

import pytest

STRUCK = """
import gc, runpy, signal, sys, weakref

class Freed:
    pass

def strike(_):
    signal.raise_signal(signal.SIGINT)

def write(text):
    freed = Freed()
    reference = weakref.ref(freed, strike)
    del freed
    return written(text)

gc.disable()  # else it could call a finalizer in the hook
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process ignores it
written, sys.stdout.write = sys.stdout.write, write
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""Runs the module that the first argument names. The first output is written while a finalizer gets a Ctrl-C."""


@pytest.mark.parametrize("program", [("doorkey", "dev"), ("doorkey.dev",)], ids=" ".join)
def test_a_ctrl_c_in_a_finalizer_ends_a_program_that_serves(program: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", STRUCK, *program, "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.stdout.startswith("issuer ")
    assert ended.stderr == ""
    assert ended.returncode == 0
