"""doorkey measured against bare clients and its peers, all in one run: `./dev bench`."""
