"""One comparison from start to end: the budget spent on launches, and the search for a commit."""
