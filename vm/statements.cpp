#include <vm/embedded.hpp>
#include <vm/statements.hpp>

#include <nlohmann/json.hpp>
#include <string>

namespace devmap::vm {

Statements published_statements() {
  const auto specification = nlohmann::json::parse(embedded_specification());
  Statements statements;
  for (const auto& rule : specification.at("rules")) {
    statements.emplace(rule.at("id").get<std::string>(), rule.at("states").get<std::string>());
  }
  return statements;
}

}  // namespace devmap::vm
