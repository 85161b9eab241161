#include "ptnas/core/event_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

// A second reading of the format that shares nothing with the writer: bit by bit CRC-32C, and protocol-buffer
// fields collected by number.

std::uint32_t slow_crc32c(std::string_view data) {
  std::uint32_t remainder = 0xFFFFFFFFu;
  for (const char c : data) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((remainder ^ (static_cast<unsigned>(c) >> bit)) & 1) != 0;
      remainder >>= 1;
      if (carry) remainder ^= 0x82F63B78u;
    }
  }
  return ~remainder;
}

std::uint32_t slow_masked(std::string_view data) {
  const std::uint32_t crc = slow_crc32c(data);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <typename T>
T load(std::string_view data, std::size_t at) {
  if (at + sizeof(T) > data.size()) throw std::runtime_error("record is cut");
  T value;
  std::memcpy(&value, data.data() + at, sizeof value);
  return value;
}

struct Field {
  std::uint64_t number = 0;  // varint
  std::string_view bytes;    // the rest
};
using Fields = std::multimap<std::uint64_t, Field>;

std::uint64_t read_varint(std::string_view data, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const auto byte = load<unsigned char>(data, at++);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("varint is too long");
}

Fields read_fields(std::string_view data) {
  Fields fields;
  for (std::size_t at = 0; at < data.size();) {
    const std::uint64_t tag = read_varint(data, at);
    Field field;
    std::size_t size = 0;
    switch (tag & 7) {
      case 0:
        field.number = read_varint(data, at);
        break;
      case 1:
        size = 8;
        break;
      case 2:
        size = read_varint(data, at);
        break;
      case 5:
        size = 4;
        break;
      default:
        throw std::runtime_error("unknown wire type");
    }
    if (size > data.size() - at) throw std::runtime_error("field is cut");
    field.bytes = data.substr(at, size);
    at += size;
    fields.emplace(tag >> 3, field);
  }
  return fields;
}

const Field& one(const Fields& fields, std::uint64_t number) {
  if (fields.count(number) != 1)
    throw std::runtime_error("expected field " + std::to_string(number) + " once");
  return fields.find(number)->second;
}

std::vector<std::string> read_records(const std::string& content) {
  std::vector<std::string> records;
  for (std::size_t at = 0; at < content.size();) {
    const auto length = load<std::uint64_t>(content, at);
    EXPECT_EQ(load<std::uint32_t>(content, at + 8), slow_masked(content.substr(at, 8)));
    records.push_back(content.substr(at + 12, length));
    EXPECT_EQ(records.back().size(), length);
    EXPECT_EQ(load<std::uint32_t>(content, at + 12 + length), slow_masked(records.back()));
    at += 16 + length;
  }
  return records;
}

std::vector<double> doubles(std::string_view packed) {
  std::vector<double> values;
  for (std::size_t at = 0; at < packed.size(); at += 8) values.push_back(load<double>(packed, at));
  return values;
}

struct Histogram {
  double min, max, count, sum, squares;
  std::vector<double> limits, buckets;
};

struct ReadEvent {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string tag;
  std::optional<float> scalar;
  std::optional<Histogram> histogram;
};

ReadEvent read_event(const std::string& record) {
  const Fields event = read_fields(record);
  const Fields summary = read_fields(one(event, 5).bytes);
  const Fields value = read_fields(one(summary, 1).bytes);
  ReadEvent result;
  result.wall_time = load<double>(one(event, 1).bytes, 0);
  result.step = static_cast<std::int64_t>(one(event, 2).number);
  result.tag = one(value, 1).bytes;
  if (value.contains(2)) result.scalar = load<float>(one(value, 2).bytes, 0);
  if (value.contains(5)) {
    const Fields h = read_fields(one(value, 5).bytes);
    const auto number = [&h](std::uint64_t field) { return load<double>(one(h, field).bytes, 0); };
    result.histogram = Histogram{number(1),
                                 number(2),
                                 number(3),
                                 number(4),
                                 number(5),
                                 doubles(one(h, 6).bytes),
                                 doubles(one(h, 7).bytes)};
  }
  return result;
}

TEST(EventWriterTest, ChecksumsAreThePublishedOnes) {
  // RFC 3720, Appendix B.4, and the usual check value.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(""), 0u);
  std::string all(256, '\0');
  std::iota(all.begin(), all.end(), '\0');
  EXPECT_EQ(crc32c(all), slow_crc32c(all));
}

TEST(EventWriterTest, ScalarsAreReadBackByASecondReader) {
  const ScratchDirectory scratch;
  EventWriter writer(scratch / "events");
  writer.scalar("train/loss", 0.1, 0, 1.5e9);
  writer.scalar(std::string(300, 't'), -1e300, std::int64_t{1} << 40, 1.5e9 + 0.25);
  EXPECT_EQ(read_records(read_file(scratch / "events")).size(), 1u);  // not flushed yet
  writer.flush();
  const auto records = read_records(read_file(scratch / "events"));
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(one(read_fields(records[0]), 3).bytes, "brain.Event:2");
  const ReadEvent first = read_event(records[1]), second = read_event(records[2]);
  EXPECT_EQ(first.tag, "train/loss");
  EXPECT_EQ(first.step, 0);
  EXPECT_EQ(first.wall_time, 1.5e9);
  EXPECT_EQ(first.scalar, 0.1f);
  EXPECT_EQ(second.tag, std::string(300, 't'));
  EXPECT_EQ(second.step, std::int64_t{1} << 40);
  EXPECT_EQ(second.wall_time, 1.5e9 + 0.25);
  EXPECT_EQ(second.scalar, -std::numeric_limits<float>::infinity());
}

TEST(EventWriterTest, HistogramsCountEveryFiniteValue) {
  const ScratchDirectory scratch;
  EventWriter writer(scratch / "events");
  const std::vector<double> values = {0.125, 0.125, 0.5, 0, -3, 1e30, std::nan(""), INFINITY};
  writer.histogram("search/alpha.normal", values, 7, 2);
  writer.histogram("none", {std::nan("")}, 8, 2);
  writer.histogram("empty", {}, 8, 2);
  writer.flush();
  const auto records = read_records(read_file(scratch / "events"));
  ASSERT_EQ(records.size(), 2u);
  const ReadEvent event = read_event(records[1]);
  EXPECT_EQ(event.tag, "search/alpha.normal");
  EXPECT_EQ(event.step, 7);
  EXPECT_FALSE(event.scalar);
  ASSERT_TRUE(event.histogram);
  const Histogram& h = *event.histogram;
  EXPECT_EQ(h.min, -3);
  EXPECT_EQ(h.max, 1e30);
  EXPECT_EQ(h.count, 6);
  EXPECT_EQ(h.sum, 0.125 + 0.125 + 0.5 - 3 + 1e30);
  EXPECT_DOUBLE_EQ(h.squares, 2 * 0.015625 + 0.25 + 9 + 1e60);
  ASSERT_EQ(h.limits.size(), h.buckets.size());
  EXPECT_TRUE(std::is_sorted(h.limits.begin(), h.limits.end()));
  EXPECT_EQ(std::accumulate(h.buckets.begin(), h.buckets.end(), 0.0), 6);
  // Every value lies below the limit of its bucket, and not below the one before.
  for (const double value : {0.125, 0.5, 0.0, -3.0, 1e30}) {
    const auto bucket = std::upper_bound(h.limits.begin(), h.limits.end(), value) - h.limits.begin();
    EXPECT_EQ(h.buckets.at(static_cast<std::size_t>(bucket)), value == 0.125 ? 2 : 1) << value;
  }
}

TEST(EventWriterTest, AnExistingFileIsContinued) {
  const ScratchDirectory scratch;
  for (int step = 0; step < 3; ++step) {
    EventWriter writer(scratch / "events");
    writer.scalar("x", step, step, 0);
    writer.flush();
  }
  const auto records = read_records(read_file(scratch / "events"));
  ASSERT_EQ(records.size(), 4u);
  for (int step = 0; step < 3; ++step) {
    EXPECT_EQ(read_event(records[static_cast<std::size_t>(step) + 1]).step, step);
  }
}

TEST(EventWriterTest, APlaceThatCannotBeWrittenIsNamed) {
  const ScratchDirectory scratch;
  expect_error([&] { EventWriter(scratch / "no/events"); }, {"no/events", "No such file"});
}

}  // namespace
}  // namespace ptnas
