"""HTTP messages as values, flows over them, strict parsing, and the bounds of one exchange.

Nothing here imports an HTTP, threading or async library, reads a clock or the environment, or changes its arguments.
"""
