// Takes librdkafka's messages into columns (streamjob_runtime/kafka_messages.py): no Python object a message.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// rd_kafka_message_t, as rdkafka.h has it since 2013.
struct message {
  int32_t error;
  void *topic;
  int32_t partition;
  const uint8_t *value;  // NULL: a tombstone; of an error, its text
  size_t value_bytes;
  const uint8_t *key;  // NULL: none
  size_t key_bytes;
  int64_t offset;
  void *own;
};

struct sums {
  int64_t events;  // that are no messages
  int64_t next;    // offset after the last message; 0 without one
  int64_t messages, value_bytes, key_bytes;  // of messages before `end`
};

// A large binary column of Arrow's: `ends` has a number more than rows, the first 0; `valid` is zeroed.
struct column {
  uint8_t *bytes, *valid;
  int64_t *ends;
  int64_t nulls;
};

static void put(struct column *column, int64_t row, const uint8_t *content, size_t bytes) {
  int64_t begin = column->ends[row];
  if (content) {
    memcpy(column->bytes + begin, content, bytes);
    column->valid[row >> 3] |= (uint8_t)(1 << (row & 7));
  } else {
    bytes = 0;
    column->nulls++;
  }
  column->ends[row + 1] = begin + (int64_t)bytes;
}

__attribute__((visibility("default"))) void streamjob_sum_messages(const struct message *const *messages,
                                                                   int64_t count, int64_t end, struct sums *sums) {
  for (int64_t number = 0; number < count; number++) {
    const struct message *message = messages[number];
    if (message->error) {
      sums->events++;
      continue;
    }
    sums->next = message->offset + 1;
    if (message->offset >= end) continue;
    sums->messages++;
    if (message->value) sums->value_bytes += (int64_t)message->value_bytes;
    if (message->key) sums->key_bytes += (int64_t)message->key_bytes;
  }
}

// Moves the messages before `end` into columns with room for what was summed up. Each is destroyed at once, so that
// librdkafka's buffers go as the columns fill; NULL takes its place.
__attribute__((visibility("default"))) void streamjob_take_messages(struct message **messages, int64_t count,
                                                                    int64_t end, struct column *values,
                                                                    struct column *keys, int64_t *offsets,
                                                                    void (*destroy)(struct message *)) {
  int64_t row = 0;
  for (int64_t number = 0; number < count; number++) {
    struct message *message = messages[number];
    if (!message->error && message->offset < end) {
      put(values, row, message->value, message->value_bytes);
      put(keys, row, message->key, message->key_bytes);
      offsets[row++] = message->offset;
    }
    messages[number] = NULL;
    destroy(message);
  }
}

__attribute__((visibility("default"))) void streamjob_destroy_messages(struct message **messages, int64_t count,
                                                                       void (*destroy)(struct message *)) {
  for (int64_t number = 0; number < count; number++)
    if (messages[number]) destroy(messages[number]);
}
