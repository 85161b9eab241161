#pragma once

#include <array>
#include <string>
#include <string_view>

namespace ptnas {

/// The operations of NAS-Bench-201 (Dong and Yang, ICLR 2020); a convolution is ReLU-convolution-BN.
enum class Nb201Operation { kNone, kSkipConnect, kNorConv1x1, kNorConv3x3, kAvgPool3x3 };
constexpr int kNb201OperationCount = 5;
/// As the benchmark spells it: "nor_conv_3x3".
std::string_view name_of(Nb201Operation operation);
/// Throws Error listing the five; `where` says where the name was found.
Nb201Operation find_nb201_operation(std::string_view name, const std::string& where);

/// Edges of the cell of four nodes, in the order 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2.
constexpr int kNb201EdgeCount = 6;
/// 5 operations on 6 edges; the benchmark's indices are 0 .. 15,624, in an order of its own that its tables
/// tell.
constexpr int kNb201ArchitectureCount = 15625;

/// An architecture of NAS-Bench-201: one operation an edge. Different ones may be the same network.
struct Nb201Architecture {
  std::array<Nb201Operation, kNb201EdgeCount> operations = {};

  bool operator==(const Nb201Architecture&) const = default;
};

/// Reads "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|", exactly as the benchmark writes it. Throws Error; `where`
/// says where the text was found.
Nb201Architecture parse_nb201_architecture(std::string_view text, const std::string& where);
/// Writes that form.
std::string format_nb201_architecture(const Nb201Architecture& architecture);

}  // namespace ptnas
