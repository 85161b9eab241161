#include "ptnas/space/nb201_architecture.h"

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr int kNodes = 4;
constexpr std::array<std::string_view, kNb201OperationCount> kNames = {"none", "skip_connect", "nor_conv_1x1",
                                                                       "nor_conv_3x3", "avg_pool_3x3"};
constexpr std::size_t kMostShown = 120;  // an architecture has at most 104 characters

// One text being read, piece by piece.
class Reader {
 public:
  Reader(std::string_view text, const std::string& where) : text_(text), rest_(text), where_(where) {}

  void expect(std::string_view piece) {
    if (!rest_.starts_with(piece)) refuse(fmt::format("`{}`", piece));
    rest_.remove_prefix(piece.size());
  }
  Nb201Operation operation() {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (!rest_.starts_with(kNames[i]) || !rest_.substr(kNames[i].size()).starts_with('~')) continue;
      rest_.remove_prefix(kNames[i].size());
      return static_cast<Nb201Operation>(i);
    }
    refuse(fmt::format("one of {}", fmt::join(kNames, ", ")));
  }
  void expect_end() const {
    if (!rest_.empty()) refuse("the end");
  }

 private:
  [[noreturn]] void refuse(const std::string& expected) const {
    fail(
        "{}: `{}` is not an architecture of NAS-Bench-201: expected {} at character {}; the form is "
        "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|",
        where_, shown(), expected, text_.size() - rest_.size() + 1);
  }
  // Short and on one line, whatever the text was.
  std::string shown() const {
    std::string result(text_.substr(0, kMostShown));
    for (char& c : result) {
      if (c >= 0 && c < ' ') c = '?';
    }
    return result + (text_.size() > kMostShown ? "..." : "");
  }

  std::string_view text_, rest_;
  const std::string& where_;
};

}  // namespace

std::string_view name_of(Nb201Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

Nb201Operation find_nb201_operation(std::string_view name, const std::string& where) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Nb201Operation>(i);
  }
  fail("{}: `{}` is not an operation of NAS-Bench-201; there are {}", where, name, fmt::join(kNames, ", "));
}

Nb201Architecture parse_nb201_architecture(std::string_view text, const std::string& where) {
  Reader reader(text, where);
  Nb201Architecture architecture;
  std::size_t edge = 0;
  for (int node = 1; node < kNodes; ++node) {
    reader.expect(node == 1 ? "|" : "+|");
    for (int from = 0; from < node; ++from) {
      architecture.operations[edge++] = reader.operation();
      reader.expect(fmt::format("~{}|", from));
    }
  }
  reader.expect_end();
  return architecture;
}

std::string format_nb201_architecture(const Nb201Architecture& architecture) {
  std::string text;
  std::size_t edge = 0;
  for (int node = 1; node < kNodes; ++node) {
    text += node == 1 ? "|" : "+|";
    for (int from = 0; from < node; ++from)
      text += fmt::format("{}~{}|", name_of(architecture.operations[edge++]), from);
  }
  return text;
}

}  // namespace ptnas
