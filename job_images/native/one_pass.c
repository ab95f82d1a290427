// Runs the machines of streamjob_runtime/one_pass.py over a column of texts: one step a byte, or less.
#define _GNU_SOURCE  // newlocale, strtod_l
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64
#define LOOK 0x8000

// What a machine does in a state. A run is text that must follow as it is; a state without one looks at a byte.
struct state {
  uint32_t run_start, run_length, run_next;
  uint32_t repeats;       // whether some byte leads back here and opens or closes no group
  uint32_t accepts;       // whether a text may end here
  uint32_t end_action;    // what its end opens and closes
};

// An entry of `steps` is the next state (0: no match) and, from bit 16, the action: an index into `actions`, whose
// bits are the slots (2g: begin, 2g + 1: end of group g) that take the place of the byte. Bit 15 (LOOK) says that there
// is an action, a run in the next state, or no match.
struct machine {
  const uint32_t *steps;  // [state][byte]
  const struct state *states;
  const uint64_t *actions;
  const uint8_t *runs;
  uint32_t first, groups;
};

// Where a group's values go, one a text; what does not match has zeros.
struct column {
  enum kind { TEXT, WHOLE, NUMBER } kind;
  void *values;     // struct view, int64_t, double
  uint8_t *beside;  // of TEXT: the bytes of long ones, with room for all texts; of NUMBER: whether each is a whole number
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

// A text on its way through the machine, and where it came by a slot: what begins alike goes the same way, so the next
// text goes on where the common part ends. Offsets are bytes from the text's begin.
struct way {
  const uint8_t *begin;
  int64_t length;
  int32_t kept;  // what ends before it is as in the text before
  int32_t places[SLOTS];
  uint32_t marks;
  struct {
    int32_t offset;
    uint32_t state;
  } after[SLOTS + 1];  // the bytes before `offset` lead to `state`; the first is the machine's
};

static int64_t alike(const uint8_t *one, const uint8_t *other, int64_t length) {
  int64_t at = 0;
  for (; at + 8 <= length; at += 8) {
    uint64_t a, b;
    memcpy(&a, one + at, 8);
    memcpy(&b, other + at, 8);
    if (a != b) return at + __builtin_ctzll(a ^ b) / 8;
  }
  while (at < length && one[at] == other[at]) at++;
  return at;
}

static void mark(struct way *way, uint64_t slots, int32_t offset) {
  for (; slots; slots &= slots - 1) way->places[__builtin_ctzll(slots)] = offset;
}

static int matches(const struct machine *machine, struct way *way, const uint8_t *begin, int64_t length) {
  int64_t common = alike(way->begin, begin, length < way->length ? length : way->length);
  while (way->after[way->marks].offset > common) way->marks--;
  way->begin = begin, way->length = length, way->kept = way->after[way->marks].offset;
  const uint8_t *at = begin + way->kept, *end = begin + length;
  uint32_t now = way->after[way->marks].state;
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
    uint32_t step = LOOK;
    for (; at < end && !((step = machine->steps[256 * (uint64_t)now + *at]) & LOOK); at++) now = step;
    if (at == end) {
      state = &machine->states[now];
      mark(way, machine->actions[state->end_action], (int32_t)length);
      return state->accepts != 0;
    }
    now = step & 0x7fff;
    if (!now) return 0;
    if (step >> 16) {
      mark(way, machine->actions[step >> 16], (int32_t)(at - begin));
      way->marks++;
      way->after[way->marks].offset = (int32_t)(at + 1 - begin);
      way->after[way->marks].state = now;
    }
    at++;
  }
}

static struct view part_of(const uint8_t *begin, int32_t length, uint8_t *bytes, int32_t *written) {
  struct view part = {.length = length};
  if (length <= 12) {
    memcpy(part.text.here, begin, (uint64_t)length);
    return part;
  }
  memcpy(part.text.there.prefix, begin, 4);
  part.text.there.offset = *written;
  memcpy(bytes + *written, begin, (uint64_t)length);
  *written += length;
  return part;
}

// Of at most 18 digits.
static int64_t whole_number(const uint8_t *at, const uint8_t *end) {
  int is_negative = *at == '-';
  int64_t number = 0;
  for (at += is_negative; at < end; at++) number = 10 * number + (*at - '0');
  return is_negative ? -number : number;
}

static double by_library(const uint8_t *begin, const uint8_t *end) {
  static locale_t plain;  // whatever the process has set, a point is a point
  if (!plain) plain = newlocale(LC_ALL_MASK, "C", 0);
  char *copy = strndup((const char *)begin, (size_t)(end - begin));
  if (!plain || !copy) abort();  // out of memory
  double number = strtod_l(copy, NULL, plain);
  free(copy);
  return number;
}

// A number as JSON writes it, rounded to the nearest double. Up to 2^53 times or through 10^22 is exact before the one
// rounding (W. D. Clinger, How to read floating point numbers accurately, 1990).
static double number(const uint8_t *begin, const uint8_t *end, uint8_t *is_int) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const uint8_t *at = begin + (*begin == '-');
  uint64_t digits = 0;
  int64_t decimals = 0, length = 0;
  for (; at < end && *at != '.' && *at != 'e' && *at != 'E'; at++, length++) digits = 10 * digits + (*at - '0');
  *is_int = at == end;
  if (at < end && *at == '.')
    for (at++; at < end && *at != 'e' && *at != 'E'; at++, length++, decimals++) digits = 10 * digits + (*at - '0');
  if (at < end || length > 18 || digits > 1ull << 53 || decimals > 22) return by_library(begin, end);
  double size = (double)digits / powers[decimals];
  return *begin == '-' ? -size : size;
}

// Writes, for each text, whether it matches (`matched`) and its groups (`columns`).
__attribute__((visibility("default"))) void streamjob_match(const struct machine *machine, int64_t count,
                                                            const struct view *texts, const uint8_t *const *buffers,
                                                            uint8_t *matched, const struct column *columns) {
  struct way way = {.after = {{.offset = 0, .state = machine->first}}};
  int32_t written[SLOTS / 2] = {0};
  for (int64_t row = 0; row < count; row++) {
    const struct view *text = &texts[row];
    const uint8_t *begin =
        text->length <= 12 ? text->text.here : buffers[text->text.there.buffer] + text->text.there.offset;
    matched[row] = (uint8_t)matches(machine, &way, begin, text->length);
    for (uint32_t group = 0; group < machine->groups; group++) {
      const struct column *column = &columns[group];
      const uint8_t *from = begin + way.places[2 * group], *to = begin + way.places[2 * group + 1];
      if (column->kind == TEXT) {
        struct view *part = (struct view *)column->values + row;
        int is_kept = row && matched[row - 1] && to < begin + way.kept;
        if (!matched[row])
          *part = (struct view){0};
        else
          *part = is_kept ? part[-1] : part_of(from, (int32_t)(to - from), column->beside, &written[group]);
      } else if (column->kind == WHOLE) {
        ((int64_t *)column->values)[row] = matched[row] ? whole_number(from, to) : 0;
      } else {
        column->beside[row] = 0;
        ((double *)column->values)[row] = matched[row] ? number(from, to, &column->beside[row]) : 0;
      }
    }
  }
}
