"""One contract suite for every client of the session family, over the embedded provider and real servers."""
