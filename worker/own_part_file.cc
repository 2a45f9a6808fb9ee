#include "worker/own_part_file.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/durable_file.h"

namespace hanse {

void write_own_part(const std::filesystem::path& file, const MerchantRows& merchant, const std::string& kind,
                    const std::vector<std::string>& columns, const OwnResult& result) {
  nlohmann::ordered_json json;
  json["format"] = "hanse own part";
  json["version"] = 1;
  json["merchant"] = merchant.name;
  json["own"] = kind;
  json["train_rows"] = merchant.train_end - merchant.train_begin;
  json["test_rows"] = merchant.test_end - merchant.test_begin;
  for (const auto& [name, value] : result.figures) {
    if (std::isfinite(value)) {
      json[name] = value;
    }
  }
  const std::vector<double>& values = result.own.values;
  if (values.size() == columns.size()) {
    json["columns"] = columns;
  }
  json["values"] = values;
  write_privately(file, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace hanse
