#include "ptnas/report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ptnas/core/error.h"
#include "ptnas/report/draw.h"

namespace ptnas {

namespace {

// Distinct for readers who confuse red and green (Okabe and Ito).
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#555555"};
const char* colour(std::size_t index) { return kColours[index % std::size(kColours)]; }

constexpr int kLeft = 84, kTop = 30, kWidth = 300, kHeight = 210, kBottom = 46, kLegend = 20;

struct Axis {
  double low = 0, high = 1, step = 1;
  double at(double value, double length) const { return (value - low) / (high - low) * length; }
};

// Round ends around all values.
Axis axis_of(double low, double high) {
  if (!(low <= high)) return {0, 1, 0.25};
  if (high - low < 1e-9) {
    low -= 0.5;
    high += 0.5;
  }
  const double rough = (high - low) / 4, power = std::pow(10, std::floor(std::log10(rough)));
  const double factor = rough / power;
  const double step = (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10) * power;
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

std::string text_at(double x, double y, const std::string& text, const char* anchor = "middle",
                    const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     escape_html(text));
}

std::string begin_svg(int width, int height) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 "
      "{0} {1}\" "
      "width=\"{0}\" height=\"{1}\" role=\"img\" font-family=\"system-ui, Helvetica, sans-serif\" "
      "font-size=\"11\" "
      "fill=\"#222\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
      width, height);
}

// Without what steps of binary fractions leave in the last digits, or of 0 its sign.
std::string tick(double value) { return fmt::format("{:g}", std::round(value * 1e6) / 1e6 + 0.0); }

std::string horizontal_grid(const Axis& y, double left, double top, double width) {
  std::string svg;
  for (double value = y.low; value <= y.high + y.step / 2; value += y.step) {
    const double at = top + kHeight - y.at(value, kHeight);
    svg += fmt::format("<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"#ddd\"/>\n", left, at, width);
    svg += text_at(left - 6, at + 4, tick(value), "end");
  }
  return svg;
}

std::string legend(const std::vector<std::string>& names, double x, double y) {
  std::string svg;
  for (std::size_t i = 0; i < names.size(); ++i) {
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n", x,
                       y - 10, colour(i));
    svg += text_at(x + 17, y, names[i], "start");
    x += 40 + 6.3 * static_cast<double>(names[i].size());
  }
  return svg;
}

std::string line_series(const PlotSeries& series, std::size_t index, const Axis& x, const Axis& y,
                        double left) {
  std::string line, upper, lower, dots;
  for (const PlotPoint& point : series.points) {
    const double px = left + x.at(point.x, kWidth), py = kTop + kHeight - y.at(point.y, kHeight);
    const double band = y.at(y.low + point.deviation, kHeight);
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", px, py);
    upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", px, py - band);
    lower = fmt::format("L{:.1f} {:.1f}", px, py + band) + lower;
    dots +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\" fill=\"{}\"/>\n", px, py, colour(index));
  }
  if (line.empty()) return "";
  return fmt::format(
             "<path d=\"{}{}Z\" fill=\"{}\" fill-opacity=\"0.15\"/>\n<path d=\"{}\" fill=\"none\" "
             "stroke=\"{}\" stroke-width=\"1.8\"/>\n",
             upper, lower, colour(index), line, colour(index)) +
         dots;
}

