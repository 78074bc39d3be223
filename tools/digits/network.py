"""The digit net: convolutions over log-mel features, one CTC distribution every 40 ms.

Labels: 0 blank, 1..10 the digits 0..9, 11 a unit that is not a digit.
"""

from torch import Tensor, nn

LABELS = 12
SUBSAMPLING = 4


class Residual(nn.Module):
    """A dilated convolution beside its input."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, channels, 5, padding=2 * dilation, dilation=dilation),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Dropout(0.1),
        )

    def forward(self, signal: Tensor) -> Tensor:
        """Return input plus body."""
        return signal + self.body(signal)


class DigitNet(nn.Module):
    """(batch, bands, frames) features to (batch, steps, labels) log probabilities."""

    def __init__(
        self, bands: int = 40, channels: int = 76, dilations: tuple[int, ...] = (1, 1, 2, 2, 1, 1)
    ) -> None:
        super().__init__()
        self.front = nn.Sequential(
            nn.Conv1d(bands, channels, 5, 2, 2),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 5, 2, 2),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(Residual(channels, dilation) for dilation in dilations))
        self.head = nn.Conv1d(channels, LABELS, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return log probabilities."""
        return self.head(self.blocks(self.front(features))).log_softmax(1).transpose(1, 2)
