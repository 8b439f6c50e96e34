"""Label trees: labels are grouped into a tree, and a document follows its best branches down to a few of them."""
