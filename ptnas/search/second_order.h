#pragma once

#include <torch/types.h>

#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// The gradient of the validation loss by alpha at the weights after one inner step on the training loss
/// (Liu et al., ICLR 2019, eqs. 7 and 8; FACTS, Second order). Running statistics: as in DARTS, the three
/// passes on `train` update them and the one on `validation`, which DARTS makes on a copy, does not. The
/// weights are moved and put back to the bit. Throws Error where a loss is not finite. `distance`: how far in
/// all the weights are moved for the second differences, R |v|; DARTS' 0.01 averages over many ReLU's edges,
/// far less gives the derivative between them.
struct AlphaGradient {
  torch::Tensor of[2];  ///< by cell type, [edges, most candidates]; undefined where no cell has that type
};
constexpr double kDartsDistance = 0.01;
AlphaGradient second_order_gradient(SupernetTrainer& trainer, const Batch& train, const Batch& validation,
                                    double distance = kDartsDistance);

}  // namespace ptnas
