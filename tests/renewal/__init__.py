"""Single flight: who leads, who waits, who goes on, who is told."""
