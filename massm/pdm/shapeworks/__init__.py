"""ShapeWorks: the program as a particle engine, its projects as a result and as a way to look."""
