"""Questions of authorization, and the verdicts of the collection's evaluator and of two others."""
