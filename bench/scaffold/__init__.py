"""``bench new``: a small package with a working task or method, to be changed into one's own."""
