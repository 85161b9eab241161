#include "ptnas/select/confidence.h"

#include <algorithm>
#include <optional>

#include "ptnas/core/log.h"
#include "ptnas/select/selection_record.h"

namespace ptnas {

namespace {

Json with_errors(const Score& score, const ImageResults& images) {
  const Score errors = standard_errors(images);
  Json json = score_json(score);
  json["loss_error"] = errors.loss;
  json["accuracy_error"] = errors.accuracy;
  return json;
}

// Of the first `count` images.
Score score_of_first(const ImageResults& images, std::size_t count) {
  Score sum;
  for (std::size_t i = 0; i < count; ++i) {
    sum.loss += images.losses[i];
    sum.accuracy += images.right[i];
  }
  const auto n = static_cast<double>(std::max<std::size_t>(count, 1));
  return {sum.loss / n, sum.accuracy / n};
}

// Evaluations of one image by the supernet under one mask, or none.
std::int64_t evaluations_made(const EventScores& scores) {
  std::size_t made = scores.baseline.images.size();
  for (const Measured& candidate : scores.candidates) made += candidate.images.size();
  return static_cast<std::int64_t>(made);
}

Json test_json(const PairedTest& test, const Json& better, const Json& worse) {
  Json json = Json::object();
  json["better"] = better;
  json["worse"] = worse;
  json["images"] = test.images;
  json["difference"] = test.difference;
  json["error"] = test.error;
  json["p"] = test.p;
  return json;
}

}  // namespace

Json measured_json(const Measured& measured) { return with_errors(measured.score, measured.images); }

Json candidate_json(const EventScores& scores, std::size_t candidate) {
  const Measured& measured = scores.candidates[candidate];
  Json json = measured_json(measured);
  if (measured.images.size() == scores.baseline.images.size()) return json;
  json["images"] = measured.images.size();
  json["baseline"] = score_json(score_of_first(scores.baseline.images, measured.images.size()));
  return json;
}

Score comparable_score(const Json& entry, const Json& event) {
  Score score{entry.at("loss").get<double>(), entry.at("accuracy").get<double>()};
  if (!entry.contains("baseline")) return score;
  const Json &own = entry["baseline"], &baseline = event.at("baseline");
  score.loss += baseline.at("loss").get<double>() - own.at("loss").get<double>();
  score.accuracy += baseline.at("accuracy").get<double>() - own.at("accuracy").get<double>();
  return score;
}

std::vector<Score> left_scores(const EventScores& scores) {
  std::vector<Score> result;
  for (const int candidate : scores.left)
    result.push_back(scores.candidates[static_cast<std::size_t>(candidate)].score);
  return result;
}

std::vector<int> best_left(const EventScores& scores, std::size_t count, const SelectOptions& options) {
  std::vector<int> best;
  for (const int place :
       rank_edges(left_scores(scores), parse_criterion(options.criterion), parse_ties(options.ties))) {
    if (best.size() < count) best.push_back(scores.left[static_cast<std::size_t>(place)]);
  }
  std::sort(best.begin(), best.end());
  return best;
}

void put_measured(Json& event, const EventScores& scores, const std::vector<Json>& names) {
  event["images"] = scores.baseline.images.size();
  event["baseline"] = measured_json(scores.baseline);
  if (scores.looks.empty()) return;
  event["looks"] = Json::array();
  for (const Race::Look& look : scores.looks) {
    Json entry = Json::object();
    entry["images"] = look.images;
    entry["dropped"] = Json::array();
    for (const int candidate : look.dropped)
      entry["dropped"].push_back(names[static_cast<std::size_t>(candidate)]);
    event["looks"].push_back(std::move(entry));
  }
  const std::int64_t made = evaluations_made(scores);
  const auto passes = static_cast<std::int64_t>(scores.candidates.size()) + 1;
  event["evaluations"] = Json::object();
  event["evaluations"]["made"] = made;
  event["evaluations"]["saved"] = passes * scores.images - made;
}

void put_tests(Json& event, const EventScores& scores, const std::vector<int>& winners,
               const std::vector<Json>& names, const SelectOptions& options) {
  const auto count = static_cast<std::int64_t>(scores.candidates.size());
  const std::int64_t comparisons =
      pairs_that_count(count, static_cast<std::int64_t>(winners.size())) * scores.planned_looks;
  std::optional<double> margin;
  bool within_noise = false;
  event["tests"] = Json::array();
  for (const int winner : winners) {
    for (int other = 0; other < static_cast<int>(count); ++other) {
      if (std::find(winners.begin(), winners.end(), other) != winners.end()) continue;
      const auto w = static_cast<std::size_t>(winner), o = static_cast<std::size_t>(other);
      const PairedTest test = compare(scores.candidates[w].images, scores.candidates[o].images,
                                      parse_criterion(options.criterion));
      within_noise |= test.p * static_cast<double>(comparisons) > 1 - options.confidence;
      margin = std::min(margin.value_or(test.difference), test.difference);
      event["tests"].push_back(test_json(test, names[w], names[o]));
    }
  }
  if (event["margin"].is_null() && margin) event["margin"] = *margin;
  event["comparisons"] = comparisons;
  event["within_noise"] = within_noise;
}

void put_summary(Json& record) {
  std::int64_t measured = 0, within_noise = 0, made = 0, saved = 0;
  for (const Json& event : record.at("events")) {
    if (!event.contains("within_noise")) continue;
    ++measured;
    within_noise += event["within_noise"].get<bool>() ? 1 : 0;
    if (!event.contains("evaluations")) continue;
    made += event["evaluations"].at("made").get<std::int64_t>();
    saved += event["evaluations"].at("saved").get<std::int64_t>();
  }
  if (measured == 0) return;
  record["within_noise"] = Json::object();
  record["within_noise"]["decisions"] = within_noise;
  record["within_noise"]["measured"] = measured;
  log_info("{} of {} measured decisions are within noise", within_noise, measured);
  if (made == 0) return;
  record["evaluations"] = Json::object();
  record["evaluations"]["made"] = made;
  record["evaluations"]["saved"] = saved;
  log_info("early stop saved {} of {} evaluations of an image ({:.1f} %)", saved, made + saved,
           100 * static_cast<double>(saved) / static_cast<double>(made + saved));
}

}  // namespace ptnas
