#pragma once

#include <cstdint>
#include <string>

#include "ptnas/core/options.h"

namespace ptnas {

/// Retraining of a derived network (FACTS, Retraining; the defaults are DARTS' recipe for CIFAR). The command
/// `train` also takes each name without "train-".
struct TrainOptions {
  std::string recipe = "cifar";
  std::string stem = "cifar";
  std::int64_t channels = 36;
  std::int64_t cells = 20;
  std::int64_t epochs = 600;
  std::int64_t batch = 96;
  double learning_rate = 0.025;
  std::string schedule = "cosine";
  double learning_rate_end = 0;
  double learning_rate_decay = 0.97;
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
  double label_smoothing = 0;
  double most_multiply_adds = 0;

  void declare(OptionVisitor& v) {
    v.group("Retraining");
    v.choice(
        "train-recipe", recipe, {"cifar", "imagenet"},
        "DARTS' options for CIFAR or for ImageNet (mobile), beneath the others of the same file or command");
    v.choice("train-stem", stem, {"cifar", "imagenet"},
             "before the cells: a convolution, or ImageNet's three of stride 2");
    v.option("train-channels", channels, "channels of the first cell");
    v.option("train-cells", cells, "cells (nb201: of each of its three stages)");
    v.option("train-epochs", epochs, "epochs");
    v.option("train-batch", batch, "images a batch");
    v.option("train-learning-rate", learning_rate, "SGD's rate in the first epoch");
    v.choice("train-schedule", schedule, {"cosine", "exponential"},
             "how SGD's rate falls from epoch to epoch");
    v.option("train-learning-rate-end", learning_rate_end, "SGD's rate at the end of the cosine");
    v.option("train-learning-rate-decay", learning_rate_decay,
             "exponential schedule: each epoch's rate is the one before times this");
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
    v.option("train-label-smoothing", label_smoothing,
             "share of the target that is spread evenly over all classes (auxiliary head's too)");
    v.option("train-most-multiply-adds", most_multiply_adds,
             "refuse a network of this many millions of multiply-adds an image or more; 0: no limit");
  }
};

}  // namespace ptnas
