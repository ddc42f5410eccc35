"""The U-Net of the comparison: a probability for each voxel and anatomy."""
