"""OAuth 2 without input or output, one file for each feature.

Nothing here imports an HTTP, threading or async library, reads a clock or the environment, or changes its arguments.
A single round trip is a pair (build the request, parse the response); several round trips are a flow.
"""
