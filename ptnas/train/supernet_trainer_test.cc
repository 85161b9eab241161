#include "ptnas/train/supernet_trainer.h"

#include <gtest/gtest.h>

#include <limits>

#include "ptnas/core/error.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

class SupernetTrainerTest : public testing::Test {
 protected:
  SupernetTrainer make() { return SupernetTrainer(task.dataset, task.data, task.search, task.runtime); }
  Batch batch(Part part = Part::kTrain) {
    return make_batch(task.dataset, {part, {0, 1, 2, 3, 4, 5, 6, 7}, {}, 0, 0},
                      memory_format_of(task.runtime.memory_format));
  }
  static State taken(const SupernetTrainer& trainer) {
    State state;
    trainer.take(state);
    for (auto& [name, tensor] : state.tensors) tensor = tensor.clone();
    return state;
  }
  // Names of the tensors that differ.
  static std::vector<std::string> changed(const State& before, const State& after) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : before.tensors) {
      if (!torch::equal(tensor, after.tensors.at(name))) names.push_back(name);
    }
    return names;
  }
  static bool any_contains(const std::vector<std::string>& names, const std::string& part) {
    for (const std::string& name : names) {
      if (name.find(part) != std::string::npos) return true;
    }
    return false;
  }

  TinyTask task;
};

TEST_F(SupernetTrainerTest, AlphaStepMovesAlphaAndStatisticsAlone) {
  SupernetTrainer trainer = make();
  const State before = taken(trainer);
  trainer.alpha_step(batch());
  const std::vector<std::string> names = changed(before, taken(trainer));
  EXPECT_TRUE(any_contains(names, "alpha."));
  EXPECT_TRUE(any_contains(names, "adam."));
  EXPECT_TRUE(any_contains(names, "running_mean"));
  EXPECT_FALSE(any_contains(names, "weight"));
  EXPECT_FALSE(any_contains(names, "sgd."));
  for (const torch::Tensor& parameter : trainer.network().parameters()) {
    EXPECT_TRUE(parameter.requires_grad());
    EXPECT_FALSE(parameter.grad().defined());
  }
}

TEST_F(SupernetTrainerTest, WeightStepLeavesAlpha) {
  SupernetTrainer trainer = make();
  const Batch images = batch();
  EpochProgress progress;
  struct OneStep final : SearchMethod {
    bool trains_alpha() const override { return false; }
    StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
      EXPECT_FALSE(validation.images.defined());
      return trainer.weight_step(train);
    }
  };
  const State before = taken(trainer);
  trainer.run_epoch(OneStep(), 0.025, progress, "search", "search", [] {});
  const std::vector<std::string> names = changed(before, taken(trainer));
  EXPECT_TRUE(any_contains(names, "weight"));
  EXPECT_TRUE(any_contains(names, "sgd."));
  EXPECT_FALSE(any_contains(names, "alpha."));
  EXPECT_FALSE(any_contains(names, "adam."));
  EXPECT_EQ(progress.step, 3);
  EXPECT_EQ(progress.images, 24);
  EXPECT_EQ(trainer.steps(), 3);
  EXPECT_FALSE(trainer.architecture().alpha(CellType::kNormal).grad().defined());
}

TEST_F(SupernetTrainerTest, DecidedEdgesGetNoAlphaGradient) {
  SupernetTrainer trainer = make();
  for (const CellType type : kCellTypes) {
    trainer.architecture().decide(type, 1, 1);
    trainer.architecture().remove(type, 3);
  }
  trainer.alpha_step(batch());
  const torch::Tensor gradient = trainer.architecture().alpha(CellType::kNormal).grad();
  EXPECT_EQ(gradient[1].abs().sum().item<float>(), 0);
  EXPECT_EQ(gradient[3].abs().sum().item<float>(), 0);
  EXPECT_GT(gradient[0].abs().sum().item<float>(), 0);
}

TEST_F(SupernetTrainerTest, AlphaStepWorksWhereAllIsDecided) {
  SupernetTrainer trainer = make();
  for (const CellType type : kCellTypes) {
    for (int e = 0; e < 5; ++e) trainer.architecture().decide(type, e, 1);
  }
  EXPECT_NO_THROW(trainer.alpha_step(batch()));
}

