#include "ptnas/data/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"

namespace ptnas {

std::string sha256_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read {}: {}", path.string(), std::strerror(errno));
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  bool good = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
  for (std::vector<char> buffer(1 << 20); good && file;) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    good = EVP_DigestUpdate(digest.get(), buffer.data(), static_cast<std::size_t>(file.gcount())) == 1;
    if (interrupt_requested()) throw Interrupted("interrupted; the same command goes on");
  }
  if (!file.eof()) fail("cannot read {}: {}", path.string(), std::strerror(errno));
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (!good || EVP_DigestFinal_ex(digest.get(), sum, &length) != 1)
    fail("libcrypto cannot compute SHA-256 on this machine");
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", sum[i]);
  return text;
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace ptnas
