"""Each term by hand, at a perfect prediction, and its gradient."""

import math

import pytest
import torch

from massm.models.massm.losses import heatmap_loss, radius_loss, shrinkage_loss


def one_center():
    """A map of 2 x 2 x 2 cells with one center and one half-high neighbor."""
    target = torch.zeros(1, 1, 2, 2, 2)
    target[0, 0, 0, 0, 0], target[0, 0, 0, 0, 1] = 1.0, 0.5
    return target


def known(value=True):
    return torch.tensor([[value]])


def test_heat_map_loss_by_hand():
    logits = torch.zeros(1, 1, 2, 2, 2)  # p = 1/2 everywhere
    loss = heatmap_loss(logits, one_center(), known(), alpha=3.0, beta=4.0)
    each = 0.5**3 * math.log(2)
    assert loss.item() == pytest.approx(each * (1 + 0.5**4 + 6), rel=1e-5)


def test_perfect_heat_map_costs_nothing():
    target = one_center()
    target[0, 0, 0, 0, 1] = 0
    logits = torch.where(target == 1, 30.0, -30.0)
    assert heatmap_loss(logits, target, known(), alpha=3.0, beta=4.0) < 1e-8


def test_unknown_anatomies_do_not_count():
    logits = torch.full((1, 1, 2, 2, 2), 5.0)
    assert heatmap_loss(logits, one_center(), known(False), alpha=3.0, beta=4.0) == 0


def test_absent_anatomies_cost_what_the_map_claims():
    logits = torch.full((1, 1, 2, 2, 2), 5.0, requires_grad=True)
    heatmap_loss(logits, torch.zeros(1, 1, 2, 2, 2), known(), alpha=3.0, beta=4.0).backward()
    assert (logits.grad > 0).all()


def test_heat_map_gradient_raises_the_center_and_lowers_the_rest():
    logits = torch.zeros(1, 1, 2, 2, 2, requires_grad=True)
    heatmap_loss(logits, one_center(), known(), alpha=3.0, beta=4.0).backward()
    assert logits.grad[0, 0, 0, 0, 0] < 0
    assert (logits.grad.flatten()[1:] > 0).all()
    # the neighbor is forgiven more than the background
    assert logits.grad[0, 0, 0, 0, 1] < logits.grad[0, 0, 1, 1, 1]


def test_radius_loss_by_hand():
    predicted = torch.tensor([[[1.0, 2, 3], [9, 9, 9]]])
    true = torch.tensor([[[1.0, 0, 0], [math.nan] * 3]])
    loss = radius_loss(predicted, true, torch.tensor([[True, False]]))
    assert loss.item() == pytest.approx((0 + 4 + 9) / 3)


def test_shrinkage_loss_by_hand():
    error = torch.tensor([[[0.1, -0.2, 2.0]]])
    expected = sum(e**2 / (1 + math.exp(10 * (0.2 - e))) for e in (0.1, 0.2, 2.0)) / 3
    loss = shrinkage_loss(error, known(), a=10.0, c=0.2, of="coordinate")
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_shrinkage_fades_easy_errors_and_keeps_hard_ones():
    small, large = (
        shrinkage_loss(torch.full((1, 1, 3), e), known(), a=10.0, c=0.2, of="coordinate") / e**2
        for e in (0.01, 1.0)
    )
    assert small < 0.2
    assert large > 0.99


def test_shrinkage_gradient_matches_finite_differences():
    error = torch.randn(2, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, False, True], [True, True, False]])
    assert torch.autograd.gradcheck(
        lambda e: shrinkage_loss(e, mask, a=10.0, c=0.2, of="coordinate"),
        error,
        eps=1e-3,
        atol=1e-2,
        rtol=1e-2,
    )


def test_nothing_present_costs_nothing_and_has_a_gradient():
    error = torch.full((1, 1, 3), math.nan, requires_grad=True)
    loss = shrinkage_loss(error, known(False), a=10.0, c=0.2, of="coordinate")
    loss.backward()
    assert loss == 0
    assert torch.equal(error.grad, torch.zeros(1, 1, 3))


def test_of_a_vector_the_length_counts_not_its_coordinates():
    error = torch.tensor([[[[0.3, 0.0, 0.4], [0.0, 0.0, 0.1]]]])
    expected = sum(e**2 / (1 + math.exp(10 * (0.2 - e))) for e in (0.5, 0.1)) / 2
    loss = shrinkage_loss(error, known(), a=10.0, c=0.2, of="vector")
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    turn = torch.tensor([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    turned = shrinkage_loss(error @ turn, known(), a=10.0, c=0.2, of="vector")
    assert turned.item() == pytest.approx(expected, rel=1e-5)
    by_coordinate = [
        shrinkage_loss(e, known(), a=10.0, c=0.2, of="coordinate") for e in (error, error @ turn)
    ]
    assert by_coordinate[0] != pytest.approx(by_coordinate[1].item(), rel=1e-3)


def test_a_vector_of_no_error_has_no_gradient_and_no_nan():
    error = torch.zeros(1, 1, 2, 3, requires_grad=True)
    shrinkage_loss(error, known(), a=10.0, c=0.2, of="vector").backward()
    assert torch.equal(error.grad, torch.zeros(1, 1, 2, 3))
