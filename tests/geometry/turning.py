"""Points carried into an image that lies elsewhere."""

import torch


def turned(points, degrees, shift, mirrored=False):
    """Carry points into an image by a rigid map, or by a reflection."""
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    matrix = torch.eye(3)
    matrix[0, 0] = matrix[1, 1] = angle.cos()
    matrix[1, 0], matrix[0, 1] = angle.sin(), -angle.sin()
    if mirrored:
        matrix[:, 0] *= -1
    return points @ matrix.T + torch.tensor(shift)
