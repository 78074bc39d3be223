"""Train a digit net and write it as ONNX.

    python tools/digits/train.py cmn --speech ../shared/testdata/speech --work WORK --out NET.onnx \
        --steps 6000 [--leave-out cmn_a] [--prompts FOLDER ...]

Deterministic for one machine: seeded, one thread, steps and not time decide the end.
"""

import argparse
import copy
import multiprocessing
import time
from pathlib import Path

import numpy as np
import torch
from augmentation import Mixture, StringSource
from corpus import Corpus, read_corpus
from network import SUBSAMPLING, DigitNet

BATCH = 24


def produce(corpus: Corpus, mixture: Mixture, seed: int, queue: "multiprocessing.Queue[list]") -> None:
    """Draw batches of similar length for ever in a child process."""
    source = StringSource(corpus, mixture, seed)
    order = np.random.default_rng(seed)
    while True:
        drawn = sorted((source.draw() for _ in range(BATCH * 6)), key=lambda example: len(example[0]))
        for start in order.permutation(6) * BATCH:
            queue.put(drawn[start : start + BATCH])


def collated(batch: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pad a batch: features, labels one after another, input steps, label counts."""
    longest = max(len(features) for features, _ in batch)
    padded = torch.zeros(len(batch), batch[0][0].shape[1], longest)
    for row, (features, _) in enumerate(batch):
        padded[row, :, : len(features)] = torch.from_numpy(np.ascontiguousarray(features.T))
    labels = torch.tensor([label for _, said in batch for label in said], dtype=torch.long)
    steps = torch.tensor([-(-len(features) // SUBSAMPLING) for features, _ in batch])
    return padded, labels, steps, torch.tensor([len(said) for _, said in batch])


def train(
    corpus: Corpus, mixture: Mixture, *, steps: int, seed: int, start: Path | None, rate: float
) -> DigitNet:
    """Return the running average of the trained weights; `start` continues from saved weights."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    net = DigitNet()
    if start:
        net.load_state_dict(torch.load(start, weights_only=True))
    print("parameters", sum(parameter.numel() for parameter in net.parameters()), flush=True)
    average = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    loss_of = torch.nn.CTCLoss(zero_infinity=True)
    queue: multiprocessing.Queue = multiprocessing.Queue(8)
    producer = multiprocessing.Process(target=produce, args=(corpus, mixture, seed, queue), daemon=True)
    producer.start()
    started, running = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        features, labels, lengths, counts = collated(queue.get())
        loss = loss_of(net(features).transpose(0, 1), labels, lengths, counts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        keep = min(0.998, step / (step + 20))
        with torch.no_grad():
            for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if kept.dtype.is_floating_point:
                    kept.mul_(keep).add_(new, alpha=1 - keep)
        running = 0.98 * running + 0.02 * loss.item()
        if step % 200 == 0:
            print(step, round(time.monotonic() - started), round(running / (1 - 0.98**step), 3), flush=True)
    producer.terminate()
    return average.eval()


def export(net: DigitNet, out: Path) -> None:
    """Write ONNX with free batch and length."""
    torch.onnx.export(
        net,
        (torch.zeros(1, 40, 200),),
        str(out),
        input_names=["features"],
        output_names=["log_probabilities"],
        dynamic_axes={"features": {0: "batch", 2: "frames"}, "log_probabilities": {0: "batch", 1: "steps"}},
        opset_version=17,
        dynamo=False,
    )


def main() -> None:
    """Read the corpus, train, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=["cmn", "eng"])
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights (.pt) to continue from")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--people", type=float, default=0.5)
    parser.add_argument("--leave-out", nargs="*", default=[])
    parser.add_argument("--prompts", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    left_out = frozenset(arguments.leave_out)
    corpus = read_corpus(
        arguments.speech, arguments.work, arguments.language, left_out, tuple(arguments.prompts)
    )
    print(
        arguments.out.name, sorted(corpus.people), len(corpus.synthetic), len(corpus.other_speech), flush=True
    )
    mixture = Mixture(people=arguments.people)
    net = train(
        corpus,
        mixture,
        steps=arguments.steps,
        seed=arguments.seed,
        start=arguments.start,
        rate=arguments.rate,
    )
    torch.save(net.state_dict(), arguments.out.with_suffix(".pt"))
    export(net, arguments.out)


if __name__ == "__main__":
    main()
