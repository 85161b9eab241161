#include "ptnas/report/resources.h"

// The assembler copies the file into read-only data; the build system names the paths and knows the files as
// dependencies.
#define PTNAS_EMBED(symbol, path)                                                  \
  asm(".pushsection .rodata\n"                                                     \
      ".global ptnas_" #symbol "_begin\nptnas_" #symbol "_begin:\n.incbin \"" path \
      "\"\n"                                                                       \
      ".global ptnas_" #symbol "_end\nptnas_" #symbol                              \
      "_end:\n.byte 0\n"                                                           \
      ".popsection\n");                                                            \
  extern "C" const char ptnas_##symbol##_begin[], ptnas_##symbol##_end[];

PTNAS_EMBED(chart_js, PTNAS_CHART_JS)
PTNAS_EMBED(page_css, PTNAS_REPORT_DIR "/page.css")
PTNAS_EMBED(page_elements_js, PTNAS_REPORT_DIR "/page_elements.js")
PTNAS_EMBED(page_charts_js, PTNAS_REPORT_DIR "/page_charts.js")
PTNAS_EMBED(page_run_js, PTNAS_REPORT_DIR "/page_run.js")
PTNAS_EMBED(page_decisions_js, PTNAS_REPORT_DIR "/page_decisions.js")
PTNAS_EMBED(page_sections_js, PTNAS_REPORT_DIR "/page_sections.js")
PTNAS_EMBED(page_js, PTNAS_REPORT_DIR "/page.js")
PTNAS_EMBED(page_compare_js, PTNAS_REPORT_DIR "/page_compare.js")
PTNAS_EMBED(page_follow_js, PTNAS_REPORT_DIR "/page_follow.js")

#define PTNAS_EMBEDDED(symbol) \
  std::string_view { ptnas_##symbol##_begin, ptnas_##symbol##_end }

namespace ptnas {

std::string_view chart_js() { return PTNAS_EMBEDDED(chart_js); }
std::string_view page_css() { return PTNAS_EMBEDDED(page_css); }

std::vector<std::string_view> report_scripts() {
  return {PTNAS_EMBEDDED(page_elements_js),  PTNAS_EMBEDDED(page_charts_js),   PTNAS_EMBEDDED(page_run_js),
          PTNAS_EMBEDDED(page_decisions_js), PTNAS_EMBEDDED(page_sections_js), PTNAS_EMBEDDED(page_js)};
}

std::vector<std::string_view> compare_scripts() {
  return {PTNAS_EMBEDDED(page_elements_js), PTNAS_EMBEDDED(page_charts_js), PTNAS_EMBEDDED(page_compare_js)};
}

std::string_view draw_once_script() {
  return "draw(JSON.parse(document.getElementById('data').textContent), new AbortController().signal);\n";
}
std::string_view follow_script() { return PTNAS_EMBEDDED(page_follow_js); }

}  // namespace ptnas
