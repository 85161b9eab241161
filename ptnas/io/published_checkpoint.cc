#include "ptnas/io/published_checkpoint.h"

#include <torch/utils.h>

#include <cstring>
#include <string_view>

#include "ptnas/core/error.h"
#include "ptnas/core/torch_file.h"
#include "ptnas/io/tensor.h"

namespace ptnas {

namespace {

constexpr std::string_view kAlphaInState = "_arch_parameters";  // NAS-Bench-201's supernets hold alpha so

// The tensors of one file. What they take together is limited: a few bytes of pickle can ask for the same
// large storage any number of times.
class TensorReader {
 public:
  explicit TensorReader(const std::filesystem::path& path)
      : path_(path.string()), file_(read_torch_file(path)) {
    for (const auto& [key, bytes] : file_.storages) left_ += kMostShared * bytes.size();
  }

  const PickleValue& root() const { return file_.root(); }
  torch::Tensor read(const PickleValue& value, const std::string& name) {
    const TensorFile::Entry entry = read_tensor(file_, value, name);
    if (entry.data.size() > left_) fail("{} is damaged: too many of its tensors share their data", path_);
    left_ -= entry.data.size();
    return to_tensor(entry, name);
  }

 private:
  static constexpr std::size_t kMostShared = 4;
  std::string path_;
  TorchFile file_;
  std::size_t left_ = 0;
};

}  // namespace

PublishedCheckpoint read_published_checkpoint(const std::filesystem::path& path) {
  TensorReader reader(path);
  const PickleValue* state = reader.root().find("state_dict");
  if (state == nullptr || state->kind != PickleValue::Kind::kDict) {
    fail("{} is not a checkpoint of the published program: it has no state_dict", path.string());
  }
  PublishedCheckpoint result;
  std::vector<torch::Tensor> alpha_in_state;
  for (const auto& [key, value] : state->entries) {
    if (key->kind != PickleValue::Kind::kText)
      fail("{}: its state_dict has a key that is no text", path.string());
    std::string name = key->text;
    if (name.starts_with("module.")) name.erase(0, std::strlen("module."));  // saved from DataParallel
    const torch::Tensor tensor = reader.read(*value, name);
    if (name.starts_with(kAlphaInState)) {
      alpha_in_state.push_back(tensor);
    } else if (!result.state.tensors.emplace(name, tensor).second) {
      fail("{}: its state_dict has {} twice", path.string(), name);
    }
  }
  if (const PickleValue* alpha = reader.root().find("alpha")) {
    for (const PickleValue* item : alpha->items) result.alpha.push_back(reader.read(*item, "alpha"));
  }
  if (result.alpha.empty()) result.alpha = alpha_in_state;
  return result;
}

void load_published(const PublishedCheckpoint& checkpoint, Supernet& supernet, Architecture& architecture) {
  const auto types = supernet.space().cell_types();
  if (checkpoint.alpha.size() != types.size()) {
    fail("the checkpoint holds alpha of {} cell types; expected {} in the space {}; give the right --space",
         checkpoint.alpha.size(), types.size(), supernet.space().name);
  }
  for (const CellType type : types) {
    const torch::Tensor& alpha = checkpoint.alpha[static_cast<std::size_t>(type)];
    if (alpha.sizes() != architecture.alpha(type).sizes()) {
      fail(
          "the checkpoint's alpha of the {} cell has another shape than the space {}; give the right --space",
          name_of(type), supernet.space().name);
    }
  }
  put_module(checkpoint.state, "", supernet);
  const torch::NoGradGuard no_grad;
  for (const CellType type : types)
    architecture.alpha(type).copy_(checkpoint.alpha[static_cast<std::size_t>(type)]);
}

void load_published(const PublishedCheckpoint& checkpoint, DerivedNetwork& network) {
  put_module(checkpoint.state, "", network);
}

}  // namespace ptnas
