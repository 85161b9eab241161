#include "ptnas/core/bzip2.h"

#include <bzlib.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr std::size_t kBlock = 1 << 18;
// bzip2 counts in 32 bits: the input is handed over in pieces.
constexpr std::size_t kPiece = 1 << 30;

// Appends what one stream holds, up to a little over `limit` bytes in all, and takes it off `compressed`;
// false where it is no whole stream.
bool append_stream(std::string_view& compressed, std::uint64_t limit, std::string& result) {
  bz_stream stream = {};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return false;
  const std::unique_ptr<bz_stream, int (*)(bz_stream*)> end(&stream, BZ2_bzDecompressEnd);
  std::vector<char> block(kBlock);
  int status = BZ_OK;
  while (status == BZ_OK && result.size() <= limit) {
    if (stream.avail_in == 0) {
      stream.next_in = const_cast<char*>(compressed.data());
      stream.avail_in = static_cast<unsigned>(std::min(compressed.size(), kPiece));
      compressed.remove_prefix(stream.avail_in);
    }
    const bool starved = stream.avail_in == 0;
    stream.next_out = block.data();
    stream.avail_out = static_cast<unsigned>(block.size());
    status = BZ2_bzDecompress(&stream);
    const std::size_t count = block.size() - stream.avail_out;
    result.append(block.data(), count);
    // bzip2 waits for more input where there is none, and calls that fine.
    if (status == BZ_OK && starved && count == 0) return false;
  }
  compressed = {compressed.data() - stream.avail_in, compressed.size() + stream.avail_in};
  return status == BZ_OK || status == BZ_STREAM_END;
}

}  // namespace

std::string bunzip2(std::string_view compressed, const std::string& what, std::uint64_t limit) {
  std::string result;
  do {
    if (!append_stream(compressed, limit, result))
      fail("{} is not a whole bzip2 file: it is damaged or truncated; get it again", what);
    if (result.size() > limit) fail("{} is larger than {} bytes when decompressed", what, limit);
  } while (!compressed.empty());
  return result;
}

}  // namespace ptnas
