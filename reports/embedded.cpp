#include <reports/embedded.hpp>

#include <array>
#include <cstddef>
#include <utility>

// The assembler puts each file between two labels.
#define EMBED(label, file) EMBED_FILE(label, DEVMAP_REPORTS_DIR "/" file)
#define EMBED_FILE(label, file)                                                                            \
  asm(".section .rodata\n" #label "_begin:\n.incbin \"" file "\"\n" #label "_end:\n.byte 0\n.previous\n"); \
  extern "C" const char label##_begin[];                                                                   \
  extern "C" const char label##_end[]
#define EMBEDDED(label) std::string_view(label##_begin, static_cast<std::size_t>(label##_end - label##_begin))

EMBED(devmap_report_specification, "specification.json");
EMBED_FILE(devmap_report_findings, DEVMAP_REPORT_FINDINGS);
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
  return EMBEDDED(devmap_report_specification);
}

std::string_view embedded_findings() {
  return EMBEDDED(devmap_report_findings);
}

std::string_view embedded_style() {
  return EMBEDDED(devmap_report_style);
}

std::string_view embedded_script() {
  return EMBEDDED(devmap_report_script);
}

std::string_view embedded_plots() {
  return EMBEDDED(devmap_report_plots);
}

std::string_view embedded_template(std::string_view name) {
  const std::array<std::pair<std::string_view, std::string_view>, 8> kTemplates = {{
      {"layout", EMBEDDED(devmap_report_layout)},
      {"matrix", EMBEDDED(devmap_report_matrix)},
      {"rule", EMBEDDED(devmap_report_rule)},
      {"changes", EMBEDDED(devmap_report_changes)},
      {"documentation", EMBEDDED(devmap_report_documentation)},
      {"kernels", EMBEDDED(devmap_report_kernels)},
      {"finding", EMBEDDED(devmap_report_finding)},
      {"benchmarks", EMBEDDED(devmap_report_benchmarks)},
  }};
  for (const auto& [known, text] : kTemplates) {
    if (known == name) return text;
  }
  return {};
}

}  // namespace devmap::reports
