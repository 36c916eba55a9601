"""The network of `row_network` in PyTorch, as a policy of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from .row_network import RowNetwork

REFUSED = -1e8
"""The score of a row that does not count: its probability is exactly 0."""


class Rows(nn.Module):
    """Scores for the actor, and for the critic the mean of the rows that count."""

    inner: Tensor
    inner_bias: Tensor
    own: Tensor
    mean: Tensor
    largest: Tensor
    outer_bias: Tensor
    score: Tensor

    def __init__(self, start: RowNetwork, rows: int, *, masks: bool) -> None:
        super().__init__()
        self.features, hidden = start.inner.shape
        self.rows, self.masks = rows, masks
        self.latent_dim_pi, self.latent_dim_vf = rows, hidden
        for name, values in start.arrays().items():
            self.register_parameter(name, nn.Parameter(torch.tensor(values)))

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        x = seen.reshape(-1, self.rows, self.features)
        counts = x[..., :1] > 0.5
        many = counts.sum(dim=1).clamp(min=1)
        h = torch.tanh(x @ self.inner + self.inner_bias)
        mean = (h * counts).sum(dim=1) / many
        largest = h.masked_fill(~counts, -1.0).amax(dim=1) * counts.any(dim=1)
        context = mean @ self.mean + largest @ self.largest + self.outer_bias
        g = torch.tanh(h @ self.own + context[:, None, :])
        scores = g @ self.score
        if self.masks:
            none = ~counts.any(dim=1)  # nothing is left to decide, and any action will do
            scores = scores.masked_fill(~(counts[..., 0] | none), REFUSED)
        return scores, (g * counts).sum(dim=1) / many

    def forward_actor(self, seen: Tensor) -> Tensor:
        return self.forward(seen)[0]

    def forward_critic(self, seen: Tensor) -> Tensor:
        return self.forward(seen)[1]

    def network(self) -> RowNetwork:
        """The weights as they are now."""
        return RowNetwork(**{name: values.detach().numpy() for name, values in self.named_parameters()})


class RowPolicy(ActorCriticPolicy):
    """Scores of rows are the actions' logits, or their means."""

    def __init__(self, *args: Any, start: RowNetwork, rows: int, masks: bool, **options: Any) -> None:
        self._of_rows = start, rows, masks
        super().__init__(*args, **{**options, "net_arch": [], "ortho_init": False})

    def _build_mlp_extractor(self) -> None:
        start, rows, masks = self._of_rows
        self.mlp_extractor = Rows(start, rows, masks=masks)  # type: ignore[assignment]

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net = nn.Identity()
        options: dict[str, Any] = {"lr": lr_schedule(1), **self.optimizer_kwargs}
        self.optimizer = self.optimizer_class(self.parameters(), **options)
