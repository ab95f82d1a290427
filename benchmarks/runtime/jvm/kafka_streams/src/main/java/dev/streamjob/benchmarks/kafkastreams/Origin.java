package dev.streamjob.benchmarks.kafkastreams;

import dev.streamjob.benchmarks.work.Reading;
import java.util.ArrayList;
import java.util.List;

/** A message of a device. */
final class Origin {
    final List<Reading> readings = new ArrayList<>(1);
    /** The highest event time of its readings, epoch milliseconds; -1 without any. */
    long time = -1;

    void add(Reading reading) {
        readings.add(reading);
        time = Math.max(time, reading.time);
    }
}
