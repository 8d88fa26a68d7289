#include <fmt/format.h>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <reports/benchmarks.hpp>
#include <reports/page.hpp>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;
using nlohmann::ordered_json;

/// Benchmarks of all kernels, in the order of their first record.
struct InstructionRow {
  std::string name;
  BenchmarkName parts;
  std::string per;
  /// A figure a kernel; null where it has none.
  std::vector<const InstructionFigure*> figures;
};

std::vector<InstructionRow> instruction_rows(const std::vector<InstructionCounts>& records) {
  std::vector<InstructionRow> rows;
  std::map<std::string, std::size_t> places;
  for (std::size_t kernel = 0; kernel < records.size(); ++kernel) {
    for (const auto& figure : records[kernel].figures) {
      const auto [place, is_new] = places.emplace(figure.name, rows.size());
      if (is_new) {
        rows.push_back({figure.name, BenchmarkName::of(figure.name), {}, {}});
        rows.back().figures.resize(records.size());
      }
      auto& row = rows[place->second];
      row.figures[kernel] = &figure;
      if (row.per.empty()) row.per = figure.per;
    }
  }
  return rows;
}

/// Whole where it is a count, with two digits where it is a slope.
std::string instructions_text(double instructions) {
  const auto rounded = static_cast<double>(static_cast<long long>(instructions));
  return rounded == instructions ? fmt::format("{:.0f}", instructions) : fmt::format("{:.2f}", instructions);
}

std::string nanoseconds(double value) {
  return value < 1000 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

std::string interval(const std::optional<RatioFigure>& ratio) {
  return ratio ? fmt::format("[{:.3f}, {:.3f}]", ratio->low, ratio->high) : std::string();
}

std::string ratio_text(const std::optional<RatioFigure>& ratio) {
  return ratio ? fmt::format("{:.3f} {}", ratio->ratio, interval(ratio)) : std::string();
}

data facts(const BenchmarkContext& context) {
  data list{data::type::list};
  for (const auto& [name, value] : context) {
    if (value.empty()) continue;
    data entry{data::type::object};
    entry.set("name", name);
    entry.set("value", value);
    list << entry;
  }
  return list;
}

std::string fact(const BenchmarkContext& context, const char* name, const std::string& otherwise = {}) {
  const auto found = context.find(name);
  return found == context.end() || found->second.empty() ? otherwise : found->second;
}

std::string instruction_cells(const InstructionRow& row) {
  std::string cells;
  for (const auto* figure : row.figures) {
    if (figure != nullptr && figure->instructions) {
      cells += "<td>" + instructions_text(*figure->instructions);
    } else {
      cells += figure == nullptr ? "<td>" : "<td class=none>left out";
    }
  }
  return cells;
}

/// Rows of one operation together.
data operations(const std::vector<InstructionRow>& rows) {
  std::vector<std::pair<std::string, std::string>> bodies;
  for (const auto& row : rows) {
    const auto& operation = row.parts.operation;
    auto body = std::ranges::find(bodies, operation, &std::pair<std::string, std::string>::first);
    if (body == bodies.end()) body = bodies.insert(bodies.end(), {operation, {}});
    body->second += fmt::format("<tr><th scope=row><code>{}</code><td>{}{}</tr>\n", escaped(row.name), escaped(row.per),
                                instruction_cells(row));
  }
  data list{data::type::list};
  for (const auto& [operation, text] : bodies) {
    data entry{data::type::object};
    entry.set("operation", operation);
    entry.set("rows", text);
    list << entry;
  }
  return list;
}

void set_instructions(data& content, ordered_json& document, const std::vector<InstructionCounts>& records) {
  content.set("has_instructions", !records.empty());
  if (records.empty()) return;
  const auto rows = instruction_rows(records);
  std::vector<std::string> left_out;
  data kernels{data::type::list};
  auto& plotted = document["instructions"];
  std::vector<Kernel> named;
  named.reserve(records.size());
  for (const auto& record : records) named.push_back(record.kernel());
  tell_apart(named);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto name = named[i].name();
    data entry{data::type::object};
    entry.set("name", name);
    entry.set("facts", facts(records[i].context));
    kernels << entry;
    plotted["kernels"].push_back(name);
    for (const auto& figure : records[i].figures) {
      if (!figure.instructions) left_out.push_back(fmt::format("{}, {}: {}", name, figure.name, figure.left_out));
    }
  }
  for (const auto& row : rows) {
    ordered_json figure = {{"operation", row.parts.operation}, {"series", row.parts.series}, {"per", row.per}};
    figure["axis"] = row.parts.axis;
    figure["x"] = row.parts.size;
    for (const auto* of : row.figures) {
      figure["values"].push_back(of != nullptr && of->instructions ? ordered_json(*of->instructions) : ordered_json());
    }
    plotted["figures"].push_back(std::move(figure));
  }
  if (rows.empty()) plotted["figures"] = ordered_json::array();
  content.set("instruction_kernels", kernels);
  content.set("operations", operations(rows));
  content.set("left_out", texts(left_out));
  content.set("left_out_count", std::to_string(left_out.size()));
  content.set("has_left_out", !left_out.empty());
}

