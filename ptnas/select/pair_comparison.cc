#include "ptnas/select/pair_comparison.h"

#include <algorithm>
#include <cmath>

namespace ptnas {

namespace {

// Mean and standard deviation (n - 1) of n numbers.
struct Moments {
  double mean = 0, deviation = 0;
};
template <typename Value>
Moments moments_of(std::size_t n, const Value& value) {
  Moments moments;
  if (n == 0) return moments;
  for (std::size_t i = 0; i < n; ++i) moments.mean += value(i);
  moments.mean /= static_cast<double>(n);
  if (n < 2) return moments;
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double off = value(i) - moments.mean;
    squares += off * off;
  }
  moments.deviation = std::sqrt(squares / static_cast<double>(n - 1));
  return moments;
}

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

// The sum of a unimodal distribution's terms from one beyond the mode on: ratio(x) leads from term x to x
// + 1.
template <typename Ratio>
double sum_of_tail(double first_term, std::int64_t first, std::int64_t last, const Ratio& ratio) {
  double term = first_term, sum = 0;
  for (std::int64_t x = first; x <= last && term > sum * 1e-18; ++x) {
    sum += term;
    term *= ratio(static_cast<double>(x));
  }
  return std::min(sum, 1.0);
}

// P(X >= x) where half of `balls` balls are red and X are among `drawn` that are drawn; x > drawn / 2.
double upper_hypergeometric(std::int64_t x, std::int64_t drawn, std::int64_t balls) {
  const auto red = static_cast<double>(balls / 2), d = static_cast<double>(drawn),
             from = static_cast<double>(x);
  if (from > red || drawn - x > balls / 2) return 0;
  const double first =
      std::exp(log_choose(red, from) + log_choose(red, d - from) - log_choose(static_cast<double>(balls), d));
  return sum_of_tail(first, x, std::min(drawn, balls / 2),
                     [&](double k) { return (red - k) * (d - k) / ((k + 1) * (red - d + k + 1)); });
}

// The same with more balls than can be counted.
double upper_binomial(std::int64_t x, std::int64_t drawn) {
  const auto d = static_cast<double>(drawn);
  const double first = std::exp(log_choose(d, static_cast<double>(x)) - d * std::log(2.0));
  return sum_of_tail(first, x, drawn, [&](double k) { return (d - k) / (k + 1); });
}

// The continued fraction of the incomplete beta function I_x(a, b), good for x < (a + 1) / (a + b + 2)
// (Abramowitz and Stegun 26.5.8), from its end by Lentz's forward products.
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto safe = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / safe(1 - (a + b) * x / (a + 1)), result = d;
  for (int m = 1; m <= 300; ++m) {
    for (const bool even : {true, false}) {
      const double numerator = even ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                    : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / safe(1 + numerator * d);
      c = safe(1 + numerator / c);
      result *= c * d;
    }
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return result;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a
                                   : 1 - front * beta_fraction(1 - x, b, a) / b;
}

PairedTest compare_right(const ImageResults& a, const ImageResults& b, PairedTest test,
                         std::optional<std::int64_t> left) {
  const auto n = static_cast<std::size_t>(test.images);
  std::int64_t a_wrong = 0, b_wrong = 0;
  for (std::size_t i = 0; i < n; ++i) {
    a_wrong += a.right[i] < b.right[i];
    b_wrong += b.right[i] < a.right[i];
  }
  const Moments moments =
      moments_of(n, [&](std::size_t i) { return static_cast<double>(b.right[i]) - a.right[i]; });
  test.difference = moments.mean;
  test.error = moments.deviation / std::sqrt(static_cast<double>(n));
  test.p = mcnemar_p(a_wrong, b_wrong, left);
  return test;
}

PairedTest compare_losses(const ImageResults& a, const ImageResults& b, PairedTest test,
                          std::optional<std::int64_t> full) {
  const auto n = static_cast<double>(test.images);
  const Moments moments = moments_of(static_cast<std::size_t>(test.images), [&](std::size_t i) {
    return static_cast<double>(a.losses[i]) - b.losses[i];
  });
  test.difference = moments.mean;
  test.error = moments.deviation / std::sqrt(n);
  if (full) test.error *= std::sqrt(std::max(0.0, 1 - n / static_cast<double>(*full)));
  if (test.error > 0) {
    test.p = test.images < 2 ? 1 : student_tail(test.difference / test.error, n - 1);
  } else {
    test.p = test.difference > 0 ? 0 : 1;  // nothing is left to chance, or all images agree
  }
  return test;
}

}  // namespace

Score standard_errors(const ImageResults& images) {
  const std::size_t n = images.size();
  if (n < 2) return {};
  const double root = std::sqrt(static_cast<double>(n));
  const auto loss = [&](std::size_t i) { return static_cast<double>(images.losses[i]); };
  const auto right = [&](std::size_t i) { return static_cast<double>(images.right[i]); };
  return {moments_of(n, loss).deviation / root, moments_of(n, right).deviation / root};
}

PairedTest compare(const ImageResults& a, const ImageResults& b, Criterion criterion,
                   std::optional<std::int64_t> full) {
  PairedTest test;
  test.images = static_cast<std::int64_t>(std::min(a.size(), b.size()));
  if (test.images == 0) return test;
  if (criterion == Criterion::kLoss) return compare_losses(a, b, test, full);
  return compare_right(a, b, test, full ? std::optional(*full - test.images) : std::nullopt);
}

double mcnemar_p(std::int64_t a_wrong, std::int64_t b_wrong, std::optional<std::int64_t> left) {
  if (left && *left <= 0) return a_wrong > b_wrong ? 0 : 1;
  const std::int64_t drawn = a_wrong + b_wrong;
  // The least favourable numbers: everything that is left differs, and of all that differ half is each one's.
  const std::int64_t balls = left ? (drawn + *left) / 2 * 2 : 0;
  const auto upper = [&](std::int64_t x) {
    return left ? upper_hypergeometric(x, drawn, balls) : upper_binomial(x, drawn);
  };
  // Both distributions are symmetric, and sums are exact beyond the middle.
  return 2 * a_wrong > drawn ? upper(a_wrong) : 1 - upper(b_wrong + 1);
}

double student_tail(double t, double degrees) {
  if (std::isnan(t)) return 1;
  const double two_sided = incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? two_sided / 2 : 1 - two_sided / 2;
}

std::int64_t pairs_that_count(std::int64_t candidates, std::int64_t winners) {
  const std::int64_t m = std::min(candidates, winners);
  return m * candidates - m * (m + 1) / 2;
}

}  // namespace ptnas
