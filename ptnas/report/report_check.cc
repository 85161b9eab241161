#include "ptnas/report/report_check.h"

#include <algorithm>
#include <initializer_list>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

enum class Is { kText, kNumber, kNumberOrNull, kTruth, kList, kObject };

bool matches(const Json& value, Is kind) {
  switch (kind) {
    case Is::kText:
      return value.is_string();
    case Is::kNumber:
      return value.is_number();
    case Is::kNumberOrNull:
      return value.is_number() || value.is_null();
    case Is::kTruth:
      return value.is_boolean();
    case Is::kList:
      return value.is_array();
    case Is::kObject:
      return value.is_object();
  }
  return false;
}

const char* describe(Is kind) {
  switch (kind) {
    case Is::kText:
      return "a text";
    case Is::kNumber:
      return "a number";
    case Is::kNumberOrNull:
      return "a number or null";
    case Is::kTruth:
      return "true or false";
    case Is::kList:
      return "a list";
    case Is::kObject:
      return "an object";
  }
  return "";
}

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  fail("{}: expected {}; the file is damaged: repeat the step that wrote it", where, what);
}

void require(const Json& value, const std::string& where, Is kind, std::initializer_list<const char*> keys) {
  if (!value.is_object()) damaged(where, fmt::format("an object, found {}", value.type_name()));
  for (const char* key : keys) {
    if (!value.contains(key)) damaged(where, fmt::format("`{}` to be {}, found none", key, describe(kind)));
    if (!matches(value[key], kind)) {
      damaged(where, fmt::format("`{}` to be {}, found {}", key, describe(kind), value[key].type_name()));
    }
  }
}

void require_all(const Json& list, const std::string& where, const char* name, Is kind) {
  for (const Json& value : list) {
    if (!matches(value, kind)) {
      damaged(where, fmt::format("each of `{}` to be {}, found {}", name, describe(kind), value.type_name()));
    }
  }
}

void require_size(const Json& list, std::size_t size, const std::string& where, const char* name) {
  if (list.size() != size) damaged(where, fmt::format("{} {}, found {}", size, name, list.size()));
}

// By edge a list of one entry a candidate, for both cells; NAS-Bench-201 has no reduction cell.
void check_matrices(const Json& cells, const std::string& where, const char* name, Is kind) {
  require(cells, where, Is::kList, {"normal"});
  if (cells.contains("reduction")) require(cells, where, Is::kList, {"reduction"});
  for (const char* cell : {"normal", "reduction"}) {
    if (!cells.contains(cell)) continue;
    require_all(cells[cell], where, name, Is::kList);
    for (const Json& row : cells[cell]) require_all(row, where, name, kind);
  }
}

void check_baseline(const Json& event, bool measured, const std::string& where) {
  if (!measured) return;
  require(event, where, Is::kObject, {"baseline"});
  require(event["baseline"], where, Is::kNumber, {"loss", "accuracy"});
}

void check_optional(const Json& value, const std::string& where, Is kind,
                    std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (value.contains(key)) require(value, where, kind, {key});
  }
}

// What a score may say of how sure it is, and of being measured on fewer images than others.
void check_confidence(const Json& score, const std::string& where) {
  check_optional(score, where, Is::kNumber, {"loss_error", "accuracy_error", "images"});
  check_optional(score, where, Is::kObject, {"baseline"});
  if (score.contains("baseline")) require(score["baseline"], where, Is::kNumber, {"loss", "accuracy"});
}

// Whether a decision is within noise, its tests, and what early-stop saved.
void check_noise(const Json& event, const std::string& where) {
  check_optional(event, where, Is::kTruth, {"within_noise"});
  check_optional(event, where, Is::kList, {"tests"});
  check_optional(event, where, Is::kObject, {"evaluations"});
  if (event.contains("evaluations")) require(event["evaluations"], where, Is::kNumber, {"made", "saved"});
  if (!event.contains("tests")) return;
  for (const Json& test : event["tests"])
    require(test, where, Is::kNumber, {"images", "difference", "error", "p"});
}

void check_operation_event(const Json& event, const std::string& where) {
  require(event, where, Is::kNumber, {"edge", "from"});
  require(event, where, Is::kText, {"chosen", "alpha_choice"});
  require(event, where, Is::kList, {"scores"});
  for (const Json& score : event["scores"]) {
    require(score, where, Is::kText, {"operation"});
    require(score, where, Is::kNumber, {"loss", "accuracy", "alpha"});
    check_confidence(score, where);
  }
  check_baseline(event, !event["scores"].empty(), where);
}

