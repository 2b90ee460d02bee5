"""A stand-in Umami: the program, the rules of a real one, and how tests start and read it."""
