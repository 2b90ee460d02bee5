"""What the operator sees: which tables there are, what fills them, and the forms they take."""
