"""What `doorkey trace` does: a login whose exchanges are recorded, with all secrets hidden, and shown step by step."""
