#pragma once

#include <gtest/gtest.h>
#include <harness/base/file.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

namespace devmap::testing_support {

class JsonSchema {
 public:
  explicit JsonSchema(const std::string& file) {
    const auto read = [](const std::string& path) { return nlohmann::json::parse(read_file(path).value()); };
    // Schemas refer to others beside them by name.
    const auto directory = std::filesystem::path(file).parent_path();
    const auto fetch = [&](const std::string& name) {
      return std::make_unique<nlohmann::json>(read((directory / name).string())).release();
    };
    const auto free = [](const nlohmann::json* other) { const std::unique_ptr<const nlohmann::json> owned(other); };
    const auto document = read(file);
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(document), schema_, fetch, free);
  }

  /// The complaints about a document; empty where it is valid.
  std::string complaints(const nlohmann::json& document) {
    valijson::ValidationResults results;
    valijson::Validator validator;
    std::string text;
    if (validator.validate(schema_, valijson::adapters::NlohmannJsonAdapter(document), &results)) return text;
    for (const auto& error : results) {
      for (const auto& step : error.context) text += step;
      text += ": " + error.description + "\n";
    }
    return text;
  }

 private:
  valijson::Schema schema_;
};

struct Damage {
  const char* what;
  std::function<void(nlohmann::json&)> done;
};

inline void expect_refused(JsonSchema& schema, const nlohmann::json& sound, const std::vector<Damage>& table) {
  ASSERT_EQ(schema.complaints(sound), "");
  for (const auto& damage : table) {
    nlohmann::json document = sound;
    damage.done(document);
    ASSERT_NE(document, sound) << damage.what;
    EXPECT_NE(schema.complaints(document), "") << damage.what;
  }
}

}  // namespace devmap::testing_support
