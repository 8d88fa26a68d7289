#pragma once

#include <gtest/gtest.h>
#include <harness/base/file.hpp>

#include <functional>
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
    const auto document = nlohmann::json::parse(read_file(file).value());
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(document), schema_);
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
