#pragma once

namespace hanse {

/// Tells the allocator to keep freed memory for the next message instead of giving it back: a round frees and asks again
/// for vectors as long as the model, and with the defaults of glibc every one of them costs its page faults anew, a fifth
/// of a merchant's round. At most 256 MB at the top of the heap stay with the program; called once, from run_program().
void keep_freed_memory();

/// Afterwards: buffers of 256 KB and more are given back when they are freed. For the coordinator, whose messages from thousands of
/// merchants are of many sizes and lifetimes: kept, they leave holes, and its memory grows by a tenth over the first rounds.
void give_back_large_buffers();

/// All that is free now goes back to the system: once, after something large and short-lived, such as reading data.
void give_back_freed_memory();

}  // namespace hanse
