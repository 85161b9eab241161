#pragma once

#include <string>
#include <vector>

namespace ptnas {

struct PlotPoint {
  double x = 0, y = 0, deviation = 0;
};
struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;
};
/// One panel of lines with bands of one deviation.
struct LinePanel {
  std::string title, x_label, y_label;
  std::vector<PlotSeries> series;
};
/// Panels side by side, one legend; a file or an element of a page.
std::string draw_lines_svg(const std::vector<LinePanel>& panels);

/// A group of bars, one a series; NaN: none.
struct BarGroup {
  std::string name;
  std::vector<double> values, deviations;
};
struct BarPanel {
  std::string title, y_label;
  std::vector<std::string> series;
  std::vector<BarGroup> groups;
};
/// Panels one below the other.
std::string draw_bars_svg(const std::vector<BarPanel>& panels);

/// Drawings (each an <svg> element with a viewBox) in a grid, each under its title.
struct GridItem {
  std::string title, svg;
};
std::string draw_grid_svg(const std::vector<GridItem>& items, int columns);

}  // namespace ptnas
