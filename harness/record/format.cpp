#include <harness/record/format.hpp>

#include <array>
#include <utility>

namespace devmap {

std::optional<Format> format_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Format>, 5> kFormats = {{{"console", Format::console},
                                                                            {"json", Format::json},
                                                                            {"ktap", Format::ktap},
                                                                            {"junit", Format::junit},
                                                                            {"stream", Format::stream}}};
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string render(Format format, const RunRecord& record, const Statements& statements, const ConsoleStyle& style) {
  switch (format) {
    case Format::console:
      return render_console(record, statements, style);
    case Format::json:
      return render_json(record);
    case Format::ktap:
      return render_ktap(record);
    case Format::junit:
      return render_junit(record);
    case Format::stream:
      return render_stream(record);
  }
  return {};
}

}  // namespace devmap
