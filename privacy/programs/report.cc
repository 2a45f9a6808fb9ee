#include "privacy/programs/report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace hanse {
namespace {

std::string to_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

std::string line(const std::string& name, const std::string& value) {
  return name + std::string(name.size() < 18 ? 18 - name.size() : 1, ' ') + value + '\n';
}

}  // namespace

std::string describe(const MechanismOptions& options, const EpsilonAtOrder& result, bool as_json) {
  const DpEvent& event = options.event;
  if (as_json) {
    const nlohmann::ordered_json object = {{"epsilon", result.epsilon},
                                           {"delta", options.delta},
                                           {"mechanism", name_of(event.noise)},
                                           {"noise_multiplier", event.noise_multiplier},
                                           {"sampling_rate", event.sampling_rate},
                                           {"steps", event.count},
                                           {"adjacency", kAdjacency},
                                           {"accountant", "rdp"},
                                           {"method", kMethod},
                                           {"order", result.order}};
    return object.dump() + '\n';
  }
  return line("epsilon", to_text(result.epsilon)) + line("delta", to_text(options.delta)) +
         line("mechanism", name_of(event.noise)) + line("noise multiplier", to_text(event.noise_multiplier)) +
         line("sampling rate", to_text(event.sampling_rate)) + line("steps", std::to_string(event.count)) +
         line("adjacency", kAdjacency) + line("method", kMethod) + line("order", to_text(result.order));
}

}  // namespace hanse
