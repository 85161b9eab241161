#include "ptnas/io/tensor.h"

#include <cstring>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

struct Type {
  const char* name;
  torch::ScalarType type;
};
constexpr Type kTypes[] = {{"F32", torch::kFloat},
                           {"F64", torch::kDouble},
                           {"I64", torch::kLong},
                           {"I32", torch::kInt},
                           {"U8", torch::kByte}};

}  // namespace

TensorFile::Entry to_entry(const torch::Tensor& tensor, const std::string& name) {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
  for (const Type& type : kTypes) {
    if (type.type != plain.scalar_type()) continue;
    return {type.name, plain.sizes().vec(),
            std::string(static_cast<const char*>(plain.data_ptr()), plain.nbytes())};
  }
  fail("tensor {} has a type that checkpoints do not hold", name);
}

torch::Tensor to_tensor(const TensorFile::Entry& entry, const std::string& name) {
  for (const Type& type : kTypes) {
    if (entry.dtype != type.name) continue;
    torch::Tensor tensor = torch::empty(entry.shape, torch::TensorOptions(type.type));
    if (!entry.data.empty()) std::memcpy(tensor.data_ptr(), entry.data.data(), entry.data.size());
    return tensor;
  }
  fail("tensor {} has the type {}, which this program does not read", name, entry.dtype);
}

}  // namespace ptnas
