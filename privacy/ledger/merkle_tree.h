#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "privacy/crypto/digest.h"

namespace hanse {

/// The hash tree of RFC 6962 (section 2.1) over the lines of a ledger, SHA-256:
///
///   leaf(d) = SHA-256(00 d)     node(l, r) = SHA-256(01 l r)     root of no leaves = SHA-256()
///   root of n > 1 leaves = node(root of the first k, root of the rest), k the largest power of two below n
///
/// The two first bytes keep a leaf from passing as a node (second preimages). Who knows the root of n leaves can be shown in
/// O(log n) digests that a line is among them (inclusion), and that a later tree only appended to it (consistency).
Digest leaf_hash(ByteView leaf);
Digest node_hash(const Digest& left, const Digest& right);

/// A tree that only grows. 64 bytes a leaf; append, root and proofs take O(log n) hashes (amortised; O(log^2 n) for a
/// size that is no power of two).
class MerkleTree {
 public:
  void append(ByteView leaf);
  std::uint64_t size() const { return levels_.empty() ? 0 : levels_.front().size(); }
  Digest root() const { return root_of(0, size()); }
  /// Of the first `size` leaves, size <= size().
  Digest root(std::uint64_t size) const { return root_of(0, size); }

  /// Siblings on the way from leaf `index` to the root of the first `size` leaves, lowest first; index < size <= size().
  std::vector<Digest> inclusion_proof(std::uint64_t index, std::uint64_t size) const;
  /// Shows that the tree of `size` leaves begins with the tree of `before`; 0 < before <= size <= size().
  std::vector<Digest> consistency_proof(std::uint64_t before, std::uint64_t size) const;

 private:
  Digest root_of(std::uint64_t begin, std::uint64_t end) const;
  void prove(std::uint64_t before, std::uint64_t begin, std::uint64_t end, bool known,
             std::vector<Digest>& proof) const;

  std::vector<std::vector<Digest>> levels_;  ///< levels_[k][i]: root of leaves i 2^k to (i + 1) 2^k - 1.
};

/// Whether `proof` shows that `leaf` is leaf number `index` under the root of `size` leaves.
bool proves_inclusion(std::span<const Digest> proof, std::uint64_t index, const Digest& leaf,
                      std::uint64_t size, const Digest& root);
/// Whether `proof` shows that the tree of `size` leaves under `root` begins with the one of `before` leaves under
/// `root_before`. A tree of none is the beginning of every other, without a proof.
bool proves_consistency(std::span<const Digest> proof, std::uint64_t before, const Digest& root_before,
                        std::uint64_t size, const Digest& root);

}  // namespace hanse
