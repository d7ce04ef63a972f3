"""The audit of `doorkey doctor` of an authorization server or an API.

Each module judges one subject by documents that were fetched, and returns findings. `audit` is the flow that fetches.
"""