ordered_json plotted_time(const TimeFigure& figure) {
  const auto parts = BenchmarkName::of(figure.name);
  ordered_json plotted = {
      {"name", figure.name}, {"operation", parts.operation}, {"series", parts.series}, {"axis", parts.axis},
      {"x", parts.size},     {"per", "operation"},           {"status", figure.status}};
  plotted["median"] = figure.spread ? ordered_json(figure.spread->median) : ordered_json();
  if (figure.spread) {
    plotted["p10"] = figure.spread->p10;
    plotted["p90"] = figure.spread->p90;
  }
  return plotted;
}

std::string time_row(const TimeFigure& figure) {
  auto row = fmt::format("<tr><th scope=row><code>{}</code>", escaped(figure.name));
  if (figure.spread) {
    row += fmt::format("<td>{}<td>{}<td>{}", nanoseconds(figure.spread->median), nanoseconds(figure.spread->p10),
                       nanoseconds(figure.spread->p90));
  } else {
    row += fmt::format("<td colspan=3 class=none>{}{}{}", escaped(figure.status), figure.reason.empty() ? "" : ": ",
                       escaped(figure.reason));
  }
  row += fmt::format("<td>{} of {}<td>{}", figure.kept, figure.taken, interval(figure.to_itself));
  row += figure.to_baseline ? fmt::format("<td>{}<td class=word><code>{}</code>", ratio_text(figure.to_baseline),
                                          escaped(figure.baseline))
                            : std::string("<td><td>");
  return row + "</tr>\n";
}

/// What every run of the time and of the peer layer is told with; `plots`: those of the runs before it.
template <class Run>
data entry_of(const Run& run, const ordered_json& plots, const std::string& rows) {
  data entry{data::type::object};
  entry.set("number", std::to_string(plots.size()));
  entry.set("kernel", fact(run.context, "kernel", run.file));
  entry.set("rows", rows);
  entry.set("facts", facts(run.context));
  return entry;
}

void set_times(data& content, ordered_json& document, const std::vector<Times>& runs) {
  data list{data::type::list};
  for (const auto& run : runs) {
    ordered_json plotted = {{"figures", ordered_json::array()}};
    std::string rows;
    std::size_t reliable = 0;
    for (const auto& figure : run.figures) {
      rows += time_row(figure);
      plotted["figures"].push_back(plotted_time(figure));
      if (figure.spread) ++reliable;
    }
    auto entry = entry_of(run, document["time"], rows);
    entry.set("cpu", fact(run.context, "cpu", fact(run.context, "machine")));
    entry.set("reliable", std::to_string(reliable));
    entry.set("all", std::to_string(run.figures.size()));
    list << entry;
    document["time"].push_back(std::move(plotted));
  }
  content.set("times", list);
  content.set("has_times", !runs.empty());
}

constexpr double kMillion = 1e6;

std::string side_text(const std::optional<Spread>& side) {
  return side ? fmt::format("{:.2f} [{:.2f}, {:.2f}]", side->median / kMillion, side->p10 / kMillion,
                            side->p90 / kMillion)
              : std::string();
}

std::string peer_row(const PeerComparison& comparison) {
  auto row = fmt::format("<tr><th scope=row>{}", escaped(comparison.path));
  row += comparison.ratio ? fmt::format("<td>{}<td>{}<td>{}<td>{}", ratio_text(comparison.ratio),
                                        ratio_text(comparison.without_start_up), side_text(comparison.ours),
                                        side_text(comparison.theirs))
                          : fmt::format("<td colspan=4 class=none>unreliable: {}", escaped(comparison.unreliable));
  return row + fmt::format("<td>{}<td>{} of {}<td>{:g}&nbsp;M<td>{:g}&nbsp;M<td class=word>millions of {}</tr>\n",
                           interval(comparison.to_itself), comparison.kept, comparison.taken,
                           comparison.sent / kMillion, comparison.delivered / kMillion, escaped(comparison.unit));
}

void set_peers(data& content, ordered_json& document, const std::vector<PeerComparisons>& runs) {
  data list{data::type::list};
  for (const auto& run : runs) {
    ordered_json plotted = {{"comparisons", ordered_json::array()}};
    std::string rows;
    for (const auto& comparison : run.comparisons) {
      rows += peer_row(comparison);
      const auto& ratio = comparison.ratio;
      ordered_json entry = {{"path", comparison.path}};
      entry["ratio"] = ratio ? ordered_json(ratio->ratio) : ordered_json();
      if (ratio) entry.update({{"low", ratio->low}, {"high", ratio->high}});
      plotted["comparisons"].push_back(std::move(entry));
    }
    auto entry = entry_of(run, document["peer"], rows);
    entry.set("xdp_tools", fact(run.context, "xdp_tools", "of an unknown version"));
    list << entry;
    document["peer"].push_back(std::move(plotted));
  }
  content.set("peers", list);
  content.set("has_peers", !runs.empty());
}

}  // namespace

Page benchmarks_page(const SiteInput& input) {
  auto page = page_template("benchmarks");
  data content{data::type::object};
  ordered_json document = ordered_json::object();
  const Benchmarks none;
  const auto& all = input.benchmarks == nullptr ? none : *input.benchmarks;
  set_instructions(content, document, all.instructions);
  set_times(content, document, all.times);
  set_peers(content, document, all.peers);
  content.set("none", all.empty());
  content.set("any", !all.empty());
  content.set("data", json_in_html(document));
  return {"benchmarks.html", in_layout("What device maps cost", "", "benchmarks.html", page.render(content))};
}

}  // namespace devmap::reports
