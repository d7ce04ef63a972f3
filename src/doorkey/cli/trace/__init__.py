"""The parts of `doorkey trace`: it records the exchanges of a login, hides all secrets, and shows each step."""
