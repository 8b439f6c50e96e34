"""From the rows of a table, whatever holds them, to a task's documents: columns, labels, hierarchy, splits."""
