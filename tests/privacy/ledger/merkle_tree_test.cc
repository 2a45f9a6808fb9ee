#include "privacy/ledger/merkle_tree.h"

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// The leaves and the roots by size that certificate transparency logs test themselves with.
constexpr std::array<std::string_view, 8> kLeaves = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr std::array<std::string_view, 9> kRoots = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

MerkleTree tree_of(std::uint64_t size, std::uint64_t changed = ~std::uint64_t{0}) {
  MerkleTree tree;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string leaf = "line " + std::to_string(i) + (i == changed ? "!" : "");
    tree.append(bytes_of(leaf));
  }
  return tree;
}

TEST(MerkleTree, GivesThePublishedRootsOfEverySize) {
  MerkleTree tree;

  EXPECT_EQ(hex(tree.root()), kRoots[0]);
  for (std::size_t i = 0; i < kLeaves.size(); ++i) {
    tree.append(from_hex(kLeaves[i]));
    EXPECT_EQ(hex(tree.root()), kRoots[i + 1]);
  }

  for (std::size_t size = 0; size < kRoots.size(); ++size) {
    EXPECT_EQ(hex(tree.root(size)), kRoots[size]) << "looked back from size 8";
  }
}

TEST(MerkleTree, ALeafIsNoNode) {
  const Digest left = leaf_hash(bytes_of("a"));
  const Digest right = leaf_hash(bytes_of("b"));
  Bytes both(left.begin(), left.end());
  both.insert(both.end(), right.begin(), right.end());

  EXPECT_NE(leaf_hash(both), node_hash(left, right));
}

TEST(MerkleTree, ProvesEveryLeafOfEverySizeAndNoOther) {
  const MerkleTree tree = tree_of(70);

  for (std::uint64_t size = 1; size <= 70; ++size) {
    const Digest root = tree.root(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const Digest leaf = leaf_hash(bytes_of("line " + std::to_string(index)));
      std::vector<Digest> proof = tree.inclusion_proof(index, size);

      ASSERT_TRUE(proves_inclusion(proof, index, leaf, size, root)) << index << " of " << size;
      EXPECT_FALSE(proves_inclusion(proof, index, leaf_hash(bytes_of("x")), size, root));
      EXPECT_FALSE(proves_inclusion(proof, size, leaf, size, root));
      if (size > 1) {
        EXPECT_FALSE(proves_inclusion(proof, (index + 1) % size, leaf, size, root));
        proof[size % proof.size()][3] ^= std::byte{1};
        EXPECT_FALSE(proves_inclusion(proof, index, leaf, size, root));
        proof.pop_back();
        EXPECT_FALSE(proves_inclusion(proof, index, leaf, size, root));
      }
    }
  }
}

TEST(MerkleTree, ProvesEachTreeToBeginWithEachEarlierOne) {
  const MerkleTree tree = tree_of(70);

  for (std::uint64_t size = 1; size <= 70; ++size) {
    for (std::uint64_t before = 1; before <= size; ++before) {
      std::vector<Digest> proof = tree.consistency_proof(before, size);
      ASSERT_TRUE(proves_consistency(proof, before, tree.root(before), size, tree.root(size)))
          << before << " in " << size;

      proof.push_back(tree.root(1));
      EXPECT_FALSE(proves_consistency(proof, before, tree.root(before), size, tree.root(size)));
      proof.pop_back();
      if (!proof.empty()) {
        proof.back()[9] ^= std::byte{4};
        EXPECT_FALSE(proves_consistency(proof, before, tree.root(before), size, tree.root(size)));
      }
    }
  }
  EXPECT_TRUE(proves_consistency({}, 0, sha256({}), 70, tree.root()));
}

TEST(MerkleTree, HasNoProofThatAChangedPastIsTheSame) {
  const MerkleTree honest = tree_of(40);

  for (std::uint64_t changed = 0; changed < 20; ++changed) {
    const MerkleTree other = tree_of(40, changed);

    EXPECT_FALSE(proves_consistency(other.consistency_proof(20, 40), 20, honest.root(20), 40, other.root()));
    EXPECT_FALSE(proves_consistency(honest.consistency_proof(20, 40), 20, honest.root(20), 40, other.root()));
  }
}

}  // namespace
}  // namespace hanse
