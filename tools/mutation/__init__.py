"""Mutation testing: small faults are put into a copy of a module, and its tests must notice each of them.

`python -m tools.mutation PATH [TEST …]`, run by `./dev mutate` in an environment with cosmic-ray, which finds and
applies most faults (`faults.py`). The tree that you work in is only read.
"""
