#include "ptnas/io/state.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <functional>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// A convolution, a batch-norm with buffers (one of them int64) and a linear layer.
torch::nn::Sequential make_module(int classes = 3) {
  torch::nn::Sequential module(torch::nn::Conv2d(2, 4, 3), torch::nn::BatchNorm2d(4),
                               torch::nn::Linear(4, classes));
  return module;
}

std::vector<torch::Tensor> copies(const torch::nn::Module& module) {
  std::vector<torch::Tensor> result;
  for (const torch::Tensor& tensor : module.parameters()) result.push_back(tensor.detach().clone());
  for (const torch::Tensor& tensor : module.buffers()) result.push_back(tensor.detach().clone());
  return result;
}

bool all_equal(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i)
    equal = a[i].dtype() == b[i].dtype() && torch::equal(a[i], b[i]);
  return equal;
}

class StateTest : public testing::Test {
 protected:
  StateTest() : folder(fs::path(testing::TempDir()) / "ptnas-state-test") {
    fs::remove_all(folder);
    fs::create_directories(folder);
    file = folder / "state.safetensors";
  }
  ~StateTest() override { fs::remove_all(folder); }

  fs::path folder, file;
};

TEST_F(StateTest, AModuleGoesThroughAFileBitIdentically) {
  torch::nn::Sequential module = make_module(), other = make_module();
  module->train();
  module[1]->as<torch::nn::BatchNorm2d>()->forward(torch::randn({2, 4, 5, 5}));  // statistics of its own
  ASSERT_FALSE(all_equal(copies(*module), copies(*other)));
  State state;
  take_module(state, "network.", *module);
  state.values["epoch"] = 7;
  state.values["loss"] = 0.1 + 0.2;
  save_state(file, state, "ptnas-test", 1);
  const State loaded = load_state(file, "ptnas-test", 1);
  put_module(loaded, "network.", *other);
  EXPECT_TRUE(all_equal(copies(*module), copies(*other)));
  EXPECT_EQ(loaded.values.at("epoch").get<int>(), 7);
  EXPECT_EQ(loaded.values.at("loss").get<double>(), 0.1 + 0.2);
}

TEST_F(StateTest, EqualContentGivesEqualBytesInAnyMemoryFormat) {
  State state;
  state.tensors["x"] = torch::randn({2, 3, 4, 4});
  save_state(file, state, "ptnas-test", 1);
  const std::string bytes = read_file(file);
  state.tensors["x"] = state.tensors["x"].contiguous(torch::MemoryFormat::ChannelsLast);
  save_state(file, state, "ptnas-test", 1);
  EXPECT_EQ(bytes, read_file(file));
}

