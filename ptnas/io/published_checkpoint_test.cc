// gcc 12 takes literal + std::string for an endless copy (GCC bug 105651).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

#include "ptnas/io/published_checkpoint.h"

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"
#include "ptnas/core/torch_file_testing.h"

namespace ptnas {
namespace {

using namespace testing_torch;

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string vector_of(const std::string& key, std::int64_t size, const std::string& device = "cpu") {
  return tensor(storage("FloatStorage", key, size, device), {size}, {1});
}

class PublishedCheckpointTest : public testing::Test {
 protected:
  PublishedCheckpoint read(const std::string& content) {
    write_file(path_, content);
    return read_published_checkpoint(path_);
  }
  void expect_refused(const std::string& content, const std::vector<std::string>& says) {
    expect_error([&] { read(content); }, says);
  }

  ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_ / "checkpoint.pth.tar";
};

TEST_F(PublishedCheckpointTest, ReadsStateAndAlphaPastEverythingElse) {
  const std::string content = zip_layout(
      dict(
          {{"epoch", integer(50)},
           {"state_dict", ordered_dict({{"stem.0.weight", vector_of("0", 3, "cuda:3")},
                                        {"stem.1.num_batches_tracked",
                                         tensor(storage("LongStorage", "1", 1, "cuda:3"), {}, {})}})},
           {"alpha", list({vector_of("2", 2), vector_of("3", 2)})},
           {"optimizer", dict({{"state", dict({})}, {"param_groups", list({dict({{"nesterov", "\x89"}})})}})},
           {"nid2eids", std::string("}(") + integer(0) + list({integer(2), integer(3), integer(4)}) + "u"},
           {"nid2selected_eids", dict({{"normal", dict({})}, {"reduce", dict({})}})},
           {"candidate_flags", dict({{"normal", list({"\x88", "\x89"})}})},
           {"candidate_flags_edge", dict({{"normal", list({"\x88"})}})},
           {"proj_weights", dict({{"normal", vector_of("2", 2)}})}}),
      {{"0", floats({1, 2, 3})}, {"1", little_endian(7, 8)}, {"2", floats({4, 5})}, {"3", floats({6, 7})}});
  const PublishedCheckpoint checkpoint = read(content);
  ASSERT_EQ(checkpoint.state.tensors.size(), 2u);
  EXPECT_TRUE(torch::equal(checkpoint.state.tensors.at("stem.0.weight"), torch::tensor({1.f, 2.f, 3.f})));
  EXPECT_EQ(checkpoint.state.tensors.at("stem.1.num_batches_tracked").item<std::int64_t>(), 7);
  ASSERT_EQ(checkpoint.alpha.size(), 2u);
  EXPECT_TRUE(torch::equal(checkpoint.alpha[1], torch::tensor({6.f, 7.f})));
}

TEST_F(PublishedCheckpointTest, ReadsTheOlderLayoutOfSeveralDevices) {
  const PublishedCheckpoint checkpoint = read(
      older_layout(dict({{"state_dict", ordered_dict({{"module.a", vector_of("0", 2, "cuda:0")},
                                                      {"module._arch_parameters", vector_of("1", 1)}})}}),
                   {{"0", floats({1, 2})}, {"1", floats({3})}}, 4));
  ASSERT_EQ(checkpoint.state.tensors.size(), 1u);
  EXPECT_TRUE(torch::equal(checkpoint.state.tensors.at("a"), torch::tensor({1.f, 2.f})));
  ASSERT_EQ(checkpoint.alpha.size(), 1u) << "alpha is taken from the state where the file has no other";
  EXPECT_EQ(checkpoint.alpha[0].item<float>(), 3);
}

TEST_F(PublishedCheckpointTest, WrongContentIsRefused) {
  expect_refused("", {"checkpoint.pth.tar", "empty"});
  expect_refused(zip_layout(list({}), {}), {"checkpoint.pth.tar", "no state_dict"});
  expect_refused(zip_layout(dict({{"state_dict", list({})}}), {}), {"checkpoint.pth.tar", "no state_dict"});
  expect_refused(zip_layout(dict({{"state_dict", dict({{"a", integer(1)}})}}), {}), {"a", "tensor"});
  expect_refused(zip_layout(dict({{"state_dict", std::string("}(") + integer(1) + integer(2) + "u"}}), {}),
                 {"no text"});
  expect_refused(
      zip_layout(dict({{"state_dict", dict({{"module.a", vector_of("0", 1)}, {"a", vector_of("0", 1)}})}}),
                 {{"0", floats({1})}}),
      {"a twice"});
  expect_refused(zip_layout(dict({{"state_dict", dict({})}, {"best", global("numpy", "dtype")}}), {}),
                 {"checkpoint.pth.tar", "numpy.dtype"});
}

TEST_F(PublishedCheckpointTest, ALargeStorageIsNotReadWithoutEnd) {
  Named entries;
  for (int i = 0; i < 1000; ++i)
    entries.emplace_back(std::string("t").append(std::to_string(i)), vector_of("0", 1000));
  expect_refused(zip_layout(dict({{"state_dict", dict(entries)}}), {{"0", floats(std::vector<float>(1000))}}),
                 {"share their data"});
}

TEST_F(PublishedCheckpointTest, NetworksTakeOnlyWhatFits) {
  const SearchSpace space = make_space("s2", 4, false);
  Supernet supernet(space, {4, 2, 10, 3});
  Architecture architecture(space, 0, 0);
  PublishedCheckpoint checkpoint;
  take_module(checkpoint.state, "", supernet);
  for (auto& [name, tensor] : checkpoint.state.tensors) tensor = tensor.detach().clone();
  checkpoint.alpha = {torch::full({14, 2}, 1.f), torch::full({14, 2}, 2.f)};
  checkpoint.state.tensors.at("classifier.bias").fill_(5);
  load_published(checkpoint, supernet, architecture);
  EXPECT_EQ(architecture.alpha(CellType::kReduction)[3][1].item<float>(), 2);
  EXPECT_EQ(supernet.named_parameters()["classifier.bias"][9].item<float>(), 5);

  const auto refused = [&](const PublishedCheckpoint& wrong, const std::vector<std::string>& says) {
    expect_error([&] { load_published(wrong, supernet, architecture); }, says);
  };
  PublishedCheckpoint wrong = checkpoint;
  wrong.alpha.pop_back();
  refused(wrong, {"alpha of 1 cell types"});
  wrong.alpha.push_back(torch::zeros({14, 3}));
  refused(wrong, {"alpha of the reduction cell", "--space"});
  wrong = checkpoint;
  wrong.state.tensors.erase("classifier.bias");
  refused(wrong, {"no tensor classifier.bias"});
  wrong = checkpoint;
  wrong.state.tensors["classifier.bias"] = torch::zeros({11});
  refused(wrong, {"classifier.bias", "[11]"});
  wrong = checkpoint;
  wrong.state.tensors["more"] = torch::zeros({1});
  refused(wrong, {"more"});
}

}  // namespace
}  // namespace ptnas
