#include "ptnas/core/bzip2.h"

#include "ptnas/core/testing.h"
#include "ptnas/core/value_pickle_testing.h"

namespace ptnas {
namespace {

using testing_values::bzip2;

constexpr std::uint64_t kLimit = 1 << 22;

std::string sample(std::size_t size) {
  std::string result;
  for (std::size_t i = 0; i < size; ++i) result += static_cast<char>(i * i / 7);
  return result;
}

TEST(Bzip2, GivesBackWhatWasCompressed) {
  for (const std::size_t size : {0, 1, 1000, 1 << 18, 1000000})
    EXPECT_EQ(bunzip2(bzip2(sample(size)), "x.bz2", kLimit), sample(size)) << size;
}

TEST(Bzip2, ReadsSeveralStreams) {
  EXPECT_EQ(bunzip2(bzip2("one ") + bzip2("") + bzip2("two"), "x.bz2", kLimit), "one two");
}

TEST(Bzip2, EveryTruncationIsRefused) {
  const std::string whole = bzip2(sample(3000));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error([&] { bunzip2(std::string_view(whole).substr(0, size), "x.bz2", kLimit); },
                 {"x.bz2", "truncated"});
  }
}

TEST(Bzip2, DamagedAndForeignDataIsRefused) {
  std::string damaged = bzip2(sample(3000));
  damaged[damaged.size() / 2] ^= 1;
  for (const std::string& data :
       {damaged, bzip2("x") + "more", std::string("PK\x03\x04"), std::string("index,arch\n")})
    expect_error([&] { bunzip2(data, "x.bz2", kLimit); }, {"x.bz2", "not a whole bzip2 file"});
}

TEST(Bzip2, RefusesMoreThanTheLimit) {
  const std::string zeros = bzip2(std::string(50000000, '\0'));
  expect_error([&] { bunzip2(zeros, "x.bz2", kLimit); }, {"x.bz2", "larger than 4194304 bytes"});
}

}  // namespace
}  // namespace ptnas
