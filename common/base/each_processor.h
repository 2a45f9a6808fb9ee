#pragma once

/// Before a function of one loop: compiled for AVX2 and for the plain architecture, chosen by the processor when the
/// program starts. Integers give the same results either way; so do floating-point loops that add nothing across
/// entries (-ffp-contract=off holds for both).
#if defined(__x86_64__) && defined(__GNUC__)
#define HANSE_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define HANSE_EACH_PROCESSOR
#endif
