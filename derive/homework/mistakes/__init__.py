"""Known mistakes: each a small change to a formula of the key, so that it is known by recomputation in any problem."""