void check_topology_event(const Json& event, const std::string& where) {
  require(event, where, Is::kList, {"rounds", "kept", "alpha_choice"});
  require_all(event["kept"], where, "kept", Is::kNumber);
  require_all(event["alpha_choice"], where, "alpha_choice", Is::kNumber);
  require_all(event["rounds"], where, "rounds", Is::kList);
  for (const Json& round : event["rounds"]) {
    for (const Json& score : round) {
      require(score, where, Is::kText, {"operation"});
      require(score, where, Is::kNumber, {"edge", "from", "loss", "accuracy"});
      check_confidence(score, where);
    }
  }
  check_baseline(event, !event["rounds"].empty(), where);
}

}  // namespace

void check_data(const Json& data, const std::string& where) {
  require(data, where, Is::kText, {"name"});
  require(data, where, Is::kNumber, {"channels", "height", "width", "train", "test"});
  require(data, where, Is::kList, {"classes", "train_counts", "test_counts", "mean", "deviation"});
  require_all(data["classes"], where, "classes", Is::kText);
  for (const char* key : {"train_counts", "test_counts"}) {
    require_size(data[key], data["classes"].size(), where, key);
    require_all(data[key], where, key, Is::kNumber);
  }
  for (const char* key : {"mean", "deviation"}) require_all(data[key], where, key, Is::kNumber);
  for (const char* key : {"held_out", "left_out"}) {
    if (!data.contains(key)) continue;
    require(data, where, Is::kList, {key});
    require_all(data[key], where, key, Is::kText);
  }
}

void check_environment(const Json& environment, const std::string& where) {
  if (!environment.contains("command_lines")) return;
  require(environment, where, Is::kList, {"command_lines"});
  require_all(environment["command_lines"], where, "command_lines", Is::kList);
  for (const Json& words : environment["command_lines"])
    require_all(words, where, "command_lines", Is::kText);
}

void check_selection(const Json& selection, const std::string& where) {
  require(selection, where, Is::kText, {"selection", "criterion", "space"});
  require(selection, where, Is::kObject, {"candidates", "alpha", "magnitude_genotype"});
  require(selection, where, Is::kList, {"events"});
  check_matrices(selection["candidates"], where, "candidates", Is::kText);
  check_matrices(selection["alpha"], where, "alpha", Is::kNumberOrNull);
  for (std::size_t i = 0; i < selection["events"].size(); ++i) {
    const Json& event = selection["events"][i];
    const std::string place = fmt::format("event {} of {}", i, where);
    require(event, place, Is::kText, {"kind", "cell"});
    require(event, place, Is::kNumber, {"event", "node"});
    const std::string cell = event["cell"].get<std::string>(), kind = event["kind"].get<std::string>();
    if (cell != "normal" && cell != "reduction") damaged(place, "`cell` to be normal or reduction");
    if (kind != "operation" && kind != "topology") damaged(place, "`kind` to be operation or topology");
    check_noise(event, place);
    kind == "operation" ? check_operation_event(event, place) : check_topology_event(event, place);
  }
}

void check_evaluation(const Json& evaluation, const std::string& where) {
  require(evaluation, where, Is::kNumber,
          {"images", "loss", "top1", "top5", "parameters", "multiply_adds", "milliseconds_per_image"});
  require(evaluation, where, Is::kList, {"per_class", "confusion"});
  const std::size_t classes = evaluation["per_class"].size();
  require_size(evaluation["confusion"], classes, where, "rows in `confusion`");
  require_all(evaluation["confusion"], where, "confusion", Is::kList);
  for (std::size_t i = 0; i < classes; ++i) {
    require(evaluation["per_class"][i], where, Is::kText, {"class"});
    require(evaluation["per_class"][i], where, Is::kNumberOrNull, {"accuracy"});
    require_size(evaluation["confusion"][i], classes, where, "columns in `confusion`");
    require_all(evaluation["confusion"][i], where, "confusion", Is::kNumber);
  }
}

void check_metrics_line(const Json& line, const std::string& where) {
  require(line, where, Is::kText, {"phase"});
  require(line, where, Is::kNumber, {"epoch"});
  for (const char* key : {"train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_loss",
                          "test_accuracy", "seconds"}) {
    if (line.contains(key)) require(line, where, Is::kNumberOrNull, {key});
  }
  if (line.contains("alpha")) check_matrices(line["alpha"], where, "alpha", Is::kNumberOrNull);
}

}  // namespace ptnas
