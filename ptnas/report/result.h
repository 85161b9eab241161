#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/json.h"

namespace ptnas {

/// Mean and sample deviation (0 of fewer than two values) of what several seeds gave.
double mean_of(const std::vector<double>& values);
double deviation_of(const std::vector<double>& values);

/// A cell of a table: a text, what was measured (a value a seed; none: an empty cell), or a number quoted
/// from the paper, which is never counted as measured.
struct ResultCell {
  enum class Kind { kText, kMeasured, kQuoted };
  Kind kind = Kind::kText;
  std::string text;            ///< of a text or a quotation
  std::vector<double> values;  ///< of a measurement, by seed
  int decimals = 2;
};
ResultCell text_cell(std::string text);
ResultCell measured_cell(std::vector<double> values, int decimals = 2);
ResultCell quoted_cell(std::string text);
/// The least of the values; empty where there is none.
ResultCell best_cell(const std::vector<double>& values, int decimals = 2);
/// "2.61 ± 0.08 (4)", "2.61 (1)", or the text.
std::string display(const ResultCell& cell);

struct ResultTable {
  std::string name;  ///< of its files
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<ResultCell>> rows;
};

struct ResultFigure {
  std::string name;  ///< of its file
  std::string caption;
  std::string svg;
};

/// What an experiment has found so far.
struct Result {
  std::vector<ResultTable> tables;
  std::vector<ResultFigure> figures;
  std::vector<std::string> findings;  ///< sentences
};

/// One sentence on a difference of means: "undecided" within two deviations (twice the larger sample
/// deviation of the two) and of fewer than two seeds. Values are errors or accuracies in percent;
/// `lower_is_better` says which. `paper` is what the paper says about it.
std::string comparison(const std::string& what, const std::string& first, const std::vector<double>& a,
                       const std::string& second, const std::vector<double>& b, bool lower_is_better,
                       const std::string& paper);

Json to_json(const ResultTable& table);
std::string to_csv(const ResultTable& table);
std::string to_markdown(const ResultTable& table);

}  // namespace ptnas