TEST_F(StateTest, PuttingKeepsTheMemoryFormatAndTheGraphLeaf) {
  State state;
  state.tensors["x.0"] = torch::randn({2, 3, 4, 4});
  std::vector<torch::Tensor> tensors = {
      torch::zeros({2, 3, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast).set_requires_grad(true)};
  put_tensors(state, "x.", tensors);
  EXPECT_TRUE(tensors[0].is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(tensors[0].is_leaf());
  EXPECT_TRUE(torch::equal(tensors[0], state.tensors["x.0"]));
}

TEST_F(StateTest, TensorsByPositionGoThroughAFile) {
  State state;
  const std::vector<torch::Tensor> tensors = {torch::randn({3}), torch::randn({2, 2}), torch::randn({})};
  take_tensors(state, "sgd.", tensors);
  save_state(file, state, "ptnas-test", 1);
  std::vector<torch::Tensor> others = {torch::zeros({3}), torch::zeros({2, 2}), torch::zeros({})};
  put_tensors(load_state(file, "ptnas-test", 1), "sgd.", others);
  EXPECT_TRUE(all_equal(tensors, others));
}

TEST_F(StateTest, AMissingRenamedOrReshapedTensorIsNamedAndNothingChanges) {
  const torch::nn::Sequential module = make_module();
  State state;
  take_module(state, "network.", *make_module());
  torch::nn::Sequential target = make_module();
  const std::vector<torch::Tensor> before = copies(*target);
  const auto put = [&](const State& from) {
    return message_of([&] { put_module(from, "network.", *target); });
  };

  State missing = state;
  missing.tensors.erase("network.2.bias");
  EXPECT_NE(put(missing).find("network.2.bias"), std::string::npos) << put(missing);

  State renamed = missing;
  renamed.tensors["network.2.biases"] = state.tensors["network.2.bias"];
  EXPECT_NE(put(renamed).find("network.2.bias"), std::string::npos) << put(renamed);

  State left_over = state;
  left_over.tensors["network.3.weight"] = torch::zeros({1});
  EXPECT_NE(put(left_over).find("network.3.weight"), std::string::npos) << put(left_over);

  State reshaped = state;
  reshaped.tensors["network.2.weight"] = torch::zeros({5, 4});
  EXPECT_NE(put(reshaped).find("network.2.weight"), std::string::npos) << put(reshaped);
  EXPECT_NE(put(reshaped).find("[5, 4]"), std::string::npos) << put(reshaped);

  EXPECT_TRUE(all_equal(before, copies(*target)));
  state.tensors["other.9"] = torch::zeros({1});  // of another prefix: not ours to judge
  EXPECT_EQ(put(state), "no error");
}

TEST_F(StateTest, MoreOrFewerTensorsByPositionAreRefused) {
  State state;
  take_tensors(state, "sgd.", {torch::ones({2}), torch::ones({2})});
  std::vector<torch::Tensor> one = {torch::zeros({2})};
  EXPECT_THROW(put_tensors(state, "sgd.", one), Error);
  std::vector<torch::Tensor> three = {torch::zeros({2}), torch::zeros({2}), torch::zeros({2})};
  EXPECT_THROW(put_tensors(state, "sgd.", three), Error);
  EXPECT_EQ(one[0].sum().item<float>() + three[0].sum().item<float>(), 0);
}

TEST_F(StateTest, AnotherFormatOrANewerVersionIsRefusedByName) {
  save_state(file, State(), "ptnas-model", 3);
  EXPECT_NO_THROW(load_state(file, "ptnas-model", 3));
  const auto load = [&](const char* format, int newest) {
    return message_of([&] { load_state(file, format, newest); });
  };
  EXPECT_NE(load("ptnas-checkpoint", 3).find("ptnas-checkpoint"), std::string::npos)
      << load("ptnas-checkpoint", 3);
  EXPECT_NE(load("ptnas-model", 2).find("3"), std::string::npos) << load("ptnas-model", 2);
}

TEST_F(StateTest, AMissingTruncatedOrForeignFileIsOneError) {
  EXPECT_THROW(load_state(folder / "absent", "ptnas-test", 1), Error);
  State state;
  state.tensors["x"] = torch::randn({8});
  save_state(file, state, "ptnas-test", 1);
  const std::string whole = read_file(file);
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{40}, whole.size() - 1}) {
    write_file(file, whole.substr(0, size));
    EXPECT_THROW(load_state(file, "ptnas-test", 1), Error) << size;
  }
  write_file(file, "\x89PNG\r\n\x1a\n and so on");
  EXPECT_THROW(load_state(file, "ptnas-test", 1), Error);
  TensorFile plain;  // as another program writes it
  plain.tensors["x"] = {"F32", {1}, std::string(4, '\0')};
  write_tensor_file(file, plain);
  EXPECT_NE(message_of([&] { load_state(file, "ptnas-test", 1); }).find("ptnas-test"), std::string::npos);
}

TEST_F(StateTest, ATypeThatFilesDoNotHoldIsNamed) {
  State state;
  state.tensors["complex one"] = torch::zeros({1}, torch::kComplexFloat);
  EXPECT_NE(message_of([&] { save_state(file, state, "ptnas-test", 1); }).find("complex one"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(file));
}

}  // namespace
}  // namespace ptnas
