"""FLOP of PyTorch's operations: products by formula, the rest by name as nothing, no others.

The convention is that of PyTorch's own counter: a multiply-add of a matrix product, a convolution or
attention is two FLOP, of complex numbers eight; additions, functions of single numbers, sums and means,
normalisation, softmax, pooling, interpolation, look-ups, sorting and moving of data are none. That an
operation is none must be said here: one that is not known is not counted as nothing, it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from .memory import unpacked
from .nested import leaves_of, tensors_of

Formula = Callable[..., int]
"""FLOP of a call: from its arguments, and `result` by keyword."""


def formula_of(operation: Any, arguments: Any) -> Formula | None:
    """What tells the FLOP of a call of an operation with such arguments; None where they are not known."""
    if not isinstance(operation, torch._ops.OpOverload):
        return None  # of higher order: it calls others where nobody sees them
    name = operation._schema.name
    tensors = tensors_of(arguments)
    if any(tensor.is_nested for tensor in tensors):
        return None
    if name in _FORMULAS:
        if any(tensor.layout != torch.strided for tensor in tensors):
            return None
        formula = _FORMULAS[name]
        return _of_complex(formula) if any(tensor.is_complex() for tensor in tensors) else formula
    registered = flop_registry.get(operation._overloadpacket)
    if registered is not None:
        return lambda *args, result, **kwargs: int(registered(*args, **kwargs, out_val=result))
    return _nothing if _is_free(operation) else None


def _nothing(*_: Any, **__: Any) -> int:
    return 0


def _of_complex(formula: Formula) -> Formula:
    """A complex multiply-add is four of real numbers."""
    return lambda *args, result, **kwargs: 4 * formula(*args, result=result, **kwargs)


def _is_free(operation: Any) -> bool:
    """Whether it computes no products: a view, a function of single numbers, or one of those named here."""
    name = operation._schema.name
    plain = name if name.endswith("__") else name.rstrip("_")  # in place or not
    if plain in _FREE:
        return True
    views = [value.alias_info for value in operation._schema.returns]
    is_view = any(info is not None and not info.is_write for info in views)
    return name.startswith("aten::") and (is_view or any(map(_is_pointwise, {name, plain})))


def _is_pointwise(name: str) -> bool:
    packet = getattr(torch.ops.aten, name.partition("::")[2], None)
    return packet is not None and any(
        torch.Tag.pointwise in getattr(packet, overload).tags for overload in packet.overloads()
    )


def _contracts(left: int) -> Formula:
    """Every number of the result is a sum along the last axis of the argument at `left`."""

    def count(*args: Any, result: Any, **_: Any) -> int:
        return 2 * int(result.numel()) * int(args[left].shape[-1])

    return count


def _summed_product(summand: Tensor, left: Tensor, *_: Any, result: Tensor, **__: Any) -> int:
    """Products of pairs of matrices, added up over the pairs."""
    return 2 * result.numel() * left.shape[0] * left.shape[-1]


def _convolution(x: Tensor, weight: Tensor, *args: Any, result: Tensor, **_: Any) -> int:
    """Every number of the result, or of a transposed one's input, meets one filter; arguments as of aten."""
    return _filtered(x if args[4] else result, weight)


def _plain_convolution(x: Tensor, weight: Tensor, *_: Any, result: Tensor, **__: Any) -> int:
    return _filtered(result, weight)


def _convolution_over_time(x: Tensor, weight: Tensor, *_: Any, result: Tensor, **__: Any) -> int:
    return 2 * result.numel() * weight.shape[0] * weight.shape[1]


def _packed_convolution(x: Tensor, packed: Any, *_: Any, result: Tensor, **__: Any) -> int:
    return _filtered(x if packed.transpose() else result, unpacked(packed)[0])


