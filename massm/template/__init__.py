"""The medoid: the training subject that stands for its population."""
