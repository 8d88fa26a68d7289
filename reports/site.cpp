#include <reports/site.hpp>

#include <filesystem>
#include <harness/base/output_file.hpp>
#include <reports/embedded.hpp>

namespace devmap::reports {

Expected<void> write_site(const SiteInput& input, const std::string& directory) {
  for (const char* below : {"", "rules", "findings"}) {
    const auto path = std::filesystem::path(directory) / below;
    std::error_code failed;
    std::filesystem::create_directories(path, failed);
    if (failed) return failure("mkdir", failed.value(), path);
  }
  std::vector<Page> pages = rule_pages(input);
  for (auto& page : finding_pages(input)) pages.push_back(std::move(page));
  pages.push_back(matrix_page(input));
  pages.push_back(changes_page(input));
  pages.push_back(documentation_page(input));
  pages.push_back(kernels_page(input));
  pages.push_back(benchmarks_page(input));
  pages.emplace_back("style.css", embedded_style());
  pages.emplace_back("script.js", embedded_script());
  pages.emplace_back("plots.js", embedded_plots());
  for (const auto& [file, text] : pages) {
    if (auto written = write_file((std::filesystem::path(directory) / file).string(), text); !written) return written;
  }
  return {};
}

}  // namespace devmap::reports
