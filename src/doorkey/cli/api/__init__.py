"""The requests of `doorkey curl` to an API, with the time of each step and an explanation of a rejected token."""
