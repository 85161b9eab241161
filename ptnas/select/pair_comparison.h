#pragma once

#include <cstdint>
#include <optional>

#include "ptnas/select/rules.h"
#include "ptnas/train/image_results.h"

namespace ptnas {

/// The supernet without one candidate, image by image.
struct Measured {
  Score score;
  ImageResults images;
};

/// Standard errors of a score's two means; 0 of fewer than two images.
Score standard_errors(const ImageResults& images);

/// Whether the absence of one candidate hurts more than that of another, on the same images, the first that
/// both have (docs/confidence.md).
struct PairedTest {
  std::int64_t images = 0;
  double difference = 0;  ///< how much more it hurts, in the criterion's unit
  double error = 0;       ///< standard error of that
  /// How probable a difference as large as this is, or a larger one, if the absence hurt no more. Criterion
  /// accuracy: McNemar's exact test; loss: the t-test of paired differences.
  double p = 1;
};

/// With `full`, "hurts more" speaks of exactly that many images, of which these are a random draw without
/// replacement; without, of all the images there could be.
PairedTest compare(const ImageResults& a, const ImageResults& b, Criterion criterion,
                   std::optional<std::int64_t> full = std::nullopt);

/// McNemar's exact test, one-sided: of the images that exactly one of two gets right, `a_wrong` are those
/// that a gets wrong and `b_wrong` those that b does; p of a getting no more wrong than b. `left`: how many
/// of the full number of images have not been drawn; nullopt: there is no such number.
double mcnemar_p(std::int64_t a_wrong, std::int64_t b_wrong, std::optional<std::int64_t> left = std::nullopt);

/// P(T > t) of Student's distribution with `degrees` > 0 degrees of freedom.
double student_tail(double t, double degrees);

/// Of `candidates`, how many ordered pairs there are in which one of the `winners` best stands against
/// another that is not above it: those whose test can err to a winner's loss.
std::int64_t pairs_that_count(std::int64_t candidates, std::int64_t winners);

}  // namespace ptnas
