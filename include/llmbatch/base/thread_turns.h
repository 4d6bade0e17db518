// How long the calling thread wants to run at a stretch. Thread rule: acts on the calling thread.
#pragma once

namespace llmbatch {

/// Asks the scheduler for short turns: a thread that wakes up after waiting for a disk is let in
/// soon, and lets others in soon (Linux >= 6.12, sched_setattr(2); elsewhere nothing happens).
/// Needs no privilege and changes no share of the CPU.
void ask_for_short_turns();

}  // namespace llmbatch
