// Hands rows of columns to librdkafka's producer (streamjob_runtime/kafka_results.py): no Python object a message.
#include <stddef.h>
#include <stdint.h>

struct content {
  const void *pointer;  // NULL: a tombstone, no key, no such header
  size_t bytes;
};

// rd_kafka_vu_t, as rdkafka.h has it since 1.6; what of it is set here.
struct argument {
  int32_t kind;
  union {
    int64_t number;
    const void *pointer;
    struct content content;
    struct {
      const char *name;
      const void *pointer;
      int64_t bytes;
    } header;
    char room[64];
  } is;
};

// Where the caller leaves room for what differs by message; the kinds are set.
enum { VALUE, KEY, TIME, ROW };
// A message's own headers follow these columns.
enum { VALUES, KEYS, HEADERS };

// A large binary column of Arrow's from row `skipped` of its buffers on; `valid` is NULL where nothing is null.
struct column {
  const uint8_t *bytes, *valid;
  const int64_t *ends;  // one before the first row's, too
  int64_t skipped;
};

struct librdkafka {
  void *(*produce)(void *producer, const struct argument *arguments, size_t count);
  int32_t (*code)(const void *error);
  void (*destroy)(void *error);
};

static struct content get(const struct column *column, int64_t row) {
  int64_t place = column->skipped + row;
  if (column->valid && !(column->valid[place >> 3] >> (place & 7) & 1)) return (struct content){NULL, 0};
  int64_t begin = column->ends[place];
  // Empty is not null, even of a column without any bytes.
  const void *content = column->bytes ? column->bytes + begin : (const uint8_t *)"";
  return (struct content){content, (size_t)(column->ends[place + 1] - begin)};
}

// Sends the rows from `row` to `end` as copies, up to the first that librdkafka does not take. Returns that row and why
// in `error`; `end` and 0 when it has taken all. A row's number in a delivery report is `first` more than here. Each row
// has the `shared` arguments and, in the places after them, those of its `own` headers that are not null.
__attribute__((visibility("default"))) int64_t streamjob_produce_rows(
    void *producer, const struct librdkafka *functions, struct argument *arguments, int64_t shared,
    const char *const *names, int64_t own, const struct column *columns, const int64_t *times, int64_t row, int64_t end,
    int64_t first, int32_t *error) {
  for (*error = 0; row < end; row++) {
    arguments[VALUE].is.content = get(&columns[VALUES], row);
    arguments[KEY].is.content = get(&columns[KEYS], row);
    arguments[TIME].is.number = times[row];
    arguments[ROW].is.pointer = (const void *)(intptr_t)(first + row);
    int64_t count = shared;
    for (int64_t header = 0; header < own; header++) {
      struct content content = get(&columns[HEADERS + header], row);
      if (!content.pointer) continue;
      arguments[count].is.header.name = names[header];
      arguments[count].is.header.pointer = content.pointer;
      arguments[count++].is.header.bytes = (int64_t)content.bytes;
    }
    void *refused = functions->produce(producer, arguments, (size_t)count);
    if (refused) {
      *error = functions->code(refused);
      functions->destroy(refused);
      return row;
    }
  }
  return row;
}
