#pragma once

#include <cstddef>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/select/event_scorer.h"

namespace ptnas {

// What selection.json says of a decision's measurements and of how sure they are (docs/formats.md,
// docs/confidence.md).

/// A score with its standard errors.
Json measured_json(const Measured& measured);

/// A candidate's score; where it was dropped before the others also its number of images, and the baseline
/// on these.
Json candidate_json(const EventScores& scores, std::size_t candidate);

/// The score of one of `event`'s entries, to be compared with others': of one that was dropped, its distance
/// from its own baseline added to the event's.
Score comparable_score(const Json& entry, const Json& event);

/// Those of the candidates that were not dropped, on the same images.
std::vector<Score> left_scores(const EventScores& scores);

/// `count` of those candidates that were not dropped, the ones whose absence hurts most, ascending.
std::vector<int> best_left(const EventScores& scores, std::size_t count, const SelectOptions& options);

/// Sets `event`'s images and baseline, of early-stop also the looks, in which candidates have `names`, and
/// how many evaluations of an image were made and saved.
void put_measured(Json& event, const EventScores& scores, const std::vector<Json>& names);

/// Sets `event`'s margin, every test of a winner against another candidate, and whether the decision is
/// within noise: at least one of them, by Bonferroni's inequality over all, leaves more than 1 - confidence.
void put_tests(Json& event, const EventScores& scores, const std::vector<int>& winners,
               const std::vector<Json>& names, const SelectOptions& options);

/// Adds up what the events of `record` say: how many decisions were measured and how many of them are within
/// noise, and the evaluations that were made and saved. Says so in the log, too; nothing where nothing was
/// measured.
void put_summary(Json& record);

}  // namespace ptnas
