#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/model/graph.hpp"
#include "constellm/model/profile.hpp"
#include "constellm/model/text.hpp"
#include "constellm/model/transformer.hpp"
#include "constellm/model/vision.hpp"

namespace constellm::model {
namespace {

std::vector<BlockShape> vit_base() {
  const BlockShape block{.width = 768,
                         .attention = {.heads = 12,
                                       .kv_heads = 12,
                                       .head_width = 64,
                                       .value_width = 64,
                                       .vectors = 5 * 768,
                                       .out_vectors = 768},
                         .mlp = {.width = 3072, .bias = true, .vectors = 2 * 768}};
  return std::vector<BlockShape>(12, block);
}

std::vector<VisionStage> one_stage(double tokens) { return {{.blocks = vit_base(), .tokens = tokens}}; }

VisionEnds vit_ends() {
  return {
      .image_px = 224, .patch_px = 16, .positions = 197, .embed_vectors = 2 * 768, .head_vectors = 2 * 768};
}

BlockShape one_grouped() {
  return {.width = 24,
          .attention = {.heads = 4, .kv_heads = 2, .head_width = 8, .value_width = 8, .vectors = 24},
          .mlp = {.width = 40, .gated = true, .vectors = 24}};
}

std::vector<BlockShape> grouped() { return std::vector<BlockShape>(3, one_grouped()); }

double total(const std::vector<LayerProfile>& layers, double LayerProfile::* field) {
  double sum = 0.0;
  for (const LayerProfile& layer : layers) sum += layer.*field;
  return sum;
}

TEST_CASE("a plain ViT block takes 24 n d^2 + 4 n^2 d", "[model]") {
  const double n = 197.0;
  const double d = 768.0;
  const auto layers = blocks(vit_base(), {.batch = 8, .tokens = n}, Granularity::block);
  REQUIRE(layers.size() == 12);
  CHECK(layers[5].flop == 8.0 * (24.0 * n * d * d + 4.0 * n * n * d));
  CHECK(layers[5].parameters == 12.0 * d * d + 13.0 * d);
  CHECK(layers[5].output_bytes == 8.0 * n * d * 4.0);
  CHECK(layers[5].kv_cache_bytes == 0.0);
}

TEST_CASE("sub-blocks add up to the block and carry the residual stream", "[model]") {
  const Pass pass{.batch = 2, .tokens = 7, .past_tokens = 3, .cache_tokens = 16, .causal = true};
  const auto whole = blocks(grouped(), pass, Granularity::block);
  const auto parts = blocks(grouped(), pass, Granularity::sub_block);
  REQUIRE(parts.size() == 4 * whole.size());
  for (const auto field : {&LayerProfile::flop, &LayerProfile::parameters, &LayerProfile::weight_bytes,
                           &LayerProfile::kv_cache_bytes, &LayerProfile::read_bytes}) {
    CHECK(total(parts, field) == Approx(total(whole, field)).epsilon(1e-14));
  }
  const double numbers = 2.0 * 7.0 * 4.0;
  CHECK(parts[0].output_bytes == numbers * (24 + 32));
  CHECK(parts[1].output_bytes == numbers * 24);
  CHECK(parts[2].output_bytes == numbers * (24 + 40));
  CHECK(parts[3].output_bytes == whole[0].output_bytes);
  CHECK(whole[0].workspace_bytes == std::max({parts[0].workspace_bytes, parts[1].workspace_bytes,
                                              parts[2].workspace_bytes, parts[3].workspace_bytes}));
  CHECK(whole[0].memory_bytes ==
        Approx(whole[0].weight_bytes + whole[0].kv_cache_bytes + whole[0].workspace_bytes));
}

TEST_CASE("query-key pairs are those that a token may see, one by one", "[model]") {
  for (const std::int64_t window : {0, 1, 4, 9, 100}) {
    for (const int past : {0, 2, 5, 30}) {
      for (const int tokens : {1, 3, 12}) {
        BlockShape shape = one_grouped();
        shape.attention.window = window;
        const Pass pass{.tokens = static_cast<double>(tokens),
                        .past_tokens = static_cast<double>(past),
                        .cache_tokens = static_cast<double>(past + tokens),
                        .causal = true};
        double pairs = 0.0;
        for (int i = 1; i <= tokens; ++i) {
          const int seen = past + i;
          pairs += window == 0 ? seen : std::min<double>(seen, static_cast<double>(window));
        }
        const auto parts = blocks({shape}, pass, Granularity::sub_block);
        const double projections = 2.0 * tokens * 24.0 * (32.0 + 2.0 * 16.0);
        CHECK(parts[0].flop == projections + 4.0 * pairs * 32.0);
        const double kept = window == 0 ? past + tokens : std::min<double>(past + tokens, double(window));
        CHECK(parts[0].kv_cache_bytes == 2.0 * 16.0 * kept * 4.0);
      }
    }
  }
}

TEST_CASE("in chunks a token sees its own chunk alone", "[model]") {
  BlockShape shape = one_grouped();
  shape.attention.window = 5;
  shape.attention.chunked = true;
  for (const int past : {0, 3, 5, 12}) {
    for (const int tokens : {1, 4, 11}) {
      double pairs = 0.0;
      for (int i = 0; i < tokens; ++i) pairs += (past + i) % 5 + 1;
      const Pass pass{.tokens = double(tokens), .past_tokens = double(past), .causal = true};
      const double projections = 2.0 * tokens * 24.0 * (32.0 + 2.0 * 16.0);
      CHECK(blocks({shape}, pass, Granularity::sub_block)[0].flop == projections + 4.0 * pairs * 32.0);
    }
  }
}

TEST_CASE("latent attention keeps the latents, and takes the cheaper of two orders", "[model]") {
  BlockShape shape = one_grouped();
  shape.attention = {.heads = 4,
                     .kv_heads = 4,
                     .head_width = 6,
                     .value_width = 5,
                     .query_rank = 7,
                     .kv_rank = 9,
                     .rope_width = 2};
  const double expansion = 9.0 * 4.0 * (4.0 + 5.0);
  const double projections = 7.0 * (24.0 + 24.0) + 24.0 * (9.0 + 2.0);
  const auto at = [&](double tokens, double past) {
    const Pass pass{.tokens = tokens, .past_tokens = past, .cache_tokens = tokens + past, .causal = true};
    return blocks({shape}, pass, Granularity::sub_block)[0];
  };
  const LayerProfile prompt = at(10.0, 0.0);
  CHECK(prompt.parameters == projections + expansion);
  CHECK(prompt.kv_cache_bytes == 10.0 * (9.0 + 2.0) * 4.0);
  CHECK(prompt.flop == 20.0 * (projections + expansion) + 2.0 * 55.0 * 4.0 * (6.0 + 5.0));
  const LayerProfile token = at(1.0, 99.0);
  CHECK(token.flop == 2.0 * (projections + expansion) + 2.0 * 100.0 * 4.0 * (2.0 * 9.0 + 2.0));
}

TEST_CASE("layers that differ keep their own figures", "[model]") {
  std::vector<BlockShape> shapes = grouped();
  shapes[1].attention.window = 4;
  shapes[2].attention.cached_heads = 4;
  shapes[2].mlp.experts = 6;
  shapes[2].mlp.experts_per_token = 2;
  shapes[2].mlp.shared_width = 16;
  shapes[2].mlp.shared_gate = true;
  const Pass pass{.tokens = 9, .cache_tokens = 9, .causal = true};
  const auto layers = blocks(shapes, pass, Granularity::block);
  CHECK(layers[0].kv_cache_bytes == 9.0 * 32.0 * 4.0);
  CHECK(layers[1].kv_cache_bytes == 4.0 * 32.0 * 4.0);
  CHECK(layers[2].kv_cache_bytes == 9.0 * 64.0 * 4.0);
  CHECK(layers[0].flop - layers[1].flop == 4.0 * 32.0 * (45.0 - (10.0 + 5.0 * 4.0)));
  CHECK(layers[2].parameters - layers[0].parameters == 24.0 * (3.0 * (5.0 * 40.0 + 16.0) + 6.0 + 1.0));
  CHECK(layers[2].flop - layers[0].flop == 18.0 * 24.0 * (3.0 * (40.0 + 16.0) + 6.0 + 1.0));
}

TEST_CASE("between attention and a parallel MLP both streams cross", "[model]") {
  BlockShape shape = one_grouped();
  const auto cut = [&] { return blocks({shape}, {.tokens = 3}, Granularity::sub_block)[1].output_bytes; };
  const double one = cut();
  shape.parallel = true;
  CHECK(cut() == 2.0 * one);
}

TEST_CASE("an embedding of its own width is projected there and back", "[model]") {
  const Pass pass{.tokens = 5, .cache_tokens = 5, .causal = true};
  const auto plain = decoder(grouped(), {.vocabulary = 100}, pass, Granularity::block, true);
  const auto narrow =
      decoder(grouped(), {.vocabulary = 100, .embed_width = 10}, pass, Granularity::block, true);
  CHECK(plain.front().parameters == 2400.0);
  CHECK(narrow.front().parameters == 1000.0 + 240.0);
  CHECK(narrow.front().flop == 2.0 * 5.0 * 240.0);
  CHECK(narrow.back().parameters == 1000.0 + 240.0);
  CHECK(narrow.back().flop == 2.0 * (1000.0 + 240.0));
}

TEST_CASE("from stage to stage four patches become one", "[model]") {
  std::vector<BlockShape> wide = vit_base();
  for (BlockShape& block : wide) block.width = 2 * 768;
  VisionEnds ends = vit_ends();
  ends.extra_tokens = 0;
  const std::vector<VisionStage> stages{{.blocks = vit_base(), .tokens = 196},
                                        {.blocks = wide, .tokens = 49}};
  const auto layers = vision_transformer(stages, ends, {}, Granularity::block, true);
  REQUIRE(layers.size() == 26);
  CHECK(layers[1].name == "stage-0/block-0");
  CHECK(layers[12].output_bytes == 49.0 * 2.0 * 768.0 * 4.0);
  CHECK(layers[12].parameters - layers[11].parameters == 8.0 * 768.0 * 768.0 + 8.0 * 768.0);
  CHECK(layers[12].flop - layers[11].flop == 2.0 * 49.0 * 8.0 * 768.0 * 768.0);
}

TEST_CASE("a prompt in chunks is the mean chunk: all chunks make the whole", "[model]") {
  Pass pass{.batch = 3, .tokens = 60, .past_tokens = 5, .cache_tokens = 80, .causal = true};
  const TextEnds ends{.vocabulary = 1000};
  const auto whole = decoder(grouped(), ends, pass, Granularity::block, false);
  pass.chunks = 4;
  const auto chunk = decoder(grouped(), ends, pass, Granularity::block, false);
  CHECK(4.0 * total(chunk, &LayerProfile::flop) == Approx(total(whole, &LayerProfile::flop)).epsilon(1e-14));
  CHECK(4.0 * chunk[0].output_bytes == whole[0].output_bytes);
  CHECK(total(chunk, &LayerProfile::kv_cache_bytes) == total(whole, &LayerProfile::kv_cache_bytes));
  CHECK(total(chunk, &LayerProfile::weight_bytes) == total(whole, &LayerProfile::weight_bytes));
}

TEST_CASE("a mixture stores all experts, computes the chosen, reads the distinct", "[model]") {
  BlockShape sparse = one_grouped();
  sparse.mlp.experts = 8;
  sparse.mlp.experts_per_token = 2;
  const double expert = 3.0 * 24.0 * 40.0;
  const double router = 24.0 * 8.0;
  const Pass one{.tokens = 1, .causal = true};
  const auto dense_parts = blocks(grouped(), one, Granularity::sub_block);
  const auto parts = blocks({sparse}, one, Granularity::sub_block);
  const auto mlp = [](const std::vector<LayerProfile>& layers, double LayerProfile::* field) {
    return layers[2].*field + layers[3].*field;
  };
  CHECK(mlp(parts, &LayerProfile::parameters) ==
        mlp(dense_parts, &LayerProfile::parameters) + 7.0 * expert + router);
  CHECK(mlp(parts, &LayerProfile::flop) ==
        Approx(mlp(dense_parts, &LayerProfile::flop) + 2.0 * (expert + router)));
  CHECK(mlp(parts, &LayerProfile::read_bytes) ==
        Approx(mlp(dense_parts, &LayerProfile::read_bytes) + 4.0 * (expert + router)));
  const auto many = blocks({sparse}, {.tokens = 4096, .causal = true}, Granularity::sub_block);
  CHECK(mlp(many, &LayerProfile::read_bytes) == Approx(mlp(many, &LayerProfile::weight_bytes)));
}

TEST_CASE("ends are folded into the first and last layer, or stand alone", "[model]") {
  const VisionEnds ends = vit_ends();
  REQUIRE(token_count(ends) == 197.0);
  const Pass pass{.batch = 2};
  const auto folded = vision_transformer(one_stage(197), ends, pass, Granularity::block, false);
  const auto separate = vision_transformer(one_stage(197), ends, pass, Granularity::block, true);
  REQUIRE(folded.size() == 12);
  REQUIRE(separate.size() == 14);
  for (const auto field : {&LayerProfile::flop, &LayerProfile::parameters, &LayerProfile::read_bytes}) {
    CHECK(total(folded, field) == Approx(total(separate, field)).epsilon(1e-14));
  }
  CHECK(total(folded, &LayerProfile::parameters) == 86567656.0);
  CHECK(folded.back().output_bytes == 2.0 * 1000.0 * 4.0);
  CHECK(folded.back().memory_bytes == Approx(folded.back().weight_bytes + folded.back().workspace_bytes));
  CHECK_THROWS_WITH(vision_transformer(one_stage(196), ends, pass, Granularity::block, false),
                    ContainsSubstring("stages[0].tokens: 196"));
}

TEST_CASE("a tied output matrix is stored twice and counted once", "[model]") {
  const Pass pass{.tokens = 5, .cache_tokens = 5, .causal = true};
  const auto tied = decoder(grouped(), {.vocabulary = 100, .tied = true}, pass, Granularity::block, true);
  const auto own = decoder(grouped(), {.vocabulary = 100}, pass, Granularity::block, true);
  CHECK(own.back().parameters - tied.back().parameters == 2400.0);
  CHECK(own.back().weight_bytes == tied.back().weight_bytes);
  CHECK(tied.back().output_bytes == 4.0);
}

TEST_CASE("wrong shapes are named", "[model]") {
  BlockShape shape = one_grouped();
  shape.attention.kv_heads = 3;
  CHECK_THROWS_WITH(validate(shape, "shape."), ContainsSubstring("shape.attention.kv_heads: 3"));
  shape = one_grouped();
  shape.mlp.experts_per_token = 2;
  CHECK_THROWS_WITH(validate(shape, ""), ContainsSubstring("mlp.experts_per_token: 2"));
  shape = one_grouped();
  shape.attention.kv_rank = 4;
  CHECK_THROWS_WITH(validate(shape, ""), ContainsSubstring("as latent attention has"));
  shape.attention.kv_heads = 4;
  shape.attention.rope_width = 9;
  CHECK_THROWS_WITH(validate(shape, ""), ContainsSubstring("rope_width: 9 is not in [0, 8]"));
  CHECK_THROWS_WITH(blocks({}, Pass{}, Granularity::block), ContainsSubstring("at least one"));
  CHECK_THROWS_WITH(validate(Pass{.batch = 0}, ""), ContainsSubstring("batch: 0"));
  CHECK_THROWS_WITH(validate(VisionEnds{.image_px = 8}, ""), ContainsSubstring("image_px: 8"));
  CHECK_THROWS_AS(validate(LayerProfile{.name = "a", .read_bytes = -1.0}, ""), core::InvalidInput);
}

TEST_CASE("cuts carry each tensor that is still read, once", "[model]") {
  // 0 -> 1 -> 2 with a skip 0 -> 2, the input read by 0 and 2.
  const std::vector<Tensor> tensors{{100.0, -1, 2}, {10.0, 0, 2}, {1.0, 1, 2}, {7.0, 2, 3}, {50.0, 1, -1}};
  CHECK(crossing_bytes(3, tensors) == std::vector<double>{110.0, 111.0, 7.0});
  CHECK_THROWS_WITH(crossing_bytes(3, {{1.0, 3, 3}}), ContainsSubstring("tensors[0].produced_at: 3"));
}

TEST_CASE("random graphs: order and cuts hold by definition", "[model]") {
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    const auto count = static_cast<std::int64_t>(2 + random() % 12);
    std::vector<std::int64_t> rank(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < rank.size(); ++i) rank[i] = static_cast<std::int64_t>(i);
    std::shuffle(rank.begin(), rank.end(), random);
    std::vector<std::pair<std::int64_t, std::int64_t>> edges;
    for (std::size_t i = 0; i < rank.size(); ++i) {
      for (std::size_t j = i + 1; j < rank.size(); ++j) {
        if (random() % 3 == 0) edges.emplace_back(rank[i], rank[j]);
      }
    }
    const auto order = topological_order(count, edges);
    std::vector<std::int64_t> position(rank.size(), -1);
    for (std::size_t i = 0; i < order.size(); ++i) {
      position[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    }
    const auto at = [&](std::int64_t node) { return position[static_cast<std::size_t>(node)]; };
    for (const auto& [from, to] : edges) REQUIRE(at(from) < at(to));
    std::vector<Tensor> tensors;
    for (std::int64_t node = 0; node < count; ++node) {
      Tensor tensor{.bytes = static_cast<double>(1 << node), .produced_at = at(node), .last_used_at = -1};
      for (const auto& [from, to] : edges) {
        if (from == node) tensor.last_used_at = std::max(tensor.last_used_at, at(to));
      }
      tensors.push_back(tensor);
    }
    const auto bytes = crossing_bytes(count, tensors);
    for (std::int64_t cut = 0; cut < count; ++cut) {
      std::set<std::int64_t> crossing;
      for (const auto& [from, to] : edges) {
        if (at(from) <= cut && at(to) > cut) crossing.insert(from);
      }
      double expected = 0.0;
      for (const std::int64_t node : crossing) expected += static_cast<double>(1 << node);
      REQUIRE(bytes[static_cast<std::size_t>(cut)] == expected);
    }
  }
  CHECK_THROWS_WITH(topological_order(3, {{0, 1}, {1, 2}, {2, 1}}), ContainsSubstring("cycle"));
  CHECK_THROWS_WITH(topological_order(2, {{0, 2}}), ContainsSubstring("edges[0]: 2"));
}

}  // namespace
}  // namespace constellm::model
