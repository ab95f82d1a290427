package dev.streamjob.benchmarks.flink;

/** A message of results. */
public final class Result {
    public byte[] key;
    public byte[] value;
    /** Epoch milliseconds. */
    public long time;

    public Result() {}

    Result(byte[] key, byte[] value, long time) {
        this.key = key;
        this.value = value;
        this.time = time;
    }
}
