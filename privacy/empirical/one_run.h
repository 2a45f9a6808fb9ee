#pragma once

#include <cstdint>

namespace hanse {

/// What a guesser who saw the releases of ONE run got right. Each of `canaries` was in the run by its own
/// fair coin; of `guesses` of them the guesser said whether they were, and `right` of those guesses were
/// true. Whom it guesses may depend on the releases, in any way.
struct Guesses {
  std::uint64_t canaries = 0;
  std::uint64_t guesses = 0;
  std::uint64_t right = 0;
};

/// The probability, at most, of guessing so well against any (epsilon, delta)-DP run, however the canaries
/// depend on each other through it (Steinke, Nasr, Jagielski 2023). With q = e^epsilon / (1 + e^epsilon)
/// and beta = Pr[Bin(guesses, q) >= right]:
///   p = min(1, beta + 2 canaries delta * max over 1 <= i <= right of
///                                          (Pr[Bin(guesses, q) >= right - i] - beta) / i).
double one_run_p_value(const Guesses& guesses, double epsilon, double delta);

/// The largest epsilon that the guesses refute at `significance`; 0 when they refute none.
double one_run_epsilon(const Guesses& guesses, double delta, double significance);

/// Whether the guesses refute, at `significance`, that the run is mu-GDP (Mahloujifar, Melis, Chaudhuri
/// 2024): like the above, with the trade-off curve in place of the pair (epsilon, delta).
///
/// With p_j = Pr[j right], let R_i = sum over j >= i of (j / m) p_j and W_i the same with (guesses - j) / m.
/// mu-GDP asks of every i that W_i >= Phi(Phi^-1(R_i) - mu). Start at i = right with as much mass as
/// `significance` allows and go down to 0: if R_0 + W_0, which is guesses / m, is passed, no such
/// distribution exists.
bool one_run_refutes_gdp(const Guesses& guesses, double mu, double significance);

/// The largest mu that they refute, at least `least` if that is refuted (else 0): start from the best bound
/// known to save time.
double one_run_gdp(const Guesses& guesses, double significance, double least = 0);

}  // namespace hanse
