#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/numerics/belief_network.h"
#include "privacy/published/model_file.h"

namespace hanse {

/// The network of a model of workload bayesian-network. Throws bad_input naming `origin` for other models, and for arrays that
/// are no network.
BeliefNetwork network_of(const PublishedModel& model, const std::string& origin);

/// A question to a network: P(target | evidence).
struct NetworkQuery {
  std::size_t target = 0;
  Evidence evidence;
};

/// Reads "target" or "target | name=word, name=word". A word may have commas in it. Throws bad_input naming what is unknown and
/// listing what there is.
NetworkQuery read_query(std::string_view text, const BeliefNetwork& network);

/// The answer for people: a line for each value of the target, the likeliest first.
std::string answer_text(const BeliefNetwork& network, const NetworkQuery& query,
                        const std::vector<double>& chances);

/// The answer as one JSON object: target, evidence, probabilities.
std::string answer_json(const BeliefNetwork& network, const NetworkQuery& query,
                        const std::vector<double>& chances);

}  // namespace hanse
