"""OAuth 2 without input or output, one file for each feature.

Nothing here imports an HTTP, threading or async library, reads a clock or the environment, or changes its arguments.
A single exchange is a pair of functions, which build the request and parse the response. Several exchanges are a flow.
"""
