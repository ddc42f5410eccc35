"""The number format of training: as configured, or what the hardware has."""

import logging

import pytest
import torch

from massm.machine.precision import chosen_precision


def has(monkeypatch, **instructions):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": False}, "bf16-mixed"),
        ({"avx512_bf16": True}, "bf16-mixed"),
        ({"amx_bf16": False, "avx512_f": True, "architecture": "x86_64"}, "32-true"),
        ({}, "32-true"),
    ],
)
def test_auto_takes_what_the_processor_multiplies_itself(monkeypatch, instructions, expected):
    has(monkeypatch, **instructions)
    assert chosen_precision("auto", "cpu") == expected


def test_a_gpu_is_asked_for_its_own_arithmetic(monkeypatch):
    has(monkeypatch, amx_bf16=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    assert chosen_precision("auto", "gpu") == "32-true"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    assert chosen_precision("auto", "gpu") == "bf16-mixed"


def test_what_is_asked_for_is_kept_and_said_to_be_slow(monkeypatch, caplog):
    has(monkeypatch, avx512_f=True)
    with caplog.at_level(logging.WARNING):
        assert chosen_precision("32-true", "cpu") == "32-true"
        assert not caplog.records
        assert chosen_precision("bf16-mixed", "cpu") == "bf16-mixed"
    assert "no bfloat16" in caplog.text


def test_what_this_machine_says_of_itself_is_a_format_it_trains_in():
    assert chosen_precision("auto", "cpu") in {"32-true", "bf16-mixed"}
