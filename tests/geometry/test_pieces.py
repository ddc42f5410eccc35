"""The pieces of a mask."""

import numpy as np
import pytest

from massm.geometry.pieces import largest_piece


def test_pieces_that_touch_at_a_corner_are_one():
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = True
    piece = largest_piece(mask)
    assert piece.sizes.tolist() == [2, 1]
    assert piece.inside.shape == (2, 2, 2)
    assert piece.start.tolist() == [0, 0, 0]


def test_more_pieces_than_two_bytes_count(rng):
    mask = np.zeros((84, 84, 84), bool)
    mask[::2, ::2, ::2] = True
    mask[3:6, 3:6, 3:6] = True
    piece = largest_piece(mask)
    assert len(piece.sizes) > 1 << 16
    assert piece.sizes.sum() == mask.sum()
    assert piece.sizes[1] == 1


def test_an_empty_mask_has_no_piece():
    with pytest.raises(ValueError, match="empty"):
        largest_piece(np.zeros((3, 3, 3), bool))
