"""What `doorkey doctor` finds out about an authorization server or an API.

Each module judges one subject by documents that were fetched, and returns findings. `audit` is the flow that fetches.
"""