TEST_F(SupernetTrainerTest, StateGoesThroughAFileBitIdentically) {
  const ScratchDirectory folder;
  SupernetTrainer trainer = make();
  trainer.architecture().decide(CellType::kNormal, 2, 0);
  trainer.architecture().remove(CellType::kReduction, 4);
  trainer.alpha_step(batch());
  trainer.weight_step(batch());
  save_supernet(folder / "supernet.safetensors", trainer);
  task.runtime.seed = 5;  // other initial weights
  SupernetTrainer other = make();
  load_supernet(folder / "supernet.safetensors", other);
  EXPECT_TRUE(changed(taken(trainer), taken(other)).empty());
  EXPECT_EQ(other.architecture().decided(CellType::kNormal, 2), 0);
  EXPECT_FALSE(other.architecture().decided(CellType::kNormal, 1).has_value());
  EXPECT_TRUE(other.architecture().removed(CellType::kReduction, 4));
  trainer.alpha_step(batch());
  other.alpha_step(batch());
}

TEST_F(SupernetTrainerTest, ASupernetOfAnotherShapeIsRefused) {
  const ScratchDirectory folder;
  SupernetTrainer trainer = make();
  save_supernet(folder / "supernet.safetensors", trainer);
  task.search.channels = 8;
  SupernetTrainer wider = make();
  EXPECT_THROW(load_supernet(folder / "supernet.safetensors", wider), Error);
  task.search.channels = 4;
  task.search.space = "s2";
  SupernetTrainer other_space = make();
  EXPECT_THROW(load_supernet(folder / "supernet.safetensors", other_space), Error);
}

TEST_F(SupernetTrainerTest, ADamagedStateIsRefused) {
  SupernetTrainer trainer = make();
  for (const char* key : {"decisions", "steps", "adam.steps"}) {
    State state = taken(trainer);
    state.values.erase(key);
    EXPECT_THROW(trainer.put(state), Error) << key;
  }
  State state = taken(trainer);
  state.values["decisions"]["normal"] = "none";
  EXPECT_THROW(trainer.put(state), Error);
  state = taken(trainer);
  state.tensors.erase("alpha.normal");
  EXPECT_THROW(trainer.put(state), Error);
}

TEST_F(SupernetTrainerTest, ALossThatIsNotFiniteStopsBeforeTheStep) {
  SupernetTrainer trainer = make();
  Batch bad = batch();
  bad.images[0].fill_(std::numeric_limits<float>::infinity());
  const std::vector<torch::Tensor> parameters = trainer.network().parameters();
  const torch::Tensor weight = parameters[0].detach().clone(),
                      alpha = trainer.architecture().alpha(CellType::kNormal).detach().clone();
  try {
    trainer.weight_step(bad);
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("step 0"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("learning rate"), std::string::npos) << error.what();
  }
  EXPECT_THROW(trainer.alpha_step(bad), Error);
  EXPECT_TRUE(torch::equal(weight, parameters[0]));
  EXPECT_TRUE(torch::equal(alpha, trainer.architecture().alpha(CellType::kNormal)));
  EXPECT_TRUE(parameters[0].requires_grad());
}

TEST_F(SupernetTrainerTest, EvaluationChangesNothing) {
  SupernetTrainer trainer = make();
  const State before = taken(trainer);
  const Evaluation first = trainer.evaluate_validation(), second = trainer.evaluate_validation();
  EXPECT_EQ(first.images, 24);
  EXPECT_EQ(first.loss, second.loss);
  EXPECT_TRUE(changed(before, taken(trainer)).empty());
}

TEST_F(SupernetTrainerTest, AlphaBeginsByMethod) {
  const auto largest = [&] {
    return make().architecture().alpha(CellType::kNormal).abs().max().item<float>();
  };
  EXPECT_GT(largest(), 0);
  task.search.method = "fixed-alpha";
  EXPECT_EQ(largest(), 0);
  task.search.fixed_alpha_deviation = 1e-3;
  EXPECT_GT(largest(), 0);
}

TEST_F(SupernetTrainerTest, TuningBeginsWithoutMomentum) {
  SupernetTrainer trainer = make();
  trainer.alpha_step(batch());
  trainer.weight_step(batch());
  trainer.renew_sgd();
  const State state = taken(trainer);
  for (const auto& [name, tensor] : state.tensors) {
    if (name.starts_with("sgd.")) {
      EXPECT_EQ(tensor.abs().sum().item<float>(), 0) << name;
    }
  }
  EXPECT_GT(state.tensors.at("adam.first.0").abs().sum().item<float>(), 0);
}

TEST(WeightsJson, FillsShortRowsWithNull) {
  EXPECT_EQ(weights_json({{0.5, 0.25, 0.25}, {1.0}}).dump(), "[[0.5,0.25,0.25],[1.0,null,null]]");
}

}  // namespace
}  // namespace ptnas
