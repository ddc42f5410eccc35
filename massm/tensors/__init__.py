"""What networks see: images on the network grid, boxes and particles, augmentation, batches."""