def _filtered(numbers: Tensor, weight: Tensor) -> int:
    return 2 * numbers.numel() * math.prod(weight.shape[1:])


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Scores and weighted values: 2·(… n_q n_k d) + 2·(… n_q n_k d_v)."""
    return 2 * math.prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _grouped(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    """Products of groups of rows with a matrix each: every row meets one matrix."""
    groups = a.shape[0] if a.ndim == b.ndim == 3 else 1
    return 2 * groups * a.shape[-2] * a.shape[-1] * b.shape[-1]


def _recurrent(x: Tensor, *weights: Any, result: Any, **_: Any) -> int:
    """Every row of every step meets every matrix, of all layers and directions."""
    matrices = [tensor for tensor in _weights_of(weights) if tensor.ndim == 2]
    return 2 * (x.numel() // x.shape[-1]) * sum(tensor.numel() for tensor in matrices)


def _weights_of(weights: Any) -> list[Tensor]:
    leaves = [leaf for leaf in leaves_of(weights) if isinstance(leaf, (Tensor, torch.ScriptObject))]
    return [tensor for leaf in leaves for tensor in unpacked(leaf)]


def _one_layer(x: Tensor, *args: Any, result: Any, **_: Any) -> int:
    """Of one direction: the matrices for the input and the state; then biases, and the first state."""
    return _recurrent(x, args[:2], result=result)


def _all_layers(x: Tensor, weights: Any, *_: Any, result: Any, **__: Any) -> int:
    return _recurrent(x, weights, result=result)


def _packed_layers(x: Tensor, *args: Any, result: Any, **_: Any) -> int:
    """With a batch's sizes between the input and the first state, or without."""
    packed = [leaf for leaf in leaves_of(args) if isinstance(leaf, torch.ScriptObject)]
    return _recurrent(x, packed, result=result)


def _packed_cell(x: Tensor, state: Any, *weights: Any, result: Any, **_: Any) -> int:
    packed = [leaf for leaf in leaves_of(weights) if isinstance(leaf, torch.ScriptObject)]
    return _recurrent(x, packed, result=result)


