"""The programs of examples/, and the pages that show them."""
