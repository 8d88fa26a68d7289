#include <fmt/format.h>
#include <algorithm>
#include <reports/page.hpp>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;

data pairs(const std::map<std::string, std::string>& facts) {
  data list{data::type::list};
  for (const auto& [name, value] : facts) {
    data entry{data::type::object};
    entry.set("name", name);
    entry.set("value", value);
    list << entry;
  }
  return list;
}

data counts(const Matrix& matrix, std::size_t kernel) {
  std::map<Verdict, std::size_t> sums;
  for (const auto& chapter : matrix.chapters) {
    for (const auto& [verdict, count] : counts_of(chapter.rows, kernel)) sums[verdict] += count;
  }
  data list{data::type::list};
  for (const Verdict verdict : kVerdicts) {
    data entry{data::type::object};
    entry.set("count", sums.contains(verdict) ? std::to_string(sums.at(verdict)) : "");
    entry.set("class", sums.contains(verdict) ? std::string(1, static_cast<char>(letter_of(verdict) - 'A' + 'a')) : "");
    list << entry;
  }
  return list;
}

data kernels(const Matrix& matrix) {
  data list{data::type::list};
  for (std::size_t kernel = 0; kernel < matrix.kernels.size(); ++kernel) {
    const auto& of = matrix.kernels[kernel];
    const auto& record = matrix.sources[kernel]->record;
    const auto& context = record.context;
    data entry{data::type::object};
    entry.set("number", std::to_string(kernel + 1));
    entry.set("name", of.name());
    entry.set("label", of.label);
    entry.set("release", context.release);
    entry.set("build", context.version);
    entry.set("machine", of.machine);
    entry.set("real_time", of.real_time ? "yes" : "no");
    entry.set("jit", of.jit);
    entry.set("cpus", std::to_string(context.cpus));
    entry.set("page_size", std::to_string(context.page_size));
    entry.set("started", context.started);
    entry.set("seconds", fmt::format("{:.1f}", context.duration_ms / 1000));
    entry.set("checks", std::to_string(record.results.size()));
    entry.set("suite", fmt::format("{} ({})", record.suite.version, record.suite.commit));
    entry.set("attachment", context.attachment);
    entry.set("kernel_log", context.kernel_log);
    entry.set("partial", context.partial);
    entry.set("counts", counts(matrix, kernel));
    entry.set("config", pairs(context.config));
    entry.set("has_config", !context.config.empty());
    entry.set("mitigations", pairs(context.mitigations));
    entry.set("has_mitigations", !context.mitigations.empty());
    entry.set("warnings", texts(context.foreign_warnings));
    entry.set("has_warnings", !context.foreign_warnings.empty());
    list << entry;
  }
  return list;
}

/// Chapters by kernels: rules that behave as stated of those that could be checked.
data chapters(const Matrix& matrix) {
  data list{data::type::list};
  for (const auto& chapter : matrix.chapters) {
    std::string cells;
    for (std::size_t kernel = 0; kernel < matrix.kernels.size(); ++kernel) {
      std::size_t checked_rules = 0;
      std::size_t as_stated = 0;
      for (const auto& [verdict, count] : counts_of(chapter.rows, kernel)) {
        if (verdict == Verdict::unmet) continue;
        checked_rules += count;
        if (verdict == Verdict::conforms || verdict == Verdict::backported) as_stated += count;
      }
      cells += checked_rules == 0
                   ? "<td>"
                   : fmt::format("<td{}>{}<small>/{}</small>", as_stated < checked_rules ? " class=less" : "",
                                 as_stated, checked_rules);
    }
    data entry{data::type::object};
    entry.set("name", chapter.chapter.name);
    entry.set("title", chapter.chapter.title);
    entry.set("cells", cells);
    list << entry;
  }
  return list;
}

}  // namespace

Page kernels_page(const SiteInput& input) {
  auto page = page_template("kernels");
  data content{data::type::object};
  content.set("kernels", kernels(*input.matrix));
  content.set("chapters", chapters(*input.matrix));
  content.set("legend", legend());
  content.set("notes", texts(*input.notes));
  content.set("has_notes", !input.notes->empty());
  return {"kernels.html", in_layout("Kernels and runs", "", "kernels.html", page.render(content))};
}

}  // namespace devmap::reports
