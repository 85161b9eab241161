#include "ptnas/report/page.h"

#include <fmt/format.h>

#include <functional>

#include "ptnas/report/resources.h"

namespace ptnas {

namespace {

// What the browser lets the page do; scripts must carry the nonce.
std::string policy(const Page& page, const std::string& nonce) {
  std::string text = "default-src 'none'; style-src 'unsafe-inline'; ";
  if (page.data) text += fmt::format("script-src 'nonce-{}'; ", nonce);
  if (page.asks_its_server) text += "connect-src 'self'; ";
  return text + "img-src data:; base-uri 'none'; form-action 'none'";
}

std::string head(const Page& page, const std::string& nonce) {
  std::string html = fmt::format(
      R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{}">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{} – ptnas</title>
<style>
)",
      policy(page, nonce), page.title);
  html += page_css();
  return html + page.style + "</style>\n</head>\n";
}

std::string script(const std::string& nonce, std::string_view text) {
  std::string html = "<script nonce=\"" + nonce + "\">\n";
  html += text;
  return html + "</script>\n";
}

// The drawing as a function: a page that follows a run calls it again with new data.
std::string own_script(const Page& page) {
  std::string text = "function draw(data, signal) {\n";
  for (const std::string_view part : page.drawing) text += part;
  text += "}\n";
  for (const std::string_view part : page.scripts) text += part;
  return text;
}

}  // namespace

std::string make_page(const Page& page) {
  const std::string data = page.data ? script_json(*page.data) : "";
  const std::string nonce = fmt::format("{:016x}", std::hash<std::string>{}(data));
  std::string html = head(page, nonce) + "<body>\n<main>\n" + page.body + "</main>\n";
  if (page.data) {
    html += "<script type=\"application/json\" id=\"data\">" + data + "</script>\n";
    html += script(nonce, chart_js());
    html += script(nonce, own_script(page));
  }
  return html + "</body>\n</html>\n";
}

std::string script_json(const Json& data) {
  const std::string text = data.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    // What could end the element or open a comment in it begins with `<`, which JSON has in texts only.
    if (c == '<') {
      result += "\\u003c";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace ptnas