def _looked_up(weight: Tensor, indices: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    """Rows are summed; with weights of their own that is a product."""
    own_weights = kwargs.get("per_sample_weights", args[4] if len(args) > 4 else None)
    return 0 if own_weights is None else 2 * indices.numel() * weight.shape[-1]


_PRODUCTS: dict[Formula, str] = {
    _contracts(0): """
        aten::mm aten::bmm aten::mv aten::dot aten::vdot aten::linear aten::mkldnn_linear aten::_int_mm
        aten::_scaled_mm aten::_weight_int8pack_mm aten::_weight_int4pack_mm aten::_weight_int4pack_mm_for_cpu
        aten::_dyn_quant_matmul_4bit aten::affine_grid_generator
        quantized::linear quantized::linear_relu quantized::linear_leaky_relu quantized::linear_tanh
        quantized::linear_dynamic quantized::linear_relu_dynamic quantized::linear_dynamic_fp16
        quantized::linear_relu_dynamic_fp16""",
    _contracts(1): "aten::addmm aten::baddbmm aten::addmv aten::_addmm_activation",
    _summed_product: "aten::addbmm",
    _convolution: "aten::convolution aten::_convolution aten::convolution_overrideable",
    _plain_convolution: "aten::mkldnn_convolution aten::cudnn_convolution aten::_slow_conv2d_forward",
    _convolution_over_time: "aten::conv_tbc",
    _packed_convolution: """
        quantized::conv1d quantized::conv2d quantized::conv3d quantized::conv1d_relu quantized::conv2d_relu
        quantized::conv3d_relu quantized::conv1d_dynamic quantized::conv2d_dynamic quantized::conv3d_dynamic
        quantized::conv_transpose1d quantized::conv_transpose2d quantized::conv_transpose3d""",
    _attention: """
        aten::_scaled_dot_product_flash_attention aten::_scaled_dot_product_flash_attention_for_cpu
        aten::_scaled_dot_product_efficient_attention aten::_scaled_dot_product_cudnn_attention
        aten::_scaled_dot_product_fused_attention_overrideable""",
    _grouped: "aten::_grouped_mm",
    _one_layer: "aten::mkldnn_rnn_layer",
    _all_layers: "aten::_cudnn_rnn aten::miopen_rnn",
    _packed_layers: "aten::quantized_lstm aten::quantized_gru",
    _packed_cell: """
        quantized::quantized_lstm_cell_dynamic quantized::quantized_gru_cell_dynamic
        quantized::quantized_rnn_tanh_cell_dynamic quantized::quantized_rnn_relu_cell_dynamic""",
    _looked_up: "aten::_embedding_bag aten::_embedding_bag_forward_only",
}

_FORMULAS = {name: formula for formula, names in _PRODUCTS.items() for name in names.split()}

_NO_PRODUCTS = (
    # Sums, means, extremes, and what is made of them along an axis.
    """
    sum nansum mean nanmean prod std var std_mean var_mean amax amin aminmax argmax argmin max min all any
    norm linalg_vector_norm logsumexp cumsum cumprod cummax cummin _cummax_helper _cummin_helper logcumsumexp
    count_nonzero median nanmedian mode kthvalue dist trace histc bincount unique_consecutive
    _unique _unique2 unique_dim segment_reduce
    _softmax _log_softmax _safe_softmax _masked_softmax glu
    native_layer_norm native_group_norm native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training _batch_norm_no_update cudnn_batch_norm miopen_batch_norm
    _fused_rms_norm _weight_norm_interface renorm embedding_renorm
    """,
    # Losses.
    """
    binary_cross_entropy binary_cross_entropy_with_logits mse_loss huber_loss smooth_l1_loss soft_margin_loss
    multi_margin_loss multilabel_margin_loss_forward nll_loss_forward nll_loss2d_forward
    """,
    # Functions of single numbers that lack the tag.
    """
    floor_divide hardswish log_sigmoid_forward _prelu_kernel rrelu_with_noise complex polar native_dropout
    _thnn_fused_lstm_cell _thnn_fused_gru_cell linalg_cross addr masked_fill heaviside _add_relu isin
    bucketize searchsorted fake_quantize_per_tensor_affine_cachemask
    fake_quantize_per_channel_affine_cachemask quantize_per_tensor quantize_per_tensor_dynamic
    quantize_per_channel dequantize int_repr _make_per_tensor_quantized_tensor
    _make_per_channel_quantized_tensor q_scale q_zero_point q_per_channel_scales q_per_channel_zero_points
    """,
    # Pooling and interpolation.
    """
    avg_pool1d avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d
    adaptive_max_pool3d max_pool2d_with_indices max_pool3d_with_indices fractional_max_pool2d
    fractional_max_pool3d max_unpool2d max_unpool3d grid_sampler_2d grid_sampler_3d quantized_max_pool1d
    quantized_max_pool2d mkldnn_max_pool2d mkldnn_adaptive_avg_pool2d
    upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d upsample_nearest1d
    upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d _upsample_bilinear2d_aa _upsample_bicubic2d_aa
    """,
    # Moving, choosing and sorting of data, and questions about it.
    """
    cat stack _chunk_cat repeat repeat_interleave roll flip rot90 sort topk argsort tril triu block_diag
    diag_embed constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
    replication_pad2d replication_pad3d im2col col2im pixel_shuffle pixel_unshuffle channel_shuffle
    copy _to_copy clone contiguous lift_fresh_copy unsafe_split unsafe_split_with_sizes _unsafe_view
    split_with_sizes_copy view_copy t_copy permute_copy expand_copy slice_copy unfold_copy _reshape_copy
    embedding index _unsafe_index _unsafe_masked_index index_select index_add index_copy index_fill index_put
    _index_put_impl _unsafe_index_put index_reduce gather scatter scatter_add scatter_reduce take
    masked_select masked_scatter select_scatter slice_scatter diagonal_scatter as_strided_scatter
    nonzero nonzero_static _pack_padded_sequence _to_sparse _to_sparse_csr _to_dense to_sparse
    _coalesce _sparse_coo_tensor_with_dims_and_tensors _local_scalar_dense equal is_same_size is_pinned
    resize set squeeze unsqueeze transpose t swapaxes as_strided detach _resize_output _pin_memory
    _assert_async _assert_scalar _assert_tensor_metadata _functional_assert_async sym_constrain_range
    sym_constrain_range_for_size sym_size sym_stride sym_numel sym_storage_offset
    """,
    # New tensors.
    """
    empty empty_like empty_strided empty_permuted new_empty new_empty_strided zeros zeros_like new_zeros zero
    ones ones_like new_ones full full_like new_full fill scalar_tensor arange linspace logspace eye
    tril_indices triu_indices hann_window hamming_window blackman_window bartlett_window
    rand rand_like randn randn_like randint randint_like randperm bernoulli uniform normal exponential
    geometric cauchy log_normal random multinomial poisson
    """,
)

_NO_QUANTISED_PRODUCTS = (
    """
    add add_relu add_scalar add_scalar_relu mul mul_relu mul_scalar mul_scalar_relu cat cat_relu relu6
    leaky_relu sigmoid hardswish elu celu softmax threshold clamp batch_norm1d batch_norm2d batch_norm3d
    batch_norm1d_relu batch_norm2d_relu batch_norm3d_relu batch_norm layer_norm group_norm instance_norm
    embedding_byte embedding_4bit embedding_bag_byte embedding_bag_4bit embedding_bag_byte_rowwise_offsets
    embedding_bag_4bit_rowwise_offsets max_pool1d max_pool2d
    """,
)

_FREE = {
    *(f"aten::{name}" for names in _NO_PRODUCTS for name in names.split()),
    *(f"quantized::{name}" for names in _NO_QUANTISED_PRODUCTS for name in names.split()),
    *("prim::device", "prim::layout"),
    # Marks for a profiler, also those of nn.DataParallel.
    *(f"profiler::_record_function_{name}" for name in ("enter", "enter_new", "exit")),
}
