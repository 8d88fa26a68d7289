#include <reports/embedded.hpp>

#include <array>
#include <harness/base/embedded_file.hpp>
#include <utility>

#define EMBED(name, file) DEVMAP_EMBED_FILE(name, DEVMAP_REPORTS_DIR "/" file)

EMBED(devmap_report_specification, "specification.json");
DEVMAP_EMBED_FILE(devmap_report_findings, DEVMAP_REPORT_FINDINGS);
EMBED(devmap_report_style, "site/style.css");
EMBED(devmap_report_script, "site/script.js");
EMBED(devmap_report_plots, "site/plots.js");
EMBED(devmap_report_layout, "site/templates/layout.mustache");
EMBED(devmap_report_matrix, "site/templates/matrix.mustache");
EMBED(devmap_report_rule, "site/templates/rule.mustache");
EMBED(devmap_report_changes, "site/templates/changes.mustache");
EMBED(devmap_report_documentation, "site/templates/documentation.mustache");
EMBED(devmap_report_kernels, "site/templates/kernels.mustache");
EMBED(devmap_report_finding, "site/templates/finding.mustache");
EMBED(devmap_report_benchmarks, "site/templates/benchmarks.mustache");

namespace devmap::reports {

std::string_view embedded_specification() {
  return devmap_report_specification();
}

std::string_view embedded_findings() {
  return devmap_report_findings();
}

std::string_view embedded_style() {
  return devmap_report_style();
}

std::string_view embedded_script() {
  return devmap_report_script();
}

std::string_view embedded_plots() {
  return devmap_report_plots();
}

std::string_view embedded_template(std::string_view name) {
  const std::array<std::pair<std::string_view, std::string_view>, 8> kTemplates = {{
      {"layout", devmap_report_layout()},
      {"matrix", devmap_report_matrix()},
      {"rule", devmap_report_rule()},
      {"changes", devmap_report_changes()},
      {"documentation", devmap_report_documentation()},
      {"kernels", devmap_report_kernels()},
      {"finding", devmap_report_finding()},
      {"benchmarks", devmap_report_benchmarks()},
  }};
  for (const auto& [known, text] : kTemplates) {
    if (known == name) return text;
  }
  return {};
}

}  // namespace devmap::reports
