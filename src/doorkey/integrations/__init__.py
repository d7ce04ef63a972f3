"""One folder for each library or framework that doorkey works with; only there is that library imported."""
