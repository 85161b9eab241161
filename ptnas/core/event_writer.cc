#include "ptnas/core/event_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "ptnas/core/files.h"

namespace ptnas {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

namespace {

// Polynomial of CRC-32C, reflected (RFC 3720, Appendix B.4).
constexpr std::uint32_t kCastagnoli = 0x82F63B78;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ kCastagnoli : value >> 1;
    table[byte] = value;
  }
  return table;
}

// TFRecord's mask, so that a CRC of data that holds CRCs stays strong.
std::uint32_t masked_crc(std::string_view data) {
  const std::uint32_t crc = crc32c(data);
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

// Protocol-buffer wire format: fields with their numbers in the messages Event, Summary, Summary.Value and
// HistogramProto.
class Message {
 public:
  void varint(int field, std::uint64_t value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3);
    raw_varint(value);
  }
  void fixed64(int field, double value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | 1);
    raw(&value, sizeof value);
  }
  void fixed32(int field, float value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | 5);
    raw(&value, sizeof value);
  }
  void bytes(int field, std::string_view value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | 2);
    raw_varint(value.size());
    content_ += value;
  }
  void packed(int field, const std::vector<double>& values) {
    bytes(field, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)});
  }
  const std::string& content() const { return content_; }

 private:
  void raw(const void* data, std::size_t size) { content_.append(static_cast<const char*>(data), size); }
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) content_ += static_cast<char>(value | 0x80);
    content_ += static_cast<char>(value);
  }
  std::string content_;
};

std::string make_event(double wall_time, std::int64_t step, std::string_view tag, int field,
                       std::string_view payload, float scalar) {
  Message value;
  value.bytes(1, tag);
  if (field == 2) {
    value.fixed32(2, scalar);
  } else {
    value.bytes(field, payload);
  }
  Message summary;
  summary.bytes(1, value.content());
  Message event;
  event.fixed64(1, wall_time);
  event.varint(2, static_cast<std::uint64_t>(step));
  event.bytes(5, summary.content());
  return event.content();
}

// TensorBoard's buckets: bounds grow by a tenth from 1e-12 on, both signs.
std::vector<double> bucket_limits() {
  std::vector<double> positive;
  double bound = 1e-12;
  while (bound < 1e20) {
    positive.push_back(bound);
    bound *= 1.1;
  }
  std::vector<double> limits;
  for (auto limit = positive.rbegin(); limit != positive.rend(); ++limit) limits.push_back(-*limit);
  limits.push_back(0);
  limits.insert(limits.end(), positive.begin(), positive.end());
  limits.push_back(std::numeric_limits<double>::max());
  return limits;
}

}  // namespace

std::uint32_t crc32c(std::string_view data) {
  static constexpr std::array<std::uint32_t, 256> table = make_table();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : data) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

EventWriter::EventWriter(std::filesystem::path path) : path_(std::move(path)) {
  if (file_size_or_zero(path_) > 0) return;
  Message event;
  event.fixed64(1, 0);
  event.bytes(3, "brain.Event:2");
  record(event.content());
  flush();
}

void EventWriter::scalar(std::string_view tag, double value, std::int64_t step, double wall_time) {
  record(make_event(wall_time, step, tag, 2, {}, static_cast<float>(value)));
}

void EventWriter::histogram(std::string_view tag, const std::vector<double>& values, std::int64_t step,
                            double wall_time) {
  static const std::vector<double> limits = bucket_limits();
  std::vector<double> counts(limits.size(), 0.0);
  double count = 0, sum = 0, squares = 0;
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    const auto bucket = std::upper_bound(limits.begin(), limits.end() - 1, value);
    counts[static_cast<std::size_t>(bucket - limits.begin())] += 1;
    count += 1;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    sum += value;
    squares += value * value;
  }
  if (count == 0) return;
  const auto used = [](double in_bucket) { return in_bucket != 0; };
  const auto first = std::find_if(counts.begin(), counts.end(), used) - counts.begin();
  const auto last = counts.rend() - std::find_if(counts.rbegin(), counts.rend(), used);
  Message histogram;
  histogram.fixed64(1, lowest);
  histogram.fixed64(2, highest);
  histogram.fixed64(3, count);
  histogram.fixed64(4, sum);
  histogram.fixed64(5, squares);
  histogram.packed(6, {limits.begin() + first, limits.begin() + last});
  histogram.packed(7, {counts.begin() + first, counts.begin() + last});
  record(make_event(wall_time, step, tag, 5, histogram.content(), 0));
}

void EventWriter::record(const std::string& event) {
  const std::uint64_t length = event.size();
  const std::string header(reinterpret_cast<const char*>(&length), sizeof length);
  const std::uint32_t header_crc = masked_crc(header), data_crc = masked_crc(event);
  buffer_ += header;
  buffer_.append(reinterpret_cast<const char*>(&header_crc), sizeof header_crc);
  buffer_ += event;
  buffer_.append(reinterpret_cast<const char*>(&data_crc), sizeof data_crc);
}

void EventWriter::flush() {
  if (buffer_.empty()) return;
  append_file(path_, buffer_);
  buffer_.clear();
}

}  // namespace ptnas
