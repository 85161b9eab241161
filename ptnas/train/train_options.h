#pragma once

#include <cstdint>

#include "ptnas/core/options.h"

namespace ptnas {

/// Retraining of a derived network (FACTS, Retraining: DARTS' CIFAR recipe). The command `train` also takes
/// each name without "train-".
struct TrainOptions {
  std::int64_t channels = 36;
  std::int64_t cells = 20;
  std::int64_t epochs = 600;
  std::int64_t batch = 96;
  double learning_rate = 0.025;
  double learning_rate_end = 0;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 3e-4;
  double clip = 5;
  double auxiliary_weight = 0.4;
  std::int64_t cutout = 16;
  bool crop_and_flip = true;
  double drop_path = 0.2;
  double validation_portion = 0;
  std::int64_t evaluate_every = 1;

  void declare(OptionVisitor& v) {
    v.group("Retraining");
    v.option("train-channels", channels, "channels of the first cell");
    v.option("train-cells", cells, "cells (nb201: of each of its three stages)");
    v.option("train-epochs", epochs, "epochs");
    v.option("train-batch", batch, "images a batch");
    v.option("train-learning-rate", learning_rate, "SGD's rate at the start of the cosine");
    v.option("train-learning-rate-end", learning_rate_end, "SGD's rate at the end of the cosine");
    v.option("train-momentum", momentum, "SGD's momentum");
    v.option("train-nesterov", nesterov, "Nesterov's momentum");
    v.option("train-weight-decay", weight_decay, "SGD's weight decay");
    v.option("train-clip", clip, "largest L2 norm of the gradient; 0: no clipping");
    v.option("train-auxiliary-weight", auxiliary_weight, "weight of the auxiliary head's loss; 0: no head");
    v.option("train-cutout", cutout, "side of the square set to zero; 0: none");
    v.option("train-crop-and-flip", crop_and_flip, "augment by random crops and flips");
    v.option("train-drop-path", drop_path,
             "probability of dropping an operation in the last epoch, rising linearly from 0");
    v.option("train-validation-portion", validation_portion,
             "share of the training images held out to choose a best epoch; 0: none, the last epoch counts");
    v.option("train-evaluate-every", evaluate_every,
             "evaluate on the test part after every N epochs, the last, and every best");
  }
};

}  // namespace ptnas
