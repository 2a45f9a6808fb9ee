#include "privacy/ledger/merkle_tree.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/base/check.h"

namespace hanse {
namespace {

/// The largest power of two below `count` > 1.
std::uint64_t split_of(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

Digest leaf_hash(ByteView leaf) {
  Bytes bytes{std::byte{0}};
  bytes.insert(bytes.end(), leaf.begin(), leaf.end());
  return sha256(bytes);
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::byte, 65> bytes{std::byte{1}};
  std::copy(left.begin(), left.end(), bytes.begin() + 1);
  std::copy(right.begin(), right.end(), bytes.begin() + 33);
  return sha256(bytes);
}

void MerkleTree::append(ByteView leaf) {
  Digest digest = leaf_hash(leaf);
  for (std::size_t level = 0;; ++level) {
    if (level == levels_.size()) {
      levels_.emplace_back();
    }
    std::vector<Digest>& row = levels_[level];
    row.push_back(digest);
    if (row.size() % 2 == 1) {
      return;
    }
    digest = node_hash(row[row.size() - 2], row.back());
  }
}

/// Of the leaves begin to end - 1; begin is a multiple of a power of two that is not smaller than their number.
Digest MerkleTree::root_of(std::uint64_t begin, std::uint64_t end) const {
  check(begin <= end && end <= size(), "a root is asked for of leaves that are there");
  const std::uint64_t count = end - begin;
  if (count == 0) {
    return sha256({});
  }
  if (std::has_single_bit(count)) {
    return levels_[static_cast<std::size_t>(std::countr_zero(count))][begin / count];
  }
  const std::uint64_t split = begin + split_of(count);
  return node_hash(root_of(begin, split), root_of(split, end));
}

std::vector<Digest> MerkleTree::inclusion_proof(std::uint64_t index, std::uint64_t size) const {
  check(index < size && size <= this->size(), "inclusion is proved of a leaf that is there");
  std::vector<Digest> proof;
  for (std::uint64_t begin = 0, end = size; end - begin > 1;) {  // From the root down.
    const std::uint64_t split = begin + split_of(end - begin);
    const bool left = index < split;
    proof.push_back(left ? root_of(split, end) : root_of(begin, split));
    (left ? end : begin) = split;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

std::vector<Digest> MerkleTree::consistency_proof(std::uint64_t before, std::uint64_t size) const {
  check(before > 0 && before <= size && size <= this->size(), "consistency is proved with an earlier tree");
  std::vector<Digest> proof;
  prove(before, 0, size, true, proof);
  return proof;
}

/// SUBPROOF of RFC 6962: `before` leaves of those from `begin` to `end`; `known` while these are the whole earlier tree.
void MerkleTree::prove(std::uint64_t before, std::uint64_t begin, std::uint64_t end, bool known,
                       std::vector<Digest>& proof) const {
  if (before == end - begin) {
    if (!known) {
      proof.push_back(root_of(begin, end));
    }
    return;
  }
  const std::uint64_t split = split_of(end - begin);
  if (before <= split) {
    prove(before, begin, begin + split, known, proof);
    proof.push_back(root_of(begin + split, end));
  } else {
    prove(before - split, begin + split, end, false, proof);
    proof.push_back(root_of(begin, begin + split));
  }
}

bool proves_inclusion(std::span<const Digest> proof, std::uint64_t index, const Digest& leaf,
                      std::uint64_t size, const Digest& root) {
  if (index >= size) {
    return false;
  }
  Digest digest = leaf;
  std::uint64_t last = size - 1;  // Place of the rightmost node of the level that `index` has reached.
  for (const Digest& sibling : proof) {
    if (last == 0) {
      return false;
    }
    if (index % 2 == 1 || index == last) {
      digest = node_hash(sibling, digest);
      while (index % 2 == 0) {  // A rightmost node without a sibling stands for its parents too.
        index /= 2;
        last /= 2;
      }
    } else {
      digest = node_hash(digest, sibling);
    }
    index /= 2;
    last /= 2;
  }
  return last == 0 && digest == root;
}

bool proves_consistency(std::span<const Digest> proof, std::uint64_t before, const Digest& root_before,
                        std::uint64_t size, const Digest& root) {
  if (before == 0 || before >= size) {
    return proof.empty() && (before == 0 ? root_before == sha256({}) : before == size && root_before == root);
  }
  std::uint64_t index = before - 1;
  std::uint64_t last = size - 1;
  while (index % 2 == 1) {
    index /= 2;
    last /= 2;
  }
  // A tree of a power of two of leaves is a node of the later one: the proof begins with it unsaid.
  const bool unsaid = index == 0;
  if (!unsaid && proof.empty()) {
    return false;
  }
  Digest old_root = unsaid ? root_before : proof.front();
  Digest new_root = old_root;
  for (const Digest& sibling : proof.subspan(unsaid ? 0 : 1)) {
    if (last == 0) {
      return false;
    }
    if (index % 2 == 1 || index == last) {
      old_root = node_hash(sibling, old_root);
      new_root = node_hash(sibling, new_root);
      while (index % 2 == 0 && index != 0) {
        index /= 2;
        last /= 2;
      }
    } else {
      new_root = node_hash(new_root, sibling);
    }
    index /= 2;
    last /= 2;
  }
  return last == 0 && old_root == root_before && new_root == root;
}

}  // namespace hanse
