#include "ptnas/report/resources.h"

// The assembler copies the file into read-only data; the build system names the paths and knows them as
// dependencies.
#define PTNAS_EMBED(symbol, path)                       \
  asm(".pushsection .rodata\n"                          \
      ".global ptnas_" #symbol "_begin\nptnas_" #symbol \
      "_begin:\n"                                       \
      ".incbin \"" path                                 \
      "\"\n"                                            \
      ".global ptnas_" #symbol "_end\nptnas_" #symbol   \
      "_end:\n.byte 0\n"                                \
      ".popsection\n");                                 \
  extern "C" const char ptnas_##symbol##_begin[], ptnas_##symbol##_end[];

PTNAS_EMBED(chart_js, PTNAS_CHART_JS)
PTNAS_EMBED(page_js, PTNAS_PAGE_JS)
PTNAS_EMBED(page_css, PTNAS_PAGE_CSS)

namespace ptnas {

std::string_view chart_js() { return {ptnas_chart_js_begin, ptnas_chart_js_end}; }
std::string_view page_js() { return {ptnas_page_js_begin, ptnas_page_js_end}; }
std::string_view page_css() { return {ptnas_page_css_begin, ptnas_page_css_end}; }

}  // namespace ptnas
