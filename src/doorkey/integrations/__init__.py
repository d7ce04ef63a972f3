"""One folder for each library or framework that doorkey works with; each imports that library, and nothing else does."""
