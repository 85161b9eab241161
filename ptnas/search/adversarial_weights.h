#pragma once

#include "ptnas/search/perturbed_weights.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// Weights within `epsilon` of the architecture's under which the loss on `batch` is high (SDARTS-ADV; FACTS,
/// SDARTS): projected gradient ascent with the network in evaluation mode, from a random start, on undecided
/// edges; the architecture's own weights where the loss did not rise. An operation whose weight is clamped to
/// 0 is not computed, has no gradient and so stays out, as in the published program. Leaves the network in
/// evaluation mode and its weights and statistics as they were.
HostWeights adversarial_weights(SupernetTrainer& trainer, const Batch& batch, double epsilon);

}  // namespace ptnas
