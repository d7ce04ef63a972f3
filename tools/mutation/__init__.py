"""Mutation testing: small faults are put into a copy of a module, and its tests must fail for each of them.

`./dev mutate` runs `python -m tools.mutation PATH [TEST …]` in an environment with cosmic-ray, which finds and applies
most faults (`faults.py`). The working tree is only read.
"""
