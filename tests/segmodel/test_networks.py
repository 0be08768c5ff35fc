"""The paper's network, layer by layer, and any network behind encode and decode."""

from collections import Counter
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import pixel_unshuffle

from segmodel.networks import NETWORKS, build
from tests.segmodel.toys import ENCODE_ONCE, UNET

SMALL = [UNET, ENCODE_ONCE]
either = pytest.mark.parametrize("architecture", SMALL, ids=lambda options: options["name"])


def make(architecture):
    torch.manual_seed(0)
    options = dict(architecture)
    return build(options.pop("name"), **options).eval()


def material(rows=64, columns=32, count=2):
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(count, channels, rows, columns, generator=generator) for channels in (1, 2))


@pytest.fixture(scope="module")
def paper():
    return build("unet", width=64)


def test_the_paper_network_has_31_million_parameters(paper):
    assert sum(p.numel() for p in paper.parameters()) == 31_043_521
    assert sum(p.numel() for p in build("unet").parameters()) == 31_043_521


def test_the_paper_network_has_the_layers_of_figure_1(paper):
    kinds = Counter(type(module) for module in paper.modules())
    assert kinds[nn.Conv2d] == 2 * (4 + 1 + 4) + 1
    assert kinds[nn.BatchNorm2d] == kinds[nn.ReLU] == 18
    assert kinds[nn.ConvTranspose2d] == 4


def test_each_convolution_is_padded_3_by_3_then_normalised_then_rectified(paper):
    blocks = [module for module in paper.modules() if isinstance(module, nn.Sequential)]
    assert len(blocks) == 9
    for block in blocks:
        assert [type(layer) for layer in block] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2
        assert all(block[i].kernel_size == (3, 3) and block[i].padding == (1, 1) for i in (0, 3))


def test_channels_double_on_the_way_down_and_halve_on_the_way_up(paper):
    widths = [64, 128, 256, 512, 1024]
    assert [(b[0].in_channels, b[0].out_channels) for b in paper.body.down] == list(pairwise([3, *widths]))
    assert [(b[0].in_channels, b[3].out_channels) for b in paper.body.up] == [
        (1024, 512), (512, 256), (256, 128), (128, 64),
    ]  # fmt: skip
    assert [(r.in_channels, r.kernel_size, r.stride) for r in paper.body.rise] == [
        (width, (2, 2), (2, 2)) for width in (1024, 512, 256, 128)
    ]
    assert (paper.head.in_channels, paper.head.out_channels) == (64, 1)


def test_resolution_is_halved_four_times_by_pooling():
    network = make(UNET)
    sizes = []
    for block in network.body.down:
        block.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape[2:])))
    network(*material(64, 32))
    assert sizes == [(64, 32), (32, 16), (16, 8), (8, 4), (4, 2)]


@either
@pytest.mark.parametrize(("rows", "columns"), [(32, 32), (64, 96), (160, 32)])
def test_a_logit_comes_out_for_every_pixel(architecture, rows, columns):
    logits = make(architecture)(*material(rows, columns, 3))
    assert logits.shape == (3, 1, rows, columns)
    assert logits.isfinite().all()


@either
def test_multiple_is_the_least_side_that_works(architecture):
    network = make(architecture)
    side = network.multiple
    assert network(*material(side, side)).shape == (2, 1, side, side)
    with pytest.raises(RuntimeError):
        network(*material(side // 2 + 1, side))


@either
def test_encode_then_decode_is_the_whole_network(architecture):
    network, (image, guidance) = make(architecture), material()
    features = network.encode(image)
    assert isinstance(features, tuple)
    assert all(len(feature) == len(image) for feature in features)
    assert torch.equal(network.decode(features, guidance), network(image, guidance))


@either
def test_features_of_one_slice_serve_several_click_lists(architecture):
    network, (image, guidance) = make(architecture), material()
    one = network.encode(image[:1])
    twice = network.decode(tuple(f.expand(2, *f.shape[1:]) for f in one), guidance)
    singly = torch.cat([network.decode(one, g[None]) for g in guidance])
    torch.testing.assert_close(twice, singly, atol=1e-5, rtol=1e-5)


@either
def test_the_answer_depends_on_image_foreground_and_background(architecture):
    network, (image, guidance) = make(architecture), material()
    answer = network(image, guidance)
    assert not torch.allclose(answer, network(image + 1, guidance))
    assert not torch.allclose(answer, network(image, guidance.flip(1)))
    for channel in (0, 1):
        other = guidance.clone()
        other[:, channel] = 0
        assert not torch.allclose(answer, network(image, other))


@either
def test_one_click_is_felt_across_the_picture(architecture):
    network, (image, _) = make(architecture), material(64, 64)
    image.requires_grad_()
    network(image, torch.zeros(2, 2, 64, 64))[0, 0, 32, 32].backward()
    felt = image.grad[0, 0].nonzero()
    assert felt.amin(0).tolist() == [0, 0]
    assert felt.amax(0).tolist() == [63, 63]
    assert not image.grad[1].any()


@either
def test_every_channel_of_every_layer_learns(architecture):
    network = make(architecture).train()
    network(*material()).square().mean().backward()
    assert all(p.grad is not None for p in network.parameters())
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            assert module.weight.grad.abs().sum((0, 2, 3)).all(), name  # of its inputs
        elif isinstance(module, nn.ConvTranspose2d):
            assert module.weight.grad.abs().sum((0, 2, 3)).all(), name


def test_decoding_a_click_costs_less_than_encoding_anew():
    network, (image, guidance) = make(ENCODE_ONCE), material()
    features = network.encode(image)
    calls = []
    for part in (network.fine, network.slice_body):
        part.register_forward_hook(lambda *of: calls.append(of))
    network.decode(features, guidance)
    assert not calls


def test_an_unknown_architecture_is_refused_and_the_known_ones_named():
    with pytest.raises(ValueError, match=r"^Unknown architecture 'resnet'; known are unet, encode_once\.$"):
        build("resnet")
    assert set(NETWORKS) == {"unet", "encode_once"}


@pytest.mark.parametrize("options", [{"depth": 3}, {"width": "wide"}, {"width": -2}])
def test_options_that_a_network_does_not_take_are_refused(options):
    with pytest.raises(ValueError, match=r"^The architecture 'unet' does not take these options: "):
        build("unet", **options)


def test_what_is_encoded_once_is_the_slice_s_share_of_both_convolutions_that_see_the_clicks():
    network = make(ENCODE_ONCE)
    image, guidance = material()
    fine = network.fine(image)
    coarse = network.slice_body(network.down(fine))
    clicked = network.rise(network.click_body(torch.cat([coarse, pixel_unshuffle(guidance, 2)], dim=1)))
    expected = network.head(network.merge(torch.cat([clicked, fine, guidance], dim=1)))
    torch.testing.assert_close(network(image, guidance), expected)
