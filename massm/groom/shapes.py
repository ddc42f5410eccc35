"""Groom whatever an anatomy was given as: a mesh, a mask, or a signed distance."""

from massm.config.groom import SurfaceConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.groom.mask import crop_mask
from massm.groom.surface import Groomed, groom_mask, groom_mesh
from massm.io.images import Segmentation


def shape_in(image: Segmentation) -> Mesh | Volume:
    """Take the anatomy out of an image: the surface of a distance, the box around a mask.

    A step of its own, so that nobody has to keep the whole scan while its anatomy is groomed.
    """
    return isosurface(image.volume) if image.is_distance else crop_mask(image.volume)


def groom_shape(shape: Mesh | Volume, config: SurfaceConfig) -> Groomed:
    """Turn a mesh, or a mask, into a clean closed surface.

    Args:
        shape: Triangles, LPS mm, or booleans in image space.
        config: Resolution and smoothness.

    Raises:
        DataError: If it cannot be groomed, see :func:`massm.groom.surface.groom_mask` and
            :func:`massm.groom.surface.groom_mesh`.
    """
    return groom_mesh(shape, config) if isinstance(shape, Mesh) else groom_mask(shape, config)
