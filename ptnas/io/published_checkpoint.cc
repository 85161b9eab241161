#include "ptnas/io/published_checkpoint.h"

#include <cstring>

#include "ptnas/core/error.h"
#include "ptnas/core/torch_file.h"
#include "ptnas/io/tensor.h"

namespace ptnas {

PublishedCheckpoint read_published_checkpoint(const std::filesystem::path& path) {
  const TorchFile file = read_torch_file(path);
  const PickleValue* state = file.value->find("state_dict");
  if (state == nullptr || state->kind != PickleValue::Kind::kDict) {
    fail("{} is not a checkpoint of the published program: it has no state_dict", path.string());
  }
  PublishedCheckpoint result;
  for (const auto& [key, value] : state->entries) {
    std::string name = key->text;
    if (name.starts_with("module.")) name.erase(0, std::strlen("module."));  // saved from DataParallel
    if (name.starts_with("_arch_parameters")) continue;                      // alpha, which `alpha` holds too
    result.state.tensors[name] = to_tensor(read_tensor(file, *value, name), name);
  }
  if (const PickleValue* alpha = file.value->find("alpha")) {
    for (const auto& item : alpha->items)
      result.alpha.push_back(to_tensor(read_tensor(file, *item, "alpha"), "alpha"));
  }
  return result;
}

void load_published(const PublishedCheckpoint& checkpoint, Supernet& supernet, Architecture& architecture) {
  if (checkpoint.alpha.size() != 2)
    fail("the checkpoint holds alpha of {} cell types; expected 2", checkpoint.alpha.size());
  for (const CellType type : kCellTypes) {
    const torch::Tensor& alpha = checkpoint.alpha[static_cast<std::size_t>(type)];
    if (alpha.sizes() != architecture.alpha(type).sizes()) {
      fail(
          "the checkpoint's alpha of the {} cell has another shape than the space {}; give the right --space",
          name_of(type), supernet.space().name);
    }
  }
  put_module(checkpoint.state, "", supernet);
  const torch::NoGradGuard no_grad;
  for (const CellType type : kCellTypes)
    architecture.alpha(type).copy_(checkpoint.alpha[static_cast<std::size_t>(type)]);
}

void load_published(const PublishedCheckpoint& checkpoint, DerivedNetwork& network) {
  put_module(checkpoint.state, "", network);
}

}  // namespace ptnas