std::string line_panel(const LinePanel& panel, double left) {
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (const PlotSeries& series : panel.series) {
    for (const PlotPoint& point : series.points) {
      x0 = std::min(x0, point.x), x1 = std::max(x1, point.x);
      y0 = std::min(y0, point.y - point.deviation), y1 = std::max(y1, point.y + point.deviation);
    }
  }
  const Axis x = axis_of(x0, x1), y = axis_of(y0, y1);
  std::string svg = text_at(left + kWidth / 2.0, 18, panel.title, "middle", " font-weight=\"600\"");
  svg += horizontal_grid(y, left, kTop, kWidth);
  for (double value = x.low; value <= x.high + x.step / 2; value += x.step)
    svg += text_at(left + x.at(value, kWidth), kTop + kHeight + 16, tick(value));
  svg += text_at(left + kWidth / 2.0, kTop + kHeight + 34, panel.x_label);
  svg += fmt::format(
      "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      left - 68, kTop + kHeight / 2.0, escape_html(panel.y_label));
  for (std::size_t i = 0; i < panel.series.size(); ++i) svg += line_series(panel.series[i], i, x, y, left);
  return svg;
}

std::string bar_panel(const BarPanel& panel, double top, double width) {
  double high = -INFINITY;
  for (const BarGroup& group : panel.groups)
    for (std::size_t i = 0; i < group.values.size(); ++i)
      if (!std::isnan(group.values[i])) high = std::max(high, group.values[i] + group.deviations[i]);
  const Axis y = axis_of(0, high);
  std::string svg = text_at(kLeft, top - 12, panel.title, "start", " font-weight=\"600\"");
  svg += horizontal_grid(y, kLeft, top, width);
  svg +=
      fmt::format("<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                  top + kHeight / 2.0, escape_html(panel.y_label));
  const double slot = width / static_cast<double>(std::max<std::size_t>(1, panel.groups.size()));
  const double bar = 0.8 * slot / static_cast<double>(std::max<std::size_t>(1, panel.series.size()));
  for (std::size_t g = 0; g < panel.groups.size(); ++g) {
    const BarGroup& group = panel.groups[g];
    const double start = kLeft + slot * (static_cast<double>(g) + 0.1);
    svg += text_at(start + 0.4 * slot, top + kHeight + 16, group.name);
    for (std::size_t i = 0; i < group.values.size(); ++i) {
      if (std::isnan(group.values[i])) continue;
      const double x = start + bar * static_cast<double>(i), height = y.at(group.values[i], kHeight);
      const double whisker = y.at(group.deviations[i], kHeight);
      svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
                         x, top + kHeight - height, bar * 0.9, height, colour(i));
      if (whisker > 0)
        svg += fmt::format("<path d=\"M{:.1f} {:.1f}v{:.1f}\" stroke=\"#111\"/>\n", x + bar * 0.45,
                           top + kHeight - height - whisker, 2 * whisker);
    }
  }
  return svg;
}

}  // namespace

std::string draw_lines_svg(const std::vector<LinePanel>& panels) {
  const int step = kLeft + kWidth + 16;
  const int width = step * static_cast<int>(panels.size()) + 10, height = kTop + kHeight + kBottom + kLegend;
  std::string svg = begin_svg(std::max(width, 620), height);
  for (std::size_t i = 0; i < panels.size(); ++i)
    svg += line_panel(panels[i], step * static_cast<double>(i) + kLeft);
  std::vector<std::string> names;
  if (!panels.empty())
    for (const PlotSeries& series : panels.front().series) names.push_back(series.name);
  return svg + legend(names, kLeft, height - 8) + "</svg>\n";
}

std::string draw_bars_svg(const std::vector<BarPanel>& panels) {
  std::size_t groups = 1;
  for (const BarPanel& panel : panels) groups = std::max(groups, panel.groups.size());
  const int width = std::max(560, static_cast<int>(groups) * 90), step = kTop + kHeight + kBottom;
  const int height = step * static_cast<int>(panels.size()) + kLegend + 10;
  std::string svg = begin_svg(width + kLeft + 20, height);
  for (std::size_t i = 0; i < panels.size(); ++i)
    svg += bar_panel(panels[i], step * static_cast<double>(i) + kTop, width);
  return svg +
         legend(panels.empty() ? std::vector<std::string>() : panels.front().series, kLeft, height - 8) +
         "</svg>\n";
}

std::string draw_grid_svg(const std::vector<GridItem>& items, int columns) {
  constexpr double kCell = 430, kTitle = 24;
  std::string body;
  double top = 0, row = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    double width = 0, height = 0;
    std::string svg = items[i].svg;
    const std::size_t box = svg.find("viewBox=\"");
    if (box == svg.npos || std::sscanf(svg.c_str() + box, "viewBox=\"%*f %*f %lf %lf", &width, &height) != 2)
      fail("a drawing without a size cannot stand in a grid");
    for (const char* name : {" width=\"", " height=\""}) {
      const std::size_t end = svg.find('>'), at = svg.find(name);
      if (at != svg.npos && at < end) svg.erase(at, svg.find('"', at + std::string(name).size()) + 1 - at);
    }
    const double shown = std::min(height * std::min(1.0, (kCell - 12) / width), 420.0);
    const double x = static_cast<double>(i % static_cast<std::size_t>(columns)) * kCell;
    svg.insert(4, fmt::format(" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\"", x + 4,
                              top + kTitle, kCell - 12, shown));
    body += text_at(x + 6, top + 16, items[i].title, "start", " font-weight=\"600\"") + svg;
    row = std::max(row, shown + kTitle + 10);
    if ((i + 1) % static_cast<std::size_t>(columns) == 0 || i + 1 == items.size()) {
      top += row;
      row = 0;
    }
  }
  const int used = std::min<int>(columns, std::max<int>(1, static_cast<int>(items.size())));
  return begin_svg(static_cast<int>(kCell) * used, static_cast<int>(std::max(top, 30.0))) + body + "</svg>\n";
}

}  // namespace ptnas
