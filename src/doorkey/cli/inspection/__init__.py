"""What `doorkey inspect` finds out about a token: reading, verifying and showing it."""
