"""One folder for each library or framework that doorkey works with. Each library is imported only in its folder."""
