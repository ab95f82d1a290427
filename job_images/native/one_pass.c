// Runs the machines of streamjob_runtime/one_pass.py over a column of texts: one step a byte, or less.
#include <stdint.h>
#include <string.h>

// What a machine does in a state. A run is text that must follow as it is; a state without one looks at a byte.
struct state {
  uint32_t run_start, run_length, run_next;
  uint32_t repeats;       // whether some byte leads back here and opens or closes no group
  uint32_t accepts;       // whether a text may end here
  uint32_t end_action;    // what its end opens and closes
};

// An entry of `steps` is the next state (0: no match) and, from bit 16, the action: an index into `actions`, whose
// bits are the slots (2g: begin, 2g + 1: end of group g) that take the place of the byte.
struct machine {
  const uint32_t *steps;  // [state][byte]
  const struct state *states;
  const uint64_t *actions;
  const uint8_t *runs;
  uint32_t first, groups;
};

// A text as Arrow's string view holds it: up to 12 bytes in place, more in a buffer.
struct view {
  int32_t length;
  union {
    uint8_t here[12];
    struct {
      uint8_t prefix[4];
      int32_t buffer, offset;
    } there;
  } text;
};

static void mark(uint64_t slots, const uint8_t *place, const uint8_t **places) {
  for (; slots; slots &= slots - 1) places[__builtin_ctzll(slots)] = place;
}

static int matches(const struct machine *machine, const uint8_t *at, const uint8_t *end, const uint8_t **places) {
  uint32_t now = machine->first;
  for (;;) {
    const struct state *state = &machine->states[now];
    if (state->run_length) {
      if (end - at < (int64_t)state->run_length || memcmp(at, machine->runs + state->run_start, state->run_length))
        return 0;
      at += state->run_length;
      now = state->run_next;
      continue;
    }
    const uint32_t *steps = machine->steps + 256 * (uint64_t)now;
    if (state->repeats)
      while (at < end && steps[*at] == now) at++;
    if (at == end) {
      mark(machine->actions[state->end_action], at, places);
      return state->accepts != 0;
    }
    uint32_t step = steps[*at];
    now = step & 0xffff;
    if (!now) return 0;
    mark(machine->actions[step >> 16], at, places);
    at++;
  }
}

// Writes, for each text, whether it matches (`matched`) and its groups: `bytes[g]`, one after the other, which must have
// room for all texts, and where they end (`ends[g]`, count + 1 numbers, the first 0). What does not match has empty groups.
__attribute__((visibility("default"))) void streamjob_match(const struct machine *machine, int64_t count,
                                                            const struct view *texts, const uint8_t *const *buffers,
                                                            uint8_t *matched, int64_t *const *ends,
                                                            uint8_t *const *bytes) {
  const uint8_t *places[64];
  int64_t written[32] = {0};
  for (uint32_t group = 0; group < machine->groups; group++) ends[group][0] = 0;
  for (int64_t number = 0; number < count; number++) {
    const struct view *text = &texts[number];
    const uint8_t *begin =
        text->length <= 12 ? text->text.here : buffers[text->text.there.buffer] + text->text.there.offset;
    matched[number] = (uint8_t)matches(machine, begin, begin + text->length, places);
    for (uint32_t group = 0; group < machine->groups; group++) {
      if (matched[number]) {
        int64_t length = places[2 * group + 1] - places[2 * group];
        memcpy(bytes[group] + written[group], places[2 * group], (uint64_t)length);
        written[group] += length;
      }
      ends[group][number + 1] = written[group];
    }
  }
}
