#include "privacy/programs/report.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/figure.h"

namespace hanse {
namespace {

// The facts without which an epsilon says nothing, worded once for tables and JSON.
constexpr const char* kUnit = "one unit, clipped: a record, a customer or a merchant, as privacy.unit says";
constexpr const char* kRdpMethod = "RDP, converted by Balle et al. 2020";
constexpr const char* kPldMethod =
    "privacy loss distribution: dots connected from above and below, composed by a tilted Fourier transform";
constexpr const char* kClosedForm = "privacy loss distribution, in closed form";

std::string to_text(double value) {
  return figure(value, 12);
}

std::string roughly(double value) {
  return figure(value, 3);
}

std::string line(const std::string& name, const std::string& value) {
  return name + std::string(name.size() < 20 ? 20 - name.size() : 1, ' ') + value + '\n';
}

std::string adjacency_of(const DpEvent& event) {
  return event.adjacency == Adjacency::replace_one ? "replace-one" : "zero-out (same figures as add/remove)";
}

std::string adversary_of(const DpEvent& event) {
  return event.sampling_rate < 1 ? "sees every release and knows all other units, but not whose coin fell how"
                                 : "sees every release and knows all other units";
}

std::string method_of(const MechanismOptions& options, const Figures& figures) {
  if (options.accountant == AccountantKind::rdp) {
    return kRdpMethod;
  }
  return figures.pld.grid_step > 0 ? kPldMethod : kClosedForm;
}

// What the figures take for granted about discrete noise.
std::string noise_note(const Figures& figures) {
  return figures.pld.gaussian_limit
             ? "pld takes discrete noise for continuous (give --sensitivity-steps to account for the grid)"
             : "";
}

nlohmann::ordered_json json_of(const MechanismOptions& options, double z, const Figures& figures) {
  const DpEvent& event = options.event;
  const EpsilonBracket& pld = figures.pld;
  nlohmann::ordered_json object = {{"epsilon", figures.answer(options.accountant)},
                                   {"delta", options.delta},
                                   {"unit", kUnit},
                                   {"adjacency", adjacency_of(event)},
                                   {"adversary", adversary_of(event)},
                                   {"mechanism", options.mechanism},
                                   {"noise_multiplier", z},
                                   {"sampling_rate", event.sampling_rate},
                                   {"steps", options.steps},
                                   {"coins", event.coins},
                                   {"sensitivity_squared", options.sensitivity_squared},
                                   {"accountant", options.accountant == AccountantKind::pld ? "pld" : "rdp"},
                                   {"method", method_of(options, figures)}};
  if (options.accountant == AccountantKind::rdp) {
    object["order"] = figures.rdp.order;
  }
  object["rdp"] = {{"epsilon", figures.rdp.epsilon},
                   {"order", figures.rdp.order},
                   {"epsilon_best_order", figures.rdp_best.epsilon},
                   {"best_order", figures.rdp_best.order}};
  object["pld"] = {{"lower", pld.lower},
                   {"upper", pld.upper},
                   {"errors",
                    {{"discretisation", pld.errors.discretisation},
                     {"aliasing", pld.errors.aliasing},
                     {"round_off", pld.errors.round_off},
                     {"truncation", pld.errors.truncation}}},
                   {"grid_step", pld.grid_step},
                   {"points", pld.points},
                   {"tilt", pld.tilt},
                   {"worse_direction", pld.adds ? "added" : "removed"}};
  if (const std::string note = noise_note(figures); !note.empty()) {
    object["note"] = note;
  }
  return object;
}

std::string table_of(const MechanismOptions& options, double z, const Figures& figures) {
  const DpEvent& event = options.event;
  const EpsilonBracket& pld = figures.pld;
  const EpsilonErrors& errors = pld.errors;
  std::string text =
      line("epsilon", to_text(figures.answer(options.accountant))) + line("delta", to_text(options.delta)) +
      line("unit", kUnit) + line("adjacency", adjacency_of(event)) + line("adversary", adversary_of(event)) +
      line("mechanism", options.mechanism) + line("noise multiplier", to_text(z)) +
      line("sampling rate", to_text(event.sampling_rate)) + line("steps", std::to_string(options.steps));
  if (event.coins > 1) {
    text += line("coins of a unit", std::to_string(event.coins));
  }
  if (options.sensitivity_squared != 1) {
    text += line("sensitivity squared", to_text(options.sensitivity_squared));
  }
  text += line("method", method_of(options, figures));
  text +=
      line("by rdp", to_text(figures.rdp.epsilon) + " at order " + to_text(figures.rdp.order) + " (" +
                         to_text(figures.rdp_best.epsilon) + " at " + roughly(figures.rdp_best.order) + ")");
  text += line("by pld", "between " + to_text(pld.lower) + " and " + to_text(pld.upper));
  text += line("  off by at most", roughly(errors.discretisation) + " grid, " + roughly(errors.aliasing) +
                                       " aliasing, " + roughly(errors.round_off) + " round-off, " +
                                       roughly(errors.truncation) + " truncation");
  if (const std::string note = noise_note(figures); !note.empty()) {
    text += line("note", note);
  }
  return text;
}

}  // namespace

Figures figures_of(const DpEvent& event, double delta) {
  const std::vector<DpEvent> events = {event};
  PldAccountant accountant;
  accountant.compose(event);
  return {.rdp = epsilon(events, delta),
          .rdp_best = epsilon_over_real_orders(events, delta),
          .pld = accountant.epsilon(delta)};
}

std::string describe(const MechanismOptions& options, double z, const Figures& figures, bool as_json) {
  return as_json ? json_of(options, z, figures).dump() + '\n' : table_of(options, z, figures);
}

}  // namespace hanse
