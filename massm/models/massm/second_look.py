"""Second looks: particles and close-up are two opinions on where an anatomy is. An addition.

A box that is off by more than training showed leaves particles stuck between anatomies, while the
close-up around the same box, which knows nothing of shapes, often shows most of the organ. Where
the two disagree, the box is drawn around what the close-up shows and the particles are found anew;
of both the ones that agree better with their own close-up stay. What is used of a close-up is
where it sees the anatomy, not its outline.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massm.models.massm.close_up import View
from massm.models.massm.refine import SurfaceFrames

DEPTHS_MM = (1.0, 2.0, 3.0, 4.0)
"""How deep inside and outside of the particles close-ups are asked."""
DOUBTFUL = 0.9
"""Agreement below which an anatomy is looked at again; on scans of usual bodies few are."""
BETTER = 0.05
"""By how much a second look has to agree better than the first."""
_OUTLIERS = 0.01  # share of a close-up's voxels beyond each face of the box around them


def agreement(
    local: Float[Tensor, "B K M 3"], views: Sequence[View], frames: SurfaceFrames
) -> Float[Tensor, "B K"]:
    """Measure how far close-ups agree that particles lie on the anatomy's surface.

    Places at :data:`DEPTHS_MM` along the normals of all particles should be seen as the anatomy
    inside, and not as it outside: the mean of both shares (balanced accuracy), so that 1/2 is what
    a close-up scores that sees the anatomy everywhere or nowhere.

    Args:
        local: Particles, mm, image frame.
        views: Close-ups of each anatomy.
        frames: Give the normals, which point outward.
    """
    normals = frames(local).axes[..., None, 0, :]
    depths = torch.tensor(DEPTHS_MM, dtype=local.dtype, device=local.device)[:, None]
    shares = []
    for way in (-1.0, 1.0):
        places = local[..., None, :] + way * depths * normals
        odds = [
            view.odds.sample(places[:, k].flatten(1, 2)).flatten(1) for k, view in enumerate(views)
        ]
        is_right = torch.stack(odds, dim=1) * way < 0
        shares.append(is_right.to(local.dtype).mean(dim=-1))
    return torch.stack(shares).mean(dim=0)


def is_doubtful(agreed: Float[Tensor, "B K"]) -> Bool[Tensor, "B K"]:
    """Tell which anatomies are worth a second look."""
    return agreed < DOUBTFUL


def clearly_better(
    after: Float[Tensor, "B K"], before: Float[Tensor, "B K"]
) -> Bool[Tensor, "B K"]:
    """Tell which second looks take the place of the first."""
    return after >= before + BETTER


def shown_boxes(
    views: Sequence[View],
    center: Float[Tensor, "B K 3"],
    radius: Float[Tensor, "B K 3"],
    asked: Bool[Tensor, "B K"],
) -> tuple[Float[Tensor, "B K 3"], Float[Tensor, "B K 3"]]:
    """Draw boxes around what close-ups show.

    Args:
        views: Of each anatomy.
        center: Middles of the boxes that stay where nothing is asked or shown, mm.
        radius: Their half extents, mm.
        asked: For which the box is drawn anew.

    Returns:
        Middles and half extents, mm.
    """
    found = [shown_box(view) for view in views]
    seen = torch.stack([box[2] for box in found], dim=1) & asked
    middles = torch.stack([box[0] for box in found], dim=1)
    extents = torch.stack([box[1] for box in found], dim=1)
    return (
        torch.where(seen[..., None], middles, center),
        torch.where(seen[..., None], extents, radius),
    )


def shown_box(
    view: View,
) -> tuple[Float[Tensor, "B 3"], Float[Tensor, "B 3"], Bool[Tensor, " B"]]:
    """Draw the box around the voxels of a close-up that are rather the anatomy than not.

    On each side of each axis one in a hundred of them is left out, since a few may lie anywhere.

    Returns:
        Middle and half extents, mm, and whether there is any such voxel.
    """
    is_shown = view.odds.values[:, 0] > 0
    count = is_shown.flatten(1).sum(dim=1)
    low, high = [], []
    for axis in (3, 2, 1):  # x, y, z
        others = [each for each in (1, 2, 3) if each != axis]
        share = is_shown.sum(dim=others).cumsum(dim=1) / count.clamp(min=1)[:, None]
        low.append((share <= _OUTLIERS).sum(dim=1) - 0.5)
        high.append((share < 1 - _OUTLIERS).sum(dim=1) + 0.5)
    first = view.odds.to_point(torch.stack(low, dim=-1))
    last = view.odds.to_point(torch.stack(high, dim=-1))
    return (first + last) / 2, (last - first) / 2, count > 0
