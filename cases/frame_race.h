#pragma once

#include <linux/types.h>

// What frame_race.bpf.c and frame_race.cpp share.

#define RACE_SENDERS 64
#define RACE_PORTS 8

// What a frame may do, as bits: arrive at the sink of port n (1 << n), be redirected, and take the action in flags.
#define RACE_HIT (1U << 30)
#define RACE_MISS (1U << 31)

// Every other frame is steady where there is a key for such frames.
#define RACE_CHANGED 0
#define RACE_STEADY 1

struct race_stamp {
  __u64 token;
  __u32 sender;
  __u32 sequence;
  __u32 allowed;
  __u32 ingress;
  __u32 processor;
  __u32 unused;
};

struct race_frame {
  __u8 ethernet[14];
  __u16 padding;
  struct race_stamp stamp;
};

struct race_sender {
  __u64 runs;
  __u64 hits[2];
  __u64 misses[2];
  // Redirected where nothing was to be found, and the other way round.
  __u64 wrong_hits;
  __u64 wrong_misses;
  // Seen by the program in the entry; of these, with another frame's receiving device, and on another processor.
  __u64 left;
  __u64 foreign_ingress;
  __u64 foreign_processor;
} __attribute__((aligned(128)));

struct race_arrivals {
  __u64 frames;
  __u64 forbidden;
  __u64 disordered;
  __u32 last;
} __attribute__((aligned(64)));

struct race_port {
  struct race_arrivals from[RACE_SENDERS];
};

struct race_state {
  // Odd while the entry is being changed.
  __u32 phase;
  // What frames may do when it is not.
  __u32 allowed;
  struct race_sender senders[RACE_SENDERS];
  struct race_port ports[RACE_PORTS];
};
