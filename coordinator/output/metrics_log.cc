#include "coordinator/output/metrics_log.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/failure.h"

namespace hanse {
namespace {

using Json = nlohmann::ordered_json;

/// The order of the design; figures of a workload that are not named here follow by name.
constexpr std::array<std::string_view, 6> kFigures = {"train_loss",    "test_loss", "test_auc",
                                                      "test_accuracy", "test_f1",   "test_rmse"};

void put_finite(Json& json, std::string_view key, double value) {
  if (std::isfinite(value)) {
    json[std::string(key)] = value;
  }
}

/// Complete lines: what follows the last newline was torn by a crash.
std::vector<std::string_view> complete_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    lines.push_back(text.substr(0, end));
  }
  return lines;
}

std::uint64_t count_of(const Json& json, const char* key, const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) {
    throw bad_input(where + ": expected a whole number \"" + key + "\"");
  }
  return found->get<std::uint64_t>();
}

/// Opens the log without what a crash left after the last trusted round.
DurableLog open_trimmed(const std::filesystem::path& file, std::uint64_t last_round) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    const std::string before = read_file(file);
    std::string kept;
    std::size_t number = 0;
    for (const std::string_view line : complete_lines(before)) {
      if (parse_metrics_line(line, file.string() + ":" + std::to_string(++number)).round <= last_round) {
        kept.append(line).push_back('\n');
      }
    }
    if (kept != before) {
      write_durably(file, kept);
    }
  }
  return DurableLog(file);
}

}  // namespace

std::string to_json_line(const RoundMetrics& metrics) {
  Json json;
  json["round"] = metrics.round;
  put_finite(json, "seconds", std::round(metrics.seconds * 1000) / 1000);
  json["merchants"] = metrics.merchants;
  for (const std::string_view name : kFigures) {
    const auto found = metrics.figures.find(std::string(name));
    if (found != metrics.figures.end()) {
      put_finite(json, name, found->second);
    }
  }
  for (const auto& [name, value] : metrics.figures) {
    if (!json.contains(name)) {
      put_finite(json, name, value);
    }
  }
  if (metrics.epsilon) {
    put_finite(json, "epsilon", *metrics.epsilon);
  }
  if (metrics.delta) {
    put_finite(json, "delta", *metrics.delta);
  }
  if (metrics.bytes_sent) {
    json["bytes_sent"] = *metrics.bytes_sent;
  }
  return json.dump();
}

RoundMetrics parse_metrics_line(std::string_view line, const std::string& where) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    throw bad_input(where + ": expected one JSON object a line, as in {\"round\":1,\"train_loss\":0.5}");
  }
  RoundMetrics metrics;
  metrics.round = count_of(json, "round", where);
  for (const auto& [key, value] : json.items()) {
    if (key == "round") {
      continue;
    }
    if (key == "merchants") {
      metrics.merchants = static_cast<std::uint32_t>(count_of(json, "merchants", where));
    } else if (key == "bytes_sent") {
      metrics.bytes_sent = count_of(json, "bytes_sent", where);
    } else if (!value.is_number()) {
      throw bad_input(where + ": expected a number for \"" + key + "\"");
    } else if (key == "seconds") {
      metrics.seconds = value.get<double>();
    } else if (key == "epsilon") {
      metrics.epsilon = value.get<double>();
    } else if (key == "delta") {
      metrics.delta = value.get<double>();
    } else {
      metrics.figures[key] = value.get<double>();
    }
  }
  return metrics;
}

MetricsLog::MetricsLog(const std::filesystem::path& file, std::uint64_t last_round)
    : log_(open_trimmed(file, last_round)) {}

std::vector<RoundMetrics> read_metrics(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  std::vector<RoundMetrics> rows;
  for (const std::string_view line : complete_lines(text)) {
    rows.push_back(parse_metrics_line(line, file.string() + ":" + std::to_string(rows.size() + 1)));
  }
  return rows;
}

}  // namespace hanse
