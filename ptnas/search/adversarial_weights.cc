#include "ptnas/search/adversarial_weights.h"

#include <torch/autograd.h>

#include <algorithm>

namespace ptnas {

namespace {

constexpr int kSteps = 7;

double sign(double value) { return static_cast<double>((value > 0) - (value < 0)); }

double loss_under(SupernetTrainer& trainer, const Batch& batch, const HostWeights& weights) {
  const torch::NoGradGuard no_grad;
  return trainer.loss(batch, to_weights(trainer.architecture(), weights, false), Half::kTraining)
      .item<double>();
}

// The gradient of the loss by the weights, by cell type, edge and candidate; undefined where a cell type is
// nowhere in the network.
std::array<torch::Tensor, 2> gradient_at(SupernetTrainer& trainer, const Batch& batch,
                                         const HostWeights& at) {
  const ArchitectureWeights weights = to_weights(trainer.architecture(), at, /*with_gradient=*/true);
  const torch::Tensor loss = trainer.loss(batch, weights, Half::kTraining);
  std::vector<torch::Tensor> values;
  for (const CellType type : trainer.architecture().space().cell_types())
    values.push_back(weights.of(type).values);
  const auto gradients =
      torch::autograd::grad({loss}, values, {}, /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true);
  std::array<torch::Tensor, 2> result;
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    if (gradients[t].defined()) result[t] = gradients[t].to(torch::kCPU, torch::kFloat).contiguous();
  }
  return result;
}

// One step of all undecided edges up the loss, not further than epsilon from `start`.
void ascend(SupernetTrainer& trainer, const Batch& batch, double epsilon, const HostWeights& start,
            HostWeights& weights) {
  const std::array<torch::Tensor, 2> gradients = gradient_at(trainer, batch, weights);
  for (const CellType type : trainer.architecture().space().cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    if (!gradients[t].defined()) continue;
    const std::int64_t columns = gradients[t].size(1);
    for (std::size_t e = 0; e < weights[t].size(); ++e) {
      if (!trainer.architecture().open(type, static_cast<int>(e))) continue;
      const float* gradient = gradients[t].data_ptr<float>() + static_cast<std::int64_t>(e) * columns;
      for (std::size_t o = 0; o < weights[t][e].size(); ++o) {
        const double moved = weights[t][e][o] + 2 * epsilon / kSteps * sign(gradient[o]);
        weights[t][e][o] = start[t][e][o] + std::clamp(moved - start[t][e][o], -epsilon, epsilon);
      }
      restore_row(weights[t][e]);
    }
  }
}

}  // namespace

HostWeights adversarial_weights(SupernetTrainer& trainer, const Batch& batch, double epsilon) {
  trainer.network().eval();
  const FixedWeights fixed(trainer.parameters());
  const HostWeights start = host_weights(trainer.architecture());
  HostWeights weights = randomly_perturbed(trainer.architecture(), epsilon, trainer.seed(), trainer.steps());
  for (int step = 0; step < kSteps; ++step) ascend(trainer, batch, epsilon, start, weights);
  // A loss that is not a number has not risen.
  const bool rose = loss_under(trainer, batch, weights) > loss_under(trainer, batch, start);
  return rose ? weights : start;
}

}  // namespace ptnas
